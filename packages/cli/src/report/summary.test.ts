/** The last line of a run whose time was up: told apart from a failed one, and what is left. */
import type { RunCounts, RunEvent, TargetPlan } from '@stx-make/core/events';
import { expect, test } from 'vitest';
import { paintFor } from '../text/paint.ts';
import { emptyView } from '../view/model.ts';
import { fold } from '../view/state.ts';
import { summaryMarkdown } from './ci.ts';
import { summaryLines } from './summary.ts';

const plan = (name: string, expected: number | null): TargetPlan => ({
  name,
  stage: 'core',
  action: 'build',
  reasons: [],
  dependencies: [],
  expected,
});

function viewOf(expected: readonly (number | null)[], failed: number) {
  const counts: RunCounts = {
    targets: expected.length,
    hit: 0,
    built: 0,
    unchanged: 0,
    failed,
    skipped: expected.length,
  };
  const events: RunEvent[] = [
    { at: 1, type: 'plan', targets: expected.map((ms, index) => plan(`core-t${index}`, ms)) },
    ...expected.map(
      (_, index): RunEvent => ({
        at: 2,
        type: 'target-skipped',
        target: `core-t${index}`,
        because: index === 0 && failed > 0 ? ['core-x'] : [],
        text: 'x',
      }),
    ),
    {
      at: 3_600_000,
      type: 'run-finished',
      ok: false,
      duration: 3_600_000,
      counts,
      interrupted: false,
      stopped: 'time',
    },
  ];
  const view = emptyView();
  for (const event of events) fold(view, event);
  return view;
}

const last = (expected: readonly (number | null)[], failed = 0) =>
  summaryLines(viewOf(expected, failed), paintFor(false)).at(-1);

test('time that was up is no failure, and says how much is left', () => {
  expect(last([60_000, 120_000])).toBe(
    'time is up: 2 targets: 0 built, 0 up to date, 2 skipped (1h00m); the next run goes on with what is left: 2 targets, about 3m00s of builds',
  );
  expect(last([60_000, null])).toContain('what is left: 2 targets, more than 1m00s of builds');
  expect(last([null])).toMatch(/with what is left: 1 target$/);
  expect(summaryMarkdown(viewOf([1], 0))).toContain('its time was up');
});

test('a failure before that is what it is called by; what was skipped because of it is not left for the next run', () => {
  expect(last([60_000, 120_000], 1)).toMatch(
    /^failed: .*; the next run goes on with what is left: 1 target, about 2m00s of builds$/,
  );
  expect(summaryMarkdown(viewOf([1], 1))).toContain('failed in');
});
