/** From targets to wanted sources, each content once. */
import { expect, it } from 'vitest';
import type { WantedSource } from './model.ts';
import { byContent, fetchPlaces } from './wanted.ts';

const a = 'a'.repeat(64);
const b = 'b'.repeat(64);

function want(recipe: string, file: string, sha256: string, mirrors: readonly string[] = []): WantedSource {
  const [stage = '', name = ''] = recipe.split('/');
  const source = { name: 's', version: null, sha256, format: null, file, mirrors, gitSha: null, line: 3 };
  return { target: `${stage}-${name}`, recipe, stage, name, source };
}

it('folds by content, with the mirrors of all users, in an order that does not depend on the input', () => {
  const list = [
    want('core/y', 'f', b),
    want('core/z', 'g', a, ['2', '1']),
    want('core/a', 'h', a, ['1', '3']),
  ];
  const contents = byContent(list);
  expect(contents.map(({ sha256, file, mirrors }) => [sha256, file, mirrors])).toEqual([
    [a, 'h', ['1', '3', '2']],
    [b, 'f', []],
  ]);
  expect(byContent([...list].reverse())).toEqual(contents);
});

it('places are told once, and two contents in one place are an error', () => {
  const same = [want('core/x', 'f', a), want('core/x', 'f', a), want('core/x', 'g', a)];
  expect(fetchPlaces(same)).toMatchObject({ places: [{ file: 'f' }, { file: 'g' }], problems: [] });
  const { problems } = fetchPlaces([...same, want('core/x', 'f', b)]);
  expect(problems).toMatchObject([{ code: 'source-file-collision', tag: 'input', line: 3 }]);
});

it('only hashes become paths', () => {
  expect(() => byContent([want('core/x', 'f', '../../etc/passwd')])).toThrow();
});
