/** Plain and quiet output: which lines, in which order, with nothing of a build's own escape sequences. */
import type { RunEvent } from '@stx-make/core/events';
import { expect, test } from 'vitest';
import { madeRun } from '../testing/events.ts';
import { paintFor } from '../text/paint.ts';
import { emptyView } from '../view/model.ts';
import { fold } from '../view/state.ts';
import { suspicion } from '../view/suspicion.ts';
import { HEARTBEAT_MS, linesOf, plainReporter } from './plain.ts';

const plain = paintFor(false);

/** Feeds events at their own times; the clock stands at each event's time. */
function play(events: readonly RunEvent[], quiet = false): string {
  let text = '';
  let now = 0;
  const reporter = plainReporter({
    write: (piece) => {
      text += piece;
    },
    paint: plain,
    clock: () => now,
    quiet,
    ci: null,
    every: () => () => {},
  });
  for (const event of events) {
    now = event.at;
    reporter.sink(event);
  }
  void reporter.close();
  return text;
}

test('a run: start, plan, worker, a line when a build begins and one when it ends, the counts last', () => {
  const lines = linesOf(madeRun({ targets: 4, jobs: 2 }), plain);
  expect(lines[0]).toBe('stx-make world: /tree (run 20261123-120000-1)');
  expect(lines[1]).toBe('plan: 4 targets: 1 to build, 3 may follow, 0 up to date');
  expect(lines[2]).toBe('worker managed: BuildKit v0.32.2, 2 jobs, linux/amd64 linux/386');
  expect(lines[3]).toBe('[0/4] bootstrap-target-0 started: never built here');
  expect(lines[4]).toMatch(/^\[1\/4\] bootstrap-target-0 built \d+\.\d+ s {2}sha256:[0-9a-f]{12} {2}1000 B$/);
  expect(lines.at(-1)).toMatch(/^done: 4 targets: 3 built, 1 unchanged, 0 up to date \(/);
  expect(lines).toHaveLength(3 + 8 + 1);
});

test('hits the plan knew say nothing; nothing to do is one line', () => {
  const lines = linesOf(madeRun({ targets: 5, jobs: 2, hitEvery: 1 }), plain);
  expect(lines.at(-1)).toMatch(/^up to date: 5 targets, nothing built \(/);
  expect(lines.some((line) => line.includes('target-3'))).toBe(false);
  const events = madeRun({ targets: 5, jobs: 2, hitEvery: 1 }).filter(({ type }) => type !== 'workers');
  expect(linesOf(events, plain).at(-1)).toContain('nothing built, no daemon contacted (');
});

test('a failure is a block where it happens and again before the counts', () => {
  const lines = linesOf(madeRun({ targets: 8, jobs: 2, failing: [2] }), plain);
  const block = [
    '  step:  [build 2/3] RUN make',
    '  exit code: 2',
    '  at:    packages/core/x/Containerfile:12',
    '  cause: make: *** [all] Error 2',
    '  | cc -c a.c',
    '  | a.c:3: error: expected ;',
    '  | make: *** [all] Error 2',
    '  log:   /state/logs/run/core-target-2.log',
  ].map((line) => line.trimEnd());
  const text = lines.map((line) => line.trimEnd()).join('\n');
  expect(text.split(block.join('\n'))).toHaveLength(3);
  expect(text.slice(text.lastIndexOf(block.join('\n')))).toMatch(
    /\nskipped because of it: .*\nfailed: 8 targets: .* 1 failed, \d+ skipped/,
  );
});

test('quiet: failures and one summary line', () => {
  expect(play(madeRun({ targets: 6, jobs: 2 }), true)).toMatch(/^done: 6 targets: [^\n]*\n$/);
  const failed = play(madeRun({ targets: 6, jobs: 2, failing: [1] }), true);
  expect(failed).toMatch(/^core-target-1 failed after/);
  expect(failed).not.toContain('started');
});

test('nothing of a build reaches the terminal but text', () => {
  const noise = '\u001b]0;owned\u0007\u001b[2J\u009b1m\rX\u202e';
  for (const quiet of [false, true]) {
    const text = play(madeRun({ targets: 12, jobs: 3, failing: [5], noise }), quiet);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they must not be there
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(text).not.toContain('owned');
  }
});

test('a heartbeat after 30 s of silence says what runs, and only then', () => {
  let now = 0;
  let text = '';
  let tick = (): void => {};
  const reporter = plainReporter({
    write: (piece) => {
      text += piece;
    },
    paint: plain,
    clock: () => now,
    quiet: false,
    ci: null,
    every: (_ms, callback) => {
      tick = callback;
      return () => {};
    },
  });
  const events = madeRun({ targets: 3, jobs: 1 });
  const started = events.findIndex(({ type }) => type === 'step-started');
  for (const event of events.slice(0, started + 1)) {
    now = event.at;
    reporter.sink(event);
  }
  text = '';
  now += HEARTBEAT_MS - 1;
  tick();
  expect(text).toBe('');
  now += 1;
  tick();
  expect(text).toBe('[0/3] 30s: building bootstrap-target-0 (30s, [build 1/4] RUN make  step 0)\n');
  now += 5000;
  tick();
  expect(text.split('\n')).toHaveLength(2);
});

test('a build that takes three times its usual time is called slow, once', () => {
  let now = 0;
  let text = '';
  let tick = (): void => {};
  const reporter = plainReporter({
    write: (piece) => {
      text += piece;
    },
    paint: plain,
    clock: () => now,
    quiet: false,
    ci: null,
    every: (_ms, callback) => {
      tick = callback;
      return () => {};
    },
  });
  const [started, plan, workers] = madeRun({ targets: 1, jobs: 1 });
  const target = 'bootstrap-target-0';
  if (started === undefined || plan?.type !== 'plan' || workers === undefined) throw new Error('no plan');
  const expected = 400_000;
  const targets = plan.targets.map((each) => ({ ...each, expected }));
  const begin = {
    at: 30,
    type: 'target-started',
    target,
    worker: 'w0',
    attempt: 1,
    reasons: [],
    logFile: '',
  } as const;
  for (const event of [started, { ...plan, targets }, workers, begin]) reporter.sink(event);
  now = expected * 3 - 1_000;
  tick();
  expect(text).not.toContain('slow');
  now = expected * 3 + 1_000;
  tick();
  tick();
  expect(text.split(`${target} is slow: 20m00s, usually 6m40s`)).toHaveLength(2);
});

test('a RUN that uses no CPU for ten minutes may be stalled; one that does some does not', () => {
  const view = emptyView();
  const target = 'bootstrap-target-0';
  const usage = (at: number, cores: number): RunEvent => ({
    at,
    type: 'usage',
    target,
    worker: 'w0',
    cores,
    memory: 1,
    cpu: 1,
    peak: 1,
  });
  const events = madeRun({ targets: 1, jobs: 1 });
  for (const event of events.slice(0, events.findIndex(({ type }) => type === 'step-started') + 1))
    fold(view, event);
  const said = (now: number): string | null => {
    const running = view.targets.get(target);
    return running === undefined ? null : suspicion({ ...running, expected: null }, now);
  };
  for (const event of [usage(1_000, 0.9), usage(60_000, 0), usage(70_000, 0.01)]) fold(view, event);
  expect(said(600_000)).toBeNull();
  expect(said(660_000)).toBe(
    `${target} may be stalled: it has used no CPU for 10m00s, in [build 1/3] RUN make  step 0`,
  );
  fold(view, usage(661_000, 0.4));
  expect(said(661_000)).toBeNull();
});
