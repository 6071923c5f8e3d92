/**
 * `gc` on a real state folder, with outputs of the builder in memory: what a tree refers to stays, going back to what
 * was kept is a hit, to what was dropped a build with the same digest.
 */
import { chmodSync, existsSync, lstatSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { collect, type GcOptions, type GcReport } from '../../packages/scheduler/src/gc/gc.ts';
import { statePaths } from '../../packages/scheduler/src/paths.ts';
import { FakeBuilder } from './fake-builder.ts';
import { idOf, type Model, type ModelRecipe } from './model.ts';
import { memoryFolder, Tree } from './world.ts';

const DAY = 24 * 60 * 60 * 1_000;

function recipe(name: string, rank: number, content: string): ModelRecipe {
  const steps = [
    ...(rank === 0 ? [] : [{ kind: 'need', target: `core-r${rank - 1}`, form: 'copy', tag: '' } as const]),
    { kind: 'copy', pattern: 'payload' } as const,
  ];
  return {
    stage: 'core',
    name,
    rank,
    version: null,
    versionFrom: null,
    platforms: [],
    sources: [],
    files: new Map([['payload', { mode: '0644', content }]]),
    parts: [{ name, buildBase: null, base: null, steps, takes: '.', env: null }],
    split: false,
    decoy: false,
    licence: '0BSD',
    remark: '',
  };
}

function modelOf(...contents: readonly string[]): Model {
  return new Map(
    contents.map((content, rank) => recipe(`r${rank}`, rank, content)).map((one) => [idOf(one), one]),
  );
}

let folder: string;
let state: string;
let builder: FakeBuilder;
let trees: Tree[];

beforeEach(() => {
  folder = memoryFolder('stx-gc-');
  state = join(folder, 'state');
  builder = new FakeBuilder();
  trees = [];
});
afterEach(() => {
  for (const tree of trees) tree.close();
  rmSync(folder, { recursive: true, force: true });
});

function newTree(name: string): Tree {
  const tree = new Tree(join(folder, name), state, builder);
  trees.push(tree);
  return tree;
}

async function runWith(tree: Tree, model: Model): Promise<{ built: string[]; digests: (string | null)[] }> {
  tree.disk.write(model, { replace: 'in place', times: 'now' });
  builder.built.length = 0;
  const { ok, targets } = await tree.run({}, true);
  expect(ok).toBe(true);
  return { built: [...builder.built].sort(), digests: targets.map(({ digest }) => digest) };
}

async function gc(tree: Tree | null, more: Partial<GcOptions> = {}): Promise<GcReport> {
  return await collect(statePaths(state), tree === null ? null : await tree.open(true), {
    dryRun: false,
    verify: false,
    all: false,
    sources: false,
    wait: false,
    command: 'gc',
    stop: new AbortController().signal,
    now: Date.now,
    onWait: () => {},
    ...more,
  });
}

const poolSize = (): number =>
  readdirSync(join(state, 'pool/blobs/sha256')).reduce(
    (sum, name) => sum + lstatSync(join(state, 'pool/blobs/sha256', name)).size,
    0,
  );

test('without a size or an age only what nobody refers to goes', async () => {
  const tree = newTree('tree');
  await runWith(tree, modelOf('a', 'b'));
  await runWith(tree, modelOf('a2', 'b'));
  writeFileSync(join(state, 'pool/blobs/sha256', 'f'.repeat(64)), 'nobody');
  writeFileSync(join(state, 'pool/blobs/sha256', 'README'), 'not ours');
  const report = await gc(tree);
  expect(report).toMatchObject({ records: { removed: 0, kept: 4 }, freed: 6, foreign: ['README'] });
  expect((await runWith(tree, modelOf('a', 'b'))).built).toEqual([]);
});

test('an age: old states go, what the tree has stays, however old', async () => {
  const tree = newTree('tree');
  const old = await runWith(tree, modelOf('a', 'b'));
  const now = await runWith(tree, modelOf('a2', 'b2'));
  const later = (): number => Date.now() + 40 * DAY;
  const planned = await gc(tree, { maxAge: 30 * DAY, now: later, dryRun: true });
  expect(planned.records).toEqual({ removed: 2, kept: 2 });
  const before = poolSize();
  const report = await gc(tree, { maxAge: 30 * DAY, now: later });
  expect({ ...report, dryRun: true }).toEqual(planned);
  expect(poolSize()).toBe(before - report.blobs.reduce((sum, { size }) => sum + size, 0));
  expect((await runWith(tree, modelOf('a2', 'b2'))).built).toEqual([]);
  const again = await runWith(tree, modelOf('a', 'b'));
  expect(again).toEqual({ built: ['core-r0', 'core-r1'], digests: old.digests });
  expect(again.digests).not.toEqual(now.digests);
});

test('a size: the least recently used go until the rest fits', async () => {
  const tree = newTree('tree');
  const states = ['1', '2', '3', '4', '5'].map((word) => modelOf(`a${word}`, `b${word}`));
  for (const model of states) await runWith(tree, model);
  const size = poolSize();
  const report = await gc(tree, { maxSize: Math.floor(size * 0.6) });
  expect(poolSize()).toBeLessThanOrEqual(size * 0.6);
  expect(report.kept).toBe(poolSize());
  expect(report.records.removed).toBeGreaterThan(0);
  // Newest first: what still fits is a hit.
  expect((await runWith(tree, states[4] ?? new Map())).built).toEqual([]);
  expect((await runWith(tree, states[3] ?? new Map())).built).toEqual([]);
  expect((await runWith(tree, states[0] ?? new Map())).built).toEqual(['core-r0', 'core-r1']);
});

test('other trees keep what they have; one that is gone does not; --all takes it too', async () => {
  const one = newTree('one');
  const two = newTree('two');
  await runWith(one, modelOf('a', 'b'));
  await runWith(two, modelOf('x', 'y'));
  expect((await gc(one, { maxSize: 0 })).records).toEqual({ removed: 0, kept: 4 });
  two.close();
  rmSync(two.disk.root, { recursive: true });
  expect(await gc(one, { maxSize: 0 })).toMatchObject({
    records: { removed: 2, kept: 2 },
    trees: [two.disk.root],
  });
  expect((await gc(one, { maxSize: 0, all: true })).records).toEqual({ removed: 2, kept: 0 });
  expect(poolSize()).toBe(0);
  expect((await runWith(one, modelOf('a', 'b'))).built).toEqual(['core-r0', 'core-r1']);
});

test('what the tree at hand would find as a hit stays, though it was not run yet', async () => {
  const tree = newTree('tree');
  await runWith(tree, modelOf('a', 'b'));
  await runWith(tree, modelOf('a2', 'b'));
  tree.disk.write(modelOf('a', 'b'), { replace: 'in place', times: 'now' });
  expect((await gc(tree, { maxSize: 0 })).records).toEqual({ removed: 0, kept: 4 });
  // Without a tree at hand the last state of each is what counts.
  expect((await gc(null, { maxSize: 0 })).records).toEqual({ removed: 2, kept: 2 });
});

test('--verify finds a damaged blob, says who needs it, and the next run mends it', async () => {
  const tree = newTree('tree');
  const first = await runWith(tree, modelOf('a', 'b'));
  const manifest = first.digests[0]?.slice(7) ?? '';
  const path = join(state, 'pool/blobs/sha256', manifest);
  // As a broken disk does: nothing that a stat shows.
  const { mtime, atime } = lstatSync(path);
  chmodSync(path, 0o644);
  const bytes = Buffer.alloc(lstatSync(path).size, 'x');
  writeFileSync(path, bytes);
  const { utimesSync } = await import('node:fs');
  utimesSync(path, atime, mtime);
  expect(await gc(tree)).toMatchObject({ checked: null, damaged: [] });
  expect((await gc(tree, { verify: true, dryRun: true })).damaged).toMatchObject([{ targets: ['core-r0'] }]);
  expect(existsSync(path)).toBe(true);
  const report = await gc(tree, { verify: true });
  expect(report.damaged.map(({ digest }) => digest)).toEqual([`sha256:${manifest}`]);
  expect(existsSync(path)).toBe(false);
  const mended = await runWith(tree, modelOf('a', 'b'));
  expect(mended).toEqual({ built: ['core-r0'], digests: first.digests });
  expect((await gc(tree, { verify: true })).damaged).toEqual([]);
});

test('while another run holds the state it says so', async () => {
  const tree = newTree('tree');
  tree.disk.write(modelOf('a'), { replace: 'in place', times: 'now' });
  const seen: unknown[] = [];
  builder.onBuild = async () => {
    await gc(null).catch((error: unknown) => seen.push(error));
  };
  await tree.run({}, true);
  expect(seen).toMatchObject([{ problems: [{ code: 'locked', tag: 'environment' }] }]);
});
