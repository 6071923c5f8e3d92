/**
 * `why`, now and for past runs, on a real state folder with a builder in memory.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { whyNow, whyThen } from '../../packages/scheduler/src/plan/why.ts';
import { makePlan } from '../../packages/scheduler/src/session.ts';
import { FakeBuilder } from './fake-builder.ts';
import { idOf, type Model, type ModelRecipe } from './model.ts';
import { memoryFolder, OPTIONS, Tree } from './world.ts';

interface Change {
  readonly payload?: string;
  readonly version?: string;
  readonly licence?: string;
}

/** a <- b <- c: each copies the one before. */
function modelOf(changes: Readonly<Record<string, Change>> = {}): Model {
  const recipes = ['a', 'b', 'c'].map((name, rank): ModelRecipe => {
    const { payload = name, version = '1.0', licence = '0BSD' } = changes[name] ?? {};
    const needed = ['a', 'b'][rank - 1];
    const steps = [
      ...(needed === undefined
        ? []
        : [{ kind: 'need', target: `core-${needed}`, form: 'copy', tag: '' } as const]),
      { kind: 'copy', pattern: 'payload' } as const,
    ];
    return {
      stage: 'core',
      name,
      rank,
      version,
      versionFrom: null,
      platforms: [],
      sources: [],
      files: new Map([['payload', { mode: '0644', content: payload }]]),
      parts: [{ name, buildBase: null, base: null, steps, takes: '.', env: null }],
      split: false,
      decoy: false,
      licence,
      remark: '',
    };
  });
  return new Map(recipes.map((recipe) => [idOf(recipe), recipe]));
}

let folder: string;
let tree: Tree;
const builder = new FakeBuilder();

beforeEach(() => {
  folder = memoryFolder('stx-why-');
  tree = new Tree(join(folder, 'tree'), join(folder, 'state'), builder);
});
afterEach(() => {
  tree.close();
  rmSync(folder, { recursive: true, force: true });
});

async function now(target: string, model: Model): Promise<ReturnType<typeof whyNow>> {
  tree.disk.write(model, { replace: 'rename', times: 'fixed' });
  return whyNow(await makePlan(await tree.open(true), { ...OPTIONS, selection: [target] }), target);
}

test('before the first build, after it, and after what nobody sees', async () => {
  expect(await now('core-c', modelOf())).toMatchObject({
    action: 'waiting',
    causes: [{ target: 'core-a', chain: ['core-c', 'core-b', 'core-a'], reasons: [{ code: 'never-built' }] }],
  });
  const { targets } = await tree.run({}, true);
  expect(await now('core-c', modelOf())).toEqual({
    target: 'core-c',
    action: 'hit',
    reasons: [],
    digest: targets[2]?.digest,
    causes: [],
  });
  expect(await now('core-c', modelOf({ a: { licence: 'MIT' } }))).toMatchObject({ action: 'hit' });
});

test('which file, which argument, from what to what, down the chain to the cause', async () => {
  tree.disk.write(modelOf(), { replace: 'rename', times: 'fixed' });
  await tree.run({}, true);
  const edited = modelOf({ a: { payload: 'x', version: '1.1' } });
  expect(await now('core-c', edited)).toMatchObject({
    action: 'waiting',
    causes: [{ target: 'core-a', chain: ['core-c', 'core-b', 'core-a'] }],
  });
  const { action, reasons } = await now('core-a', edited);
  expect(action).toBe('build');
  expect(reasons.map(({ text }) => text)).toContain('arg VERSION changed from 1.0 to 1.1');
  expect(reasons.find(({ code }) => code === 'file-changed')?.text).toMatch(
    /^file payload changed from 0644 .* to 0644 /,
  );
});

test('after the fact, for the last run and for any before', async () => {
  tree.disk.write(modelOf(), { replace: 'rename', times: 'fixed' });
  const first = await tree.run({}, true);
  tree.disk.write(modelOf({ a: { payload: 'x' } }), { replace: 'rename', times: 'fixed' });
  const second = await tree.run({}, true);
  await tree.run({ noCache: true, selection: ['core-c'] }, true);
  const session = await tree.open(true);
  expect(whyThen(session, 'core-b', second.run)).toMatchObject({
    run: second.run,
    // Its own payload lies over the one that changed.
    result: 'unchanged',
    reasons: [{ code: 'dependency-changed' }],
    changes: [{ key: 'dependency core-a' }],
  });
  expect(whyThen(session, 'core-b', first.run).reasons).toMatchObject([{ code: 'never-built' }]);
  expect(whyThen(session, 'core-c', undefined)).toMatchObject({
    result: 'unchanged',
    reasons: [{ code: 'same-inputs' }],
  });
  expect(() => whyThen(session, 'core-c', 'nonsense')).toThrow(/no run nonsense/);
});
