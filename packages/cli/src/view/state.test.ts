/** The fold: counts always add up, whatever comes. */
import type { RunEvent } from '@stx-make/core/events';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { madeRun } from '../testing/events.ts';
import { doneCount, emptyTally, emptyView, type RunView, TARGET_STATES, waitsFor } from './model.ts';
import { fold } from './state.ts';

/** What must hold after every event. */
function check(view: RunView): void {
  const counted = emptyTally();
  for (const target of view.targets.values()) counted[target.state]++;
  expect(view.tally).toEqual(counted);
  const lanes = emptyTally();
  for (const lane of view.lanes.values()) for (const state of TARGET_STATES) lanes[state] += lane[state];
  expect(lanes).toEqual(counted);
  expect(view.running.size).toBe(counted.running);
  for (const name of view.running) expect(view.targets.get(name)?.state).toBe('running');
}

test('a whole run ends with the counts of run-finished', () => {
  const view = emptyView();
  for (const event of madeRun({ targets: 60, jobs: 4, failing: [20, 33], hitEvery: 9 })) {
    fold(view, event);
    check(view);
  }
  const { hit, built, unchanged, failed, skipped } = view.tally;
  expect({ targets: view.targets.size, hit, built, unchanged, failed, skipped }).toEqual(view.end?.counts);
  expect(view.failures).toHaveLength(view.tally.failed);
  expect(doneCount(view.tally)).toBe(60);
  expect(view.verdicts).toHaveLength(built + unchanged + failed);
});

test('counts add up for any order of events, repeated and lost ones too', () => {
  const events = madeRun({ targets: 15, jobs: 3, failing: [4], hitEvery: 6 });
  fc.assert(
    fc.property(fc.array(fc.nat(events.length - 1), { maxLength: 120 }), (picks) => {
      const view = emptyView();
      for (const event of events.slice(0, 3)) fold(view, event);
      for (const pick of picks) fold(view, events[pick] as RunEvent);
      check(view);
    }),
    { numRuns: 200 },
  );
});

test('a retry goes back to ready and keeps its attempt; a second plan keeps what is done', () => {
  const view = emptyView();
  const events = madeRun({ targets: 3, jobs: 1 });
  const plan = events.find(({ type }) => type === 'plan');
  const finished = events.findIndex(({ type }) => type === 'target-finished');
  for (const event of events.slice(0, finished)) fold(view, event);
  const target = 'bootstrap-target-0';
  fold(view, { at: 9000, type: 'target-retry', target, attempt: 2, text: 'EOF' });
  expect(view.targets.get(target)).toMatchObject({ state: 'ready', attempt: 2, steps: [] });
  for (const event of events.slice(finished, finished + 1)) fold(view, event);
  if (plan !== undefined) fold(view, plan);
  check(view);
  expect(view.targets.get(target)?.state).toBe('built');
});

test('what a target waits for', () => {
  const view = emptyView();
  for (const event of madeRun({ targets: 3, jobs: 1 }).slice(0, 4)) fold(view, event);
  expect(waitsFor(view, 'core-target-1')).toEqual(['bootstrap-target-0']);
  expect(waitsFor(view, 'bootstrap-target-0')).toEqual([]);
  expect(waitsFor(view, 'nothing')).toEqual([]);
});

test('a step sent again is one step', () => {
  const view = emptyView();
  for (const event of madeRun({ targets: 1, jobs: 1 }).slice(0, 5)) fold(view, event);
  const step = {
    at: 40,
    type: 'step-started',
    target: 'bootstrap-target-0',
    step: 's',
    name: 'RUN x',
  } as const;
  fold(view, step);
  fold(view, step);
  expect(view.targets.get('bootstrap-target-0')?.steps.filter(({ id }) => id === 's')).toHaveLength(1);
});
