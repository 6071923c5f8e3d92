/**
 * A recipe that is edited while it is built is built again in the same run; what was built before is not shown.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FakeBuilder } from './fake-builder.ts';
import { idOf, type Model, type ModelRecipe } from './model.ts';
import { memoryFolder, Tree, wrongDigests } from './world.ts';

function modelOf(payloads: Readonly<Record<string, string>>): Model {
  const recipes = Object.entries(payloads).map(
    ([name, content]): ModelRecipe => ({
      stage: 'core',
      name,
      rank: 0,
      version: null,
      versionFrom: null,
      platforms: [],
      sources: [],
      files: new Map([['payload', { mode: '0644', content }]]),
      parts: [
        { name, buildBase: null, base: null, steps: [{ kind: 'copy', pattern: '.' }], takes: '.', env: null },
      ],
      split: false,
      decoy: false,
      licence: '0BSD',
      remark: '',
    }),
  );
  return new Map(recipes.map((recipe) => [idOf(recipe), recipe]));
}

const STYLE = { replace: 'in place', times: 'fixed' } as const;
const BEFORE = modelOf({ a: 'old', b: 'old' });
const AFTER = modelOf({ a: 'new', b: 'new' });

test.each([
  { jobs: 1, when: 'onStart' },
  { jobs: 1, when: 'onBuild' },
  { jobs: 2, when: 'onStart' },
  { jobs: 2, when: 'onBuild' },
] as const)('both are edited in the first build ($when, $jobs jobs)', async ({ jobs, when }) => {
  const folder = memoryFolder('stx-edit-');
  const builder = new FakeBuilder({ workers: 1, jobs });
  const tree = new Tree(join(folder, 'tree'), join(folder, 'state'), builder);
  try {
    tree.disk.write(BEFORE, STYLE);
    builder[when] = (_, number) => {
      if (number === 1) tree.disk.write(AFTER, STYLE);
    };
    const summary = await tree.run({}, true);
    // With one job the other one was judged by the old files and waits for its turn while the tree is read again.
    expect(wrongDigests(summary, AFTER, builder.engine)).toBeNull();
    expect((await tree.run({}, true)).counts.hit).toBe(2);
    // And whatever was recorded of the old state is true.
    tree.disk.write(BEFORE, STYLE);
    expect(wrongDigests(await tree.run({}, true), BEFORE, builder.engine)).toBeNull();
  } finally {
    tree.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
