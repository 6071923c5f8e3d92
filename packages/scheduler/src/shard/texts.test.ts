/** The texts shards leave for each other: what is written is read; everything else is nobody's word. */
import { expect, test } from 'vitest';
import type { ShardStatus } from './model.ts';
import { sharePlan } from './plan.ts';
import { sessionOfCi, tagsOf } from './session.ts';
import { readPlan, readStatus, writePlan, writeStatus } from './text.ts';

const status: ShardStatus = {
  shard: 2,
  count: 3,
  process: 'p',
  beat: 4,
  ended: false,
  open: ['core-a'],
  failed: new Map([
    [
      'core-b',
      { kind: 'build', step: 'RUN x', exitCode: 2, file: 'core/b/Containerfile', line: 3, cause: 'no' },
    ],
  ]),
};

test('a status comes back as it was', () => {
  expect(readStatus(writeStatus(status), 2)).toEqual(status);
  expect(readStatus(writeStatus({ ...status, failed: new Map() }), 2)?.failed.size).toBe(0);
});

test.each([
  ['another shard’s', (text: string) => text.replace('"shard":2', '"shard":3')],
  ['another version’s', (text: string) => text.replace('"schema":1', '"schema":2')],
  ['cut off', (text: string) => text.slice(0, -5)],
  ['no object', () => '[]'],
  ['empty', () => ''],
  ['a beat that is no number', (text: string) => text.replace('"beat":4', '"beat":"4"')],
  ['open that is no list', (text: string) => text.replace('["core-a"]', '"core-a"')],
  ['a failure of a kind that does not exist', (text: string) => text.replace('"kind":"build"', '"kind":"x"')],
  ['a failure without a cause', (text: string) => text.replace('"cause":"no"', '"cause":1')],
])('%s is none', (_, change) => {
  const text = change(writeStatus(status));
  expect(text).not.toBe(writeStatus(status));
  expect(readStatus(text, 2)).toBeNull();
});

test('a plan is for its number of shards', () => {
  const plan = {
    count: 2,
    tree: 't',
    engine: 'e',
    shardOf: new Map([
      ['b', 2],
      ['a', 1],
    ]),
  };
  expect(readPlan(writePlan(plan), 2)).toEqual(plan);
  expect(readPlan(writePlan(plan), 3)).toBeNull();
  expect(readPlan(writePlan(plan).replace('"a":1', '"a":3'), 2)).toBeNull();
  expect(readPlan(writePlan(plan).replace('"a":1', '"a":0'), 2)).toBeNull();
});

test('the first one’s plan is everybody’s', async () => {
  const shelf = new Map<string, string>();
  const notes = {
    get: async (tag: string) => shelf.get(tag) ?? null,
    put: async (tag: string, text: string) => void shelf.set(tag, text),
  };
  const signal = new AbortController().signal;
  const share = (shard: number) =>
    sharePlan({
      notes,
      tag: 't',
      count: 2,
      tree: 't',
      engine: 'e',
      make: async () => new Map([['a', shard]]),
      signal,
      pause: async () => {},
    });
  expect(await share(1)).toEqual({
    count: 2,
    tree: 't',
    engine: 'e',
    shardOf: new Map([['a', 1]]),
    shared: true,
  });
  expect(await share(2)).toEqual({
    count: 2,
    tree: 't',
    engine: 'e',
    shardOf: new Map([['a', 1]]),
    shared: true,
  });
});

test.each([
  ['another tree', { tree: 'x' }, 'other-tree'],
  ['another engine', { engine: 'x' }, 'other-engine'],
])('%s than the others’ is said at once', async (_, other, code) => {
  const text = writePlan({ count: 2, tree: 't', engine: 'e', shardOf: new Map() });
  const notes = { get: async () => text, put: async () => {} };
  const pause = async () => {};
  const signal = new AbortController().signal;
  const request = {
    notes,
    tag: 't',
    count: 2,
    tree: 't',
    engine: 'e',
    make: async () => new Map(),
    signal,
    pause,
  };
  await expect(sharePlan({ ...request, ...other })).rejects.toMatchObject({ problems: [{ code }] });
});

test('of several that make a plan at once, all take the last one written', async () => {
  let kept: string | null = null;
  let now = 0;
  const sleepers: { readonly at: number; readonly wake: () => void }[] = [];
  const sleep = (ms: number) => new Promise<void>((wake) => void sleepers.push({ at: now + ms, wake }));
  const plans = [0, 300, 700].map((late, index) =>
    sharePlan({
      notes: {
        get: async () => kept,
        put: async (_, text) => {
          // All looked before any had written.
          await sleep(late);
          kept = text;
        },
      },
      ...{ tag: 't', count: 3, tree: 't', engine: 'e' },
      make: async () => new Map([['a', index + 1]]),
      signal: new AbortController().signal,
      pause: sleep,
    }),
  );
  const all = Promise.all(plans);
  for (let turn = 0; turn < 50; turn += 1) {
    for (let tick = 0; tick < 20; tick += 1) await Promise.resolve();
    sleepers.sort((a, b) => a.at - b.at);
    const next = sleepers.shift();
    if (next === undefined) continue;
    now = next.at;
    next.wake();
  }
  for (const plan of await all) expect([plan.shardOf.get('a'), plan.shared]).toEqual([3, true]);
});

test('tags are tags, and of one session alone', () => {
  const key = { session: 'org/repo nightly 12 1 / ü', count: 4, platform: 'linux/amd64' };
  const tags = tagsOf(key);
  for (const tag of [tags.plan, tags.status(3), tags.result(256)]) {
    expect(tag).toMatch(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/);
  }
  expect(tagsOf({ ...key })).toMatchObject({ plan: tags.plan });
  for (const other of [{ session: 'x' }, { count: 5 }, { platform: 'linux/arm64' }]) {
    expect(tagsOf({ ...key, ...other }).plan).not.toBe(tags.plan);
  }
});

test('a session is what the CI system calls its run, its attempt included', () => {
  const github = {
    GITHUB_REPOSITORY: 'o/r',
    GITHUB_WORKFLOW: 'w',
    GITHUB_RUN_ID: '7',
    GITHUB_RUN_ATTEMPT: '2',
  };
  expect(sessionOfCi(github)).toBe('o/r w 7 2');
  expect(sessionOfCi({ ...github, GITHUB_RUN_ATTEMPT: '' })).toBeNull();
  expect(sessionOfCi({ CI_PROJECT_PATH: 'o/r', CI_PIPELINE_ID: '9' })).toBe('o/r 9');
  expect(sessionOfCi({})).toBeNull();
});
