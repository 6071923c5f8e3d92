/** A run's events as the data of a page. */
import type { RunEvent } from '@stx-make/core/events';
import { expect, test } from 'vitest';
import { madeRun } from '../testing/events.ts';
import type { PageRun, PageTarget } from './model.ts';
import { type Beside, RunPage } from './run.ts';

const nothing: Beside = { past: () => [], log: () => null };

function pageOf(
  events: readonly RunEvent[],
  beside: Beside = nothing,
): { targets: readonly PageTarget[]; run: PageRun } {
  const page = new RunPage();
  for (const event of events) page.take(event);
  return page.finish(beside);
}

const run = madeRun({ targets: 80, jobs: 3, failing: [20, 41], hitEvery: 7 });

test('counts, bars and failures are those of the run', () => {
  const { targets, run: page } = pageOf(run, {
    past: (target) => [target.length],
    log: (path) => ({ text: `log of ${path}`, omitted: 7 }),
  });
  const end = run.at(-1);
  expect(end?.type === 'run-finished' && end.counts).toEqual(page.counts);
  expect(page).toMatchObject({ end: 'failed', command: 'stx-make world', id: '20261123-120000-1' });
  const { built, unchanged, failed } = page.counts;
  expect(page.bars).toHaveLength(built + unchanged + failed);
  expect(page.bars.filter(({ result }) => result === 'failed')).toHaveLength(2);
  expect(page.failures.map(({ log, omitted }) => [log.startsWith('log of /state/'), omitted])).toEqual([
    [true, 7],
    [true, 7],
  ]);
  for (const { name, outcome } of targets) {
    const ran = ['built', 'unchanged', 'failed'].includes(outcome?.state ?? '');
    expect(outcome?.past).toEqual(ran ? [name.length] : []);
  }
});

test('no two bars of a lane overlap, and there are no more lanes than places', () => {
  const { run: page } = pageOf(run);
  expect(page.workers).toMatchObject([{ name: 'managed', lanes: 3 }]);
  for (const a of page.bars) {
    for (const b of page.bars) {
      if (a === b || a.lane !== b.lane || a.worker !== b.worker) continue;
      expect(a.end <= b.start || b.end <= a.start).toBe(true);
    }
  }
});

test('the critical path is a chain of what was built, no longer than the run', () => {
  const { targets, run: page } = pageOf(run);
  // What came out as a hit took no time and is not in it, but what needs it had to wait for what it needs.
  const reached = (target: number): number[] =>
    (targets[target]?.dependencies ?? []).flatMap((needed) =>
      targets[needed]?.outcome?.state === 'hit' ? [needed, ...reached(needed)] : [needed],
    );
  expect(page.critical.length).toBeGreaterThan(2);
  for (const [i, { target }] of page.critical.entries()) {
    const before = page.critical[i - 1];
    if (before !== undefined) expect(reached(target)).toContain(before.target);
  }
  const sum = page.critical.reduce((all, { duration }) => all + duration, 0);
  expect(sum).toBeGreaterThan(0);
  const waits = page.critical.reduce((all, { wait }) => all + wait, 0);
  expect(sum + waits).toBeLessThanOrEqual(page.duration);
});

test('hits the plan knew are saved by records, hits it did not know by the cutoff', () => {
  const { targets, run: page } = pageOf([
    started,
    {
      at: 1,
      type: 'plan',
      targets: [
        planned('core-a', 'build', 10, []),
        planned('core-b', 'waiting', 200, ['core-a']),
        planned('core-c', 'hit', 3000, []),
        planned('core-d', 'hit', null, []),
      ],
    },
    begun('core-a', 2),
    finished('core-a', 'unchanged', 12),
    finished('core-b', 'hit', 12),
    finished('core-c', 'hit', 12),
    finished('core-d', 'hit', 12),
  ]);
  const names = (places: readonly number[]) => places.map((place) => targets[place]?.name);
  expect(names(page.savings.cutoff.targets)).toEqual(['core-b']);
  expect(page.savings.cutoff).toMatchObject({ duration: 200, unknown: 0 });
  expect(names(page.savings.cache.targets)).toEqual(['core-c', 'core-d']);
  expect(page.savings.cache).toMatchObject({ duration: 3000, unknown: 1 });
});

test('a run that was cut off, a retry on another worker, an event of a later version', () => {
  const { run: page } = pageOf([
    started,
    {
      at: 1,
      type: 'plan',
      targets: [planned('core-a', 'build', null, []), planned('core-b', 'build', null, [])],
    },
    begun('core-a', 2, 'one'),
    begun('core-b', 3, 'one'),
    { at: 9, type: 'target-retry', target: 'core-a', attempt: 2, text: 'connection lost' },
    begun('core-a', 10, 'two'),
    { at: 30, type: 'target-ready', target: 'core-a' },
  ]);
  expect(page.end).toBe('cut-off');
  expect(page.duration).toBe(30);
  expect(page.bars.map(({ worker, lane, start, end, result }) => [worker, lane, start, end, result])).toEqual(
    [
      [0, 0, 2, 9, 'retried'],
      [0, 1, 3, 30, 'unfinished'],
      [1, 0, 10, 30, 'unfinished'],
    ],
  );
});

test('escape sequences and overrides in names, logs and texts do not reach the page', () => {
  const noise = '\u001b]0;title\u0007\u202e\u001b[2J';
  const text = JSON.stringify(pageOf(madeRun({ targets: 20, jobs: 2, failing: [5], noise })));
  expect(text).not.toMatch(/\\u001b|\\u0007|\u202e/);
});

const started: RunEvent = {
  at: 0,
  type: 'run-started',
  schema: 1,
  run: 'r',
  started: '2026-11-23T12:00:00.000Z',
  root: '/t',
  command: 'stx-make world',
  selection: [],
};

function planned(
  name: string,
  action: 'build' | 'hit' | 'waiting',
  expected: number | null,
  dependencies: string[],
) {
  return { name, stage: 'core', action, reasons: [], dependencies, expected };
}

function begun(target: string, at: number, worker = 'w'): RunEvent {
  return { at, type: 'target-started', target, worker, attempt: 1, reasons: [], logFile: '/l' };
}

function finished(target: string, result: 'hit' | 'unchanged', at: number): RunEvent {
  return {
    at,
    type: 'target-finished',
    target,
    result,
    digest: 'sha256:00',
    origin: 'built',
    duration: 0,
    size: 1,
    reasons: [],
  };
}
