/** A session judged as a whole: done, failed, out of time. */
import type { RunEvent } from '@stx-make/core/events';
import { expect, test } from 'vitest';
import { collect } from './collect.ts';
import { type ShardResult, writeResult } from './result.ts';
import { tagsOf } from './session.ts';

const key = { session: 'night', count: 2, platform: 'linux/amd64' };
const digest = `sha256:${'1'.repeat(64)}`;

type End = 'built' | 'failed' | 'left';

/** What a shard leaves that did so with its targets. */
function left(shard: number, targets: Readonly<Record<string, End>>, stopped: 'time' | null): string {
  const names = Object.keys(targets);
  const of = (end: End): number => names.filter((name) => targets[name] === end).length;
  const counts = {
    targets: names.length,
    hit: 0,
    built: of('built'),
    unchanged: 0,
    failed: of('failed'),
    skipped: of('left'),
  };
  const ok = counts.built === names.length;
  const events: RunEvent[] = [
    {
      at: 0,
      type: 'run-started',
      schema: 1,
      run: `r${shard}`,
      started: '2026-11-26T00:00:00.000Z',
      root: '/t',
      command: 'world',
      selection: [],
    },
    {
      at: 1,
      type: 'plan',
      targets: names.map((name) => ({
        name,
        stage: 'core',
        action: 'build',
        reasons: [],
        dependencies: [],
        expected: null,
      })),
    },
    ...names.map((target): RunEvent => {
      switch (targets[target]) {
        case 'built':
          return {
            at: 9,
            type: 'target-finished',
            target,
            result: 'built',
            digest,
            origin: 'built',
            duration: 5,
            size: 1,
            reasons: [],
          };
        case 'failed':
          return {
            at: 9,
            type: 'target-failed',
            target,
            duration: 5,
            reasons: [],
            failure: {
              kind: 'build',
              step: null,
              exitCode: 1,
              file: null,
              line: null,
              cause: 'no',
              tail: [],
              logFile: null,
            },
          };
        default:
          return { at: 9, type: 'target-skipped', target, because: [], text: 'not started' };
      }
    }),
    { at: 10, type: 'run-finished', ok, duration: 10, counts, interrupted: false, stopped },
  ];
  const result: Omit<ShardResult, 'events'> = {
    shard,
    count: 2,
    ok,
    interrupted: false,
    stopped,
    seconds: 1,
    counts,
    tookOver: [],
    problems: [],
  };
  return writeResult(result, events.map((event) => `${JSON.stringify(event)}\n`).join(''));
}

function collected(one: string, two: string) {
  const tags = tagsOf(key);
  const shelf = new Map([
    [tags.result(1), one],
    [tags.result(2), two],
  ]);
  const notes = { get: async (tag: string) => shelf.get(tag) ?? null, put: async () => {} };
  const { signal } = new AbortController();
  return collect({ notes, remote: 'r', key, mayWrite: false, signal });
}

test('everything is done: ok, whoever did it', async () => {
  const all = { a: 'built', b: 'built' } as const;
  expect(await collected(left(1, all, null), left(2, all, null))).toMatchObject({
    ok: true,
    stopped: null,
    problems: [],
  });
});

test('only the clock was in the way: one warning instead of a failure for each target that is left', async () => {
  const told = await collected(
    left(1, { a: 'built', b: 'left', c: 'left' }, 'time'),
    left(2, { a: 'built', b: 'left', c: 'left' }, 'time'),
  );
  expect(told).toMatchObject({ ok: false, stopped: 'time' });
  expect(told.problems.map(({ code, level, text }) => `${code} ${level} ${text}`)).toEqual([
    'time-up warning 2 targets are left: the time of shards 1, 2 was up.',
  ]);
  expect(told.run.events.at(-1)).toMatchObject({ type: 'run-finished', ok: false, stopped: 'time' });
});

test('a failure counts more than the clock, and what one shard left another one may have done', async () => {
  const failed = await collected(
    left(1, { a: 'failed', b: 'left' }, 'time'),
    left(2, { a: 'left', b: 'left' }, null),
  );
  expect(failed).toMatchObject({ ok: false, stopped: null });
  expect(failed.problems.map(({ code }) => code)).toEqual(['target-failed', 'target-skipped']);
  const done = await collected(
    left(1, { a: 'built', b: 'left' }, 'time'),
    left(2, { a: 'left', b: 'built' }, null),
  );
  expect(done.stopped).toBeNull();
  expect(done.run.counts).toMatchObject({ built: 2, skipped: 0 });
});
