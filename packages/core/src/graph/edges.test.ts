import { expect, it } from 'vitest';
import type { ResolvedContainerfile } from '../containerfile/model.ts';
import type { Target } from '../recipe/model.ts';
import { edgesOf } from './edges.ts';

it('reports what is no image reference, should the reader let it through', () => {
  const target = { name: 'core-x', recipe: { dir: 'core/x' } } as Target;
  const references = [{ kind: 'copy', image: 'Bad/Image', line: 7, platform: null }] as const;
  const names = {
    targets: new Map(),
    split: new Map(),
    skipped: new Map(),
    broken: new Set<string>(),
    allowedImages: new Set<string>(),
    meanings: new Map(),
  };
  expect(edgesOf(target, [{ references } as unknown as ResolvedContainerfile], names).problems).toMatchObject(
    [{ code: 'bad-image', file: 'core/x/Containerfile', line: 7 }],
  );
});
