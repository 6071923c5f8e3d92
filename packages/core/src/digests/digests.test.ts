/** digests/<stage>.txt: read strictly, written byte for byte, compared with what was built. */
import { describe, expect, it } from 'vitest';
import { digestOf, hexOf } from '../oci/digest.ts';
import { compareDigests, formatDigests, parseDigests, updateDigests } from './index.ts';

const [a, b, c] = [digestOf('a'), digestOf('b'), digestOf('c')];
const line = (digest: string, target: string): string => `${digest.slice(7)} ${target}\n`;
const text = line(a, 'core-acl') + line(b, 'core-lib++') + line(c, 'core-lib-x') + line(a, 'core-zlib');
const parse = (content: string) => parseDigests(content, 'core', 'digests/core.txt');

describe('reading', () => {
  it('takes what upstream writes, and writes it again byte for byte', () => {
    const file = parse(text);
    expect(file.problems).toEqual([]);
    expect([...file.lines.values()][1]).toEqual({ target: 'core-lib++', digest: b, line: 2 });
    expect(
      formatDigests('core', new Map([...file.lines].map(([target, { digest }]) => [target, digest]))),
    ).toBe(text);
    expect(parse('')).toMatchObject({ problems: [] });
  });

  it.each([
    ['digests-bad-line', `${hexOf(a).toUpperCase()} core-x\n`],
    ['digests-bad-line', `${hexOf(a)}  core-x\n`],
    ['digests-bad-line', `${hexOf(a)} core-x\r\n`],
    ['digests-bad-line', `sha256:${hexOf(a)} core-x\n`],
    ['digests-bad-line', `${hexOf(a).slice(1)} core-x\n`],
    ['digests-bad-line', '\n'],
    ['digests-other-stage', `${hexOf(a)} user-x\n`],
    ['digests-other-stage', `${hexOf(a)} core-\n`],
    ['digests-twice', `${hexOf(b)} core-acl\n`],
  ])('tells %s with its line: %j', (code, row) => {
    const file = parse(`${line(a, 'core-acl')}${row}${line(b, 'core-zlib')}`);
    expect(file.problems).toMatchObject([
      { code, level: 'error', tag: 'input', file: 'digests/core.txt', line: 2 },
    ]);
    expect([...file.lines.keys()]).toEqual(['core-acl', 'core-zlib']);
  });

  it('warns of what upstream would write otherwise', () => {
    const file = parse(`${line(a, 'core-b')}${line(a, 'core-a').trimEnd()}`);
    expect(file.problems.map(({ code, level, line: at }) => [code, level, at])).toEqual([
      ['digests-no-newline', 'warning', 2],
      ['digests-order', 'warning', 2],
    ]);
    expect(file.lines.size).toBe(2);
  });
});

describe('updating', () => {
  it('changes, adds and takes out lines, and nothing else', () => {
    const wanted = new Map([
      ['core-zlib', b],
      ['core-bash', c],
      ['core-acl', a],
      ['core-lib++', null],
      ['core-gone', null],
    ]);
    const { text: now, changes } = updateDigests(text, 'core', wanted);
    expect(now).toBe(
      line(a, 'core-acl') + line(c, 'core-bash') + line(c, 'core-lib-x') + line(b, 'core-zlib'),
    );
    expect(changes).toEqual([
      { target: 'core-bash', before: null, after: c },
      { target: 'core-lib++', before: b, after: null },
      { target: 'core-zlib', before: a, after: b },
    ]);
  });

  it('leaves the text as it is where nothing changed, unsorted or not', () => {
    const unsorted = line(a, 'core-b') + line(a, 'core-a');
    expect(updateDigests(unsorted, 'core', new Map([['core-a', a]]))).toEqual({
      text: unsorted,
      changes: [],
    });
  });

  it('loses no line it can not read, and writes no line of another stage', () => {
    expect(() => updateDigests('what is this\n', 'core', new Map())).toThrow();
    expect(() => updateDigests('', 'core', new Map([['user-x', a]]))).toThrow();
  });
});

it('compares within a scope, and tells what no target has', () => {
  const committed = new Map([
    ['core-a', a],
    ['core-b', b],
    ['core-c', c],
    ['core-out', a],
    ['core-gone', a],
  ]);
  const local = new Map([
    ['core-a', a],
    ['core-b', c],
    ['core-new', c],
    ['core-out', b],
  ]);
  const known = new Set(['core-a', 'core-b', 'core-c', 'core-new', 'core-none', 'core-out']);
  const scope = ['core-new', 'core-c', 'core-b', 'core-a', 'core-none'];
  expect(compareDigests(committed, local, scope, known)).toEqual({
    equal: ['core-a'],
    differences: [
      { kind: 'other', target: 'core-b', committed: b, local: c },
      { kind: 'missing', target: 'core-c', committed: c },
      { kind: 'unknown', target: 'core-gone', committed: a },
      { kind: 'additional', target: 'core-new', local: c },
    ],
  });
});
