/** How long it will still take. */
import type { TargetPlan } from '@stx-make/core/events';
import { expect, test } from 'vitest';
import { madeRun } from '../testing/events.ts';
import { estimate } from './estimate.ts';
import { emptyView, type RunView } from './model.ts';
import { fold } from './state.ts';

const plan = (
  name: string,
  dependencies: string[],
  expected: number | null,
  action: TargetPlan['action'] = 'build',
): TargetPlan => ({
  name,
  stage: name.split('-')[0] ?? '',
  action,
  reasons: [],
  dependencies,
  expected,
});

function planned(targets: readonly TargetPlan[], jobs = 2): RunView {
  const view = emptyView();
  fold(view, { at: 0, type: 'plan', targets });
  const worker = { id: 'w', name: 'w', address: '', platforms: [], jobs, version: '' };
  fold(view, { at: 0, type: 'workers', workers: [worker], notes: [] });
  return view;
}

test('the longest chain, or everything over the places there are, whichever is more', () => {
  const chain = planned([
    plan('core-a', [], 1000),
    plan('core-b', ['core-a'], 2000),
    plan('core-c', [], 500),
  ]);
  expect(estimate(chain, 0)).toMatchObject({ low: 3000, high: 3000, path: ['core-a', 'core-b'], guessed: 0 });
  const wide = planned(['core-a', 'core-b', 'core-c', 'core-d'].map((name) => plan(name, [], 1000)));
  expect(estimate(wide, 0)).toMatchObject({ low: 2000, high: 2000 });
});

test('what may turn out to be a hit counts in the upper bound alone', () => {
  const view = planned([plan('core-a', [], 1000), plan('core-b', ['core-a'], 5000, 'waiting')]);
  expect(estimate(view, 0)).toMatchObject({ low: 1000, high: 6000 });
});

test('what was never built can not be a hit: it counts in the lower bound, too', () => {
  const view = planned([plan('core-a', [], 1000), plan('core-b', ['core-a'], null, 'waiting')]);
  expect(estimate(view, 0)).toMatchObject({ low: 2000, high: 3000 });
});

test('never built: guessed by its stage, twice that at most; nothing known at all: no estimate', () => {
  const view = planned(
    [plan('core-a', [], 1000), plan('user-b', [], 9000), plan('core-c', ['core-a'], null)],
    9,
  );
  expect(estimate(view, 0)).toMatchObject({ low: 9000, high: 9000, guessed: 1 });
  const chain = planned([plan('core-a', [], 1000), plan('core-c', ['core-a'], null)], 9);
  expect(estimate(chain, 0)).toMatchObject({ low: 2000, high: 3000 });
  expect(estimate(planned([plan('core-a', [], null)]), 0)).toBeNull();
  expect(estimate(emptyView(), 0)).toBeNull();
});

test('what runs needs the rest of its time; what is late, a tenth more of what it has taken', () => {
  const view = planned([plan('core-a', [], 1000)]);
  fold(view, {
    at: 0,
    type: 'target-started',
    target: 'core-a',
    worker: 'w',
    attempt: 1,
    reasons: [],
    logFile: '',
  });
  expect(estimate(view, 400)?.low).toBe(600);
  expect(estimate(view, 5000)?.low).toBe(500);
});

test('it goes down to nothing, and a chain of ten thousand is no problem', () => {
  const view = emptyView();
  for (const event of madeRun({ targets: 80, jobs: 4, failing: [30] })) fold(view, event);
  expect(estimate(view, view.at)).toBeNull();
  const long = planned(
    Array.from({ length: 10_000 }, (_, i) =>
      plan(`core-${i}`, i === 0 ? [] : [`core-${i - 1}`], 10),
    ).reverse(),
  );
  expect(estimate(long, 0)).toMatchObject({ low: 100_000 });
});
