/** What a shard leaves for collect, and the durations kept for the next session: written, read, judged. */
import type { RunEvent } from '@stx-make/core/events';
import { digestOf } from '@stx-make/core/oci/digest';
import { expect, test } from 'vitest';
import { collect, historyTag } from './collect.ts';
import {
  addToHistory,
  expectedOf,
  readHistory,
  readResult,
  type ShardResult,
  writeHistory,
  writeResult,
} from './result.ts';
import { tagsOf } from './session.ts';

const counts = { targets: 2, hit: 1, built: 1, unchanged: 0, failed: 0, skipped: 0 };
const result = (shard: number): Omit<ShardResult, 'events'> => ({
  shard,
  count: 2,
  ok: true,
  interrupted: false,
  seconds: 1.5,
  counts,
  tookOver: [],
  problems: [],
});

function events(end: 'built' | 'hit' | 'failed', digest = digestOf('x')): string {
  const failure = {
    kind: 'build',
    step: null,
    exitCode: 1,
    file: null,
    line: null,
    cause: 'no',
    tail: [],
    logFile: null,
  };
  const last =
    end === 'failed'
      ? { at: 9, type: 'target-failed', target: 'core-a', duration: 5, failure, reasons: [] }
      : {
          at: 9,
          type: 'target-finished',
          target: 'core-a',
          result: end,
          digest,
          origin: 'built',
          duration: 5,
          size: 1,
          reasons: [],
        };
  const start = {
    at: 0,
    type: 'run-started',
    schema: 1,
    run: 'r',
    started: '2026-11-26T00:00:00.000Z',
    root: '/t',
    command: 'w',
    selection: [],
  };
  return [start, last].map((event) => JSON.stringify(event)).join('\n');
}

const key = { session: 's', count: 2, platform: 'linux/amd64' };

function shelf(...texts: (string | null)[]) {
  const tags = tagsOf(key);
  const kept = new Map(
    texts.flatMap((text, index) => (text === null ? [] : [[tags.result(index + 1), text] as const])),
  );
  const notes = {
    get: async (tag: string) => kept.get(tag) ?? null,
    put: async (tag: string, text: string) => void kept.set(tag, text),
  };
  return { kept, request: { notes, remote: 'r', key, mayWrite: true, signal: new AbortController().signal } };
}

test('a result comes back; a damaged one, another shard’s or none is none', () => {
  const text = writeResult(result(1), `${events('built')}\n{"at":1,"ty`);
  const read = readResult(text, 1);
  expect(read).toMatchObject(result(1));
  expect(read?.events.map(({ type }: RunEvent) => type)).toEqual(['run-started', 'target-finished']);
  expect(readResult(text, 2)).toBeNull();
  for (const bad of ['', '{}', text.slice(0, -4), text.replace(/"gzip":"..../, '"gzip":"AAAA')]) {
    expect(readResult(bad, 1)).toBeNull();
  }
});

test('all done: fine, and the durations are kept for the next session', async () => {
  const { kept, request } = shelf(
    writeResult(result(1), events('built')),
    writeResult(result(2), events('hit')),
  );
  const collected = await collect(request);
  expect(collected).toMatchObject({ ok: true, problems: [], twice: [] });
  expect(expectedOf(readHistory(kept.get(historyTag('linux/amd64')) ?? null))).toEqual(
    new Map([['core-a', 5]]),
  );
});

test.each([
  [
    'failed',
    [writeResult({ ...result(1), ok: false, counts: { ...counts, failed: 1 } }, events('failed')), null],
    ['shard-missing', 'target-failed'],
  ],
  [
    'differs',
    [writeResult(result(1), events('built')), writeResult(result(2), events('built', digestOf('y')))],
    ['shards-differ'],
  ],
  [
    'could not give',
    [
      writeResult({ ...result(1), ok: false, problems: ['registry down'] }, events('built')),
      writeResult(result(2), events('hit')),
    ],
    ['shard-failed'],
  ],
])('%s: not fine, and why', async (_, texts, codes) => {
  const collected = await collect(shelf(...texts).request);
  expect(collected.ok).toBe(false);
  expect(collected.problems.map(({ code }) => code).sort()).toEqual([...codes].sort());
});

test('a shard that was killed, its work done by the others: a warning', async () => {
  const collected = await collect(shelf(null, writeResult(result(2), events('built'))).request);
  expect(collected.ok).toBe(true);
  expect(collected.problems.map(({ code, level }) => [code, level])).toEqual([['shard-missing', 'warning']]);
});

test('nothing there at all is said', async () => {
  await expect(collect(shelf(null, null).request)).rejects.toMatchObject({
    problems: [{ code: 'no-shards', tag: 'environment' }],
  });
});

test('history keeps the last ten, newest first, and is nothing where it can not be read', () => {
  let history = readHistory(null);
  for (let run = 1; run <= 12; run += 1) history = addToHistory(history, [{ name: 'a', duration: run }]);
  expect(readHistory(writeHistory(history)).get('a')).toEqual([12, 11, 10, 9, 8, 7, 6, 5, 4, 3]);
  expect(readHistory('{"schema":2}').size).toBe(0);
  expect(readHistory('{"schema":1,"durations":{"a":["x"],"b":[1]}}')).toEqual(new Map([['b', [1]]]));
});
