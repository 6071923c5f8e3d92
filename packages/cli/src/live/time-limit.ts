/**
 * `--for` and `--until`: when a run has to come to an end by itself, and the signals that tell it.
 *
 * Told in two steps: nothing new is started; some time later what still runs is cancelled, so that a CI system with a
 * limit of its own never has to kill a job that could not say what it did. Unaware of what is run.
 */
import { inputProblem, ProblemError } from '@stx-make/core/errors';
import type { RunControl } from '@stx-make/scheduler/api';
import type { OptionValues } from '../args/model.ts';
import type { timeOptions } from '../args/options.ts';
import { nextTimeOfDay, timeSpan } from '../text/time-span.ts';

/** What runs may take a tenth of the run's time to finish, but no longer than this. */
const GRACE_SHARE = 0.1;
const MOST_GRACE_MS = 30 * 60_000;

/** Wall clocks are set and machines sleep: the clock is looked at again at least so often. */
const LOOK_MS = 30_000;

export interface TimeLimit {
  /** For people: `its time is up (--for 5h)`. */
  readonly text: string;
  /** ms since the epoch. */
  readonly end: number;
  /** ms. */
  readonly grace: number;
}

/** Null where none was asked for; of both the earlier one counts. @throws ProblemError `bad-time` (input) */
export function timeLimitOf(values: OptionValues<typeof timeOptions>, now: Date): TimeLimit | null {
  const span = values.for === undefined ? null : timeSpan(values.for);
  const until = values.until === undefined ? null : nextTimeOfDay(values.until, now);
  const grace = values.grace === undefined ? null : timeSpan(values.grace);
  const problems = [
    ...(values.for !== undefined && (span ?? 0) === 0
      ? [badTime('--for', values.for, 'a length of time: 5h, 90m, 1h30m')]
      : []),
    ...(values.until !== undefined && until === null
      ? [badTime('--until', values.until, 'a time of day: 06:30')]
      : []),
    ...(values.grace !== undefined && grace === null
      ? [badTime('--grace', values.grace, 'a length of time: 20m, 0s')]
      : []),
  ];
  if (problems.length > 0) throw new ProblemError(problems);
  const ends = [
    ...(span === null ? [] : [{ end: now.getTime() + span, option: `--for ${values.for}` }]),
    ...(until === null ? [] : [{ end: until, option: `--until ${values.until}` }]),
  ].sort((a, b) => a.end - b.end);
  const [first] = ends;
  if (first === undefined) return null;
  return {
    text: `its time is up (${first.option})`,
    end: first.end,
    grace: grace ?? Math.min((first.end - now.getTime()) * GRACE_SHARE, MOST_GRACE_MS),
  };
}

function badTime(option: string, value: string, wanted: string) {
  return inputProblem({ code: 'bad-time', text: `${option} is given "${value}", which is not ${wanted}` });
}

export interface RunningLimit {
  readonly control: Pick<RunControl, 'timeUp' | 'graceOver'>;
  /** The run is over: nothing is told any more. */
  stop(): void;
}

/** Begins to watch the clock. Keeps no process alive. */
export function watchClock(limit: TimeLimit | null, now: () => number = Date.now): RunningLimit {
  if (limit === null) return { control: {}, stop: () => {} };
  const timeUp = new AbortController();
  const graceOver = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    const left = limit.end - now();
    if (left <= 0) timeUp.abort(limit.text);
    const next = left > 0 ? left : left + limit.grace;
    if (next <= 0) graceOver.abort(limit.text);
    else timer = setTimeout(look, Math.min(next, LOOK_MS)).unref();
  };
  look();
  return {
    control: { timeUp: timeUp.signal, graceOver: graceOver.signal },
    stop: () => clearTimeout(timer),
  };
}
