/**
 * Builds that are not reproducible, with a builder that gives what the test says: both outputs are kept, the first
 * differing rung is shown, --strict says no.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { exitCodeOf } from '../../packages/core/src/errors.ts';
import { isOutputKnownGood, openPool } from '../../packages/scheduler/src/store/index.ts';
import { FakeBuilder } from './fake-builder.ts';
import type { Model, ModelRecipe } from './model.ts';
import { memoryFolder, Tree } from './world.ts';

const recipe = (
  name: string,
  rank: number,
  more: Partial<ModelRecipe['parts'][number]> = {},
): ModelRecipe => ({
  stage: 'core',
  name,
  rank,
  version: null,
  versionFrom: null,
  platforms: [],
  sources: [],
  files: new Map([['payload', { mode: '0644', content: `${name}\n` }]]),
  parts: [
    {
      name,
      buildBase: null,
      base: null,
      steps: [{ kind: 'copy', pattern: 'payload' }],
      takes: '.',
      env: null,
      ...more,
    },
  ],
  split: false,
  decoy: false,
  licence: '0BSD',
  remark: '',
});

const model: Model = new Map([
  ['core/a', recipe('a', 0)],
  ['core/b', recipe('b', 1, { base: 'core-a' })],
]);

let folder: string;
let tree: Tree;
let builder: FakeBuilder;

beforeEach(async () => {
  folder = memoryFolder('stx-finding-');
  builder = new FakeBuilder();
  tree = new Tree(join(folder, 'tree'), join(folder, 'state'), builder);
  tree.disk.write(model, { replace: 'in place', times: 'now' });
  expect((await tree.run({}, true)).ok).toBe(true);
});
afterEach(() => {
  tree.close();
  rmSync(folder, { recursive: true, force: true });
});

test('the summary and an event name the first differing rung and file; both outputs stay', async () => {
  builder.unstable.set('core-a', 'other');
  const summary = await tree.run({ noCache: true, selection: ['core-a'] }, true);
  expect(summary.ok).toBe(true);
  const [finding] = summary.findings ?? [];
  expect(finding).toMatchObject({ target: 'core-a', now: summary.targets[0]?.digest });
  expect(finding?.text).toMatch(
    /diff-id sha256:\S+ became sha256:\S+, first differing file src\/payload: content/,
  );
  expect(tree.events.filter(({ type }) => type === 'finding')).toHaveLength(1);
  const { records, paths, ledgers } = (await tree.open(false)).openState();
  const fingerprint = records.current(tree.disk.root).get('core-a')?.fingerprint ?? '';
  const kept = records.find(fingerprint);
  expect(kept.map(({ manifest }) => manifest).sort()).toEqual([finding?.before, finding?.now].sort());
  const pool = openPool(paths, ledgers.blobs);
  expect(kept.every(({ output }) => isOutputKnownGood(pool, output))).toBe(true);
});

test('what needs it is built from the new output, and a later run has nothing to do', async () => {
  builder.unstable.set('core-a', 'other');
  await tree.run({ noCache: true, selection: ['core-a'] }, true);
  const { targets } = await tree.run({}, true);
  expect(targets.map(({ name, result }) => `${name} ${result}`)).toEqual(['core-a hit', 'core-b built']);
  expect((await tree.run({}, true)).counts.hit).toBe(2);
});

test('--strict says no: exit 1, and only then', async () => {
  expect((await tree.run({ noCache: true, strict: true }, true)).ok).toBe(true);
  builder.unstable.set('core-a', 'other');
  const { ok, problems } = await tree.run({ noCache: true, strict: true, selection: ['core-a'] }, true);
  expect(ok).toBe(false);
  expect(problems.map(({ code }) => code)).toEqual(['not-reproducible']);
  expect(exitCodeOf(problems)).toBe(1);
});
