/**
 * The shape twins of the StageX tree with the builder in memory: what a touch, a comment and a content edit of
 * core-busybox build, against the model of what each output holds.
 */
import { appendFileSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectedBuilds, type TwinShape, writeTwin } from '../twins/generate.ts';
import { FakeBuilder } from './fake-builder.ts';
import { memoryFolder, Tree } from './world.ts';

describe.each<{ shape: TwinShape; builds: number | null }>([
  { shape: 'plain', builds: 153 },
  { shape: 'through', builds: null },
])('the $shape twin', ({ shape, builds }) => {
  let folder: string;
  let tree: Tree;
  const builder = new FakeBuilder();
  const recipe = (): string => join(tree.disk.root, 'packages/core/busybox');

  beforeAll(async () => {
    folder = memoryFolder('stx-twin-');
    const root = join(folder, 'tree');
    mkdirSync(root);
    writeTwin(root, shape);
    tree = new Tree(root, join(folder, 'state'), builder);
    const { counts } = await tree.run({}, true);
    expect(counts).toMatchObject({ targets: 513, built: 513 });
  }, 120_000);
  afterAll(() => {
    tree.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function builtBy(edit: () => void): Promise<string[]> {
    edit();
    builder.built.length = 0;
    const { ok } = await tree.run({}, true);
    expect(ok).toBe(true);
    return [...builder.built].sort();
  }

  test('a touch builds nothing', async () => {
    expect(await builtBy(() => utimesSync(join(recipe(), 'Containerfile'), 5, 5))).toEqual([]);
  });

  test('a comment builds that target and stops', async () => {
    expect(await builtBy(() => appendFileSync(join(recipe(), 'Containerfile'), '# comment\n'))).toEqual([
      'core-busybox',
    ]);
  });

  test('a content edit builds what sees it; going back builds nothing', async () => {
    const path = join(recipe(), 'payload');
    const before = readFileSync(path, 'utf8');
    const built = await builtBy(() => writeFileSync(path, 'edited\n'));
    expect(built).toEqual([...expectedBuilds('core/busybox', shape)].sort());
    if (builds !== null) expect(built).toHaveLength(builds);
    expect(await builtBy(() => writeFileSync(path, before))).toEqual([]);
  });
});
