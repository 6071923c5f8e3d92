/** Several shards' events as one run: who counts for what, lanes, times, counts, work done twice. */
import type { RunEvent } from '@stx-make/core/events';
import { expect, test } from 'vitest';
import { mergeRuns } from './merge.ts';

const D1 = `sha256:${'1'.repeat(64)}`;
const D2 = `sha256:${'2'.repeat(64)}`;
const plan = (name: string, action: 'build' | 'hit' | 'waiting') => ({
  name,
  stage: 'core',
  action,
  reasons: [],
  dependencies: [],
  expected: null,
});

function started(second: number): RunEvent {
  return {
    at: 0,
    type: 'run-started',
    schema: 1,
    run: `r${second}`,
    started: `2026-11-26T00:00:0${second}.000Z`,
    root: '/tree',
    command: 'world',
    selection: [],
  };
}
const workers = (id: string): RunEvent => ({
  at: 1,
  type: 'workers',
  notes: ['a note'],
  workers: [{ id, name: 'managed', address: 'unix:///x', platforms: [], jobs: 2, version: 'v' }],
});
const begun = (at: number, target: string, worker: string): RunEvent => ({
  at,
  type: 'target-started',
  target,
  worker,
  attempt: 1,
  reasons: [],
  logFile: '/log',
});
const ended = (at: number, target: string, result: 'hit' | 'built' | 'unchanged', digest = D1): RunEvent => ({
  at,
  type: 'target-finished',
  target,
  result,
  digest,
  origin: 'built',
  duration: 5,
  size: 1,
  reasons: [],
});
const skipped = (at: number, target: string): RunEvent => ({
  at,
  type: 'target-skipped',
  target,
  because: [],
  text: 'x',
});

const one: RunEvent[] = [
  started(0),
  { at: 1, type: 'plan', targets: [plan('a', 'build'), plan('b', 'waiting'), plan('c', 'hit')] },
  workers('w'),
  begun(10, 'a', 'w'),
  ended(20, 'a', 'built'),
  ended(1_900, 'b', 'hit'),
  ended(1_901, 'c', 'hit'),
];
const two: RunEvent[] = [
  started(1),
  { at: 1, type: 'plan', targets: [plan('a', 'hit'), plan('b', 'build'), plan('c', 'build')] },
  workers('w'),
  { at: 5, type: 'activity', id: 'workers', text: 'connected', done: true },
  ended(100, 'a', 'hit'),
  begun(200, 'b', 'w'),
  ended(300, 'b', 'unchanged'),
  skipped(400, 'c'),
];

test('each target once, with its builder’s times and lane', () => {
  const { events, targets, counts } = mergeRuns(
    [
      { shard: 2, events: two },
      { shard: 1, events: one },
    ],
    'night',
    2,
  );
  expect(targets.map(({ name, result, shard, builtBy }) => ({ name, result, shard, builtBy }))).toEqual([
    { name: 'a', result: 'built', shard: 1, builtBy: [1] },
    { name: 'b', result: 'unchanged', shard: 2, builtBy: [2] },
    { name: 'c', result: 'hit', shard: 1, builtBy: [] },
  ]);
  expect(counts).toEqual({ targets: 3, hit: 1, built: 1, unchanged: 1, failed: 0, skipped: 0 });
  const lanes = events.flatMap((event) =>
    event.type === 'target-started' ? [`${event.at} ${event.target} ${event.worker}`] : [],
  );
  expect(lanes).toEqual(['10 a 1/w', '1200 b 2/w']);
  expect(events.map(({ type }) => type).slice(0, 3)).toEqual(['run-started', 'plan', 'workers']);
  expect(events.at(-1)).toMatchObject({ type: 'run-finished', ok: true, duration: 1_901, counts });
  expect(events.map(({ at }) => at)).toEqual(events.map(({ at }) => at).sort((a, b) => a - b));
  expect(events[1]).toMatchObject({
    targets: [
      { name: 'a', action: 'build' },
      { name: 'b', action: 'waiting' },
      { name: 'c', action: 'build' },
    ],
  });
  expect(events[2]).toMatchObject({
    workers: [
      { id: '1/w', name: 'shard 1/2 managed' },
      { id: '2/w', name: 'shard 2/2 managed' },
    ],
    notes: ['shard 1: a note', 'shard 2: a note'],
  });
});

test('work done twice is told, and whether it gave the same', () => {
  const again: RunEvent[] = [started(1), begun(1, 'a', 'w'), ended(2, 'a', 'built')];
  const same = mergeRuns(
    [
      { shard: 1, events: one },
      { shard: 2, events: again },
    ],
    'n',
    2,
  ).targets[0];
  expect(same).toMatchObject({ builtBy: [1, 2], differs: false });
  const other: RunEvent[] = [started(1), begun(1, 'a', 'w'), ended(2, 'a', 'built', D2)];
  const differs = mergeRuns(
    [
      { shard: 1, events: one },
      { shard: 2, events: other },
    ],
    'n',
    2,
  ).targets[0];
  expect(differs).toMatchObject({ builtBy: [1, 2], differs: true, digest: D1 });
});

test('a shard that was killed counts with what it got done', () => {
  const killed = two.slice(0, 6);
  const { targets, events } = mergeRuns(
    [
      { shard: 1, events: one },
      { shard: 2, events: killed },
    ],
    'n',
    2,
  );
  expect(targets.find(({ name }) => name === 'b')).toMatchObject({ result: 'hit', shard: 1 });
  expect(events.some((event) => event.type === 'target-started' && event.target === 'b')).toBe(false);
});
