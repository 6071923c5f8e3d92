/**
 * What a view knows of a run: targets with their states, workers, failures, counts. Data and its empty form.
 *
 * Unaware of events and of how anything is shown.
 */
import type { Problem } from '@stx-make/core/errors';
import type { Failure, Reason, RunCounts, WorkerInfo } from '@stx-make/core/events';

/** waiting: a dependency is not done. ready: waits for a place on a worker. The last five are final. */
export type TargetState =
  | 'waiting'
  | 'ready'
  | 'running'
  | 'hit'
  | 'built'
  | 'unchanged'
  | 'failed'
  | 'skipped';

export const TARGET_STATES: readonly TargetState[] = [
  'waiting',
  'ready',
  'running',
  'hit',
  'built',
  'unchanged',
  'failed',
  'skipped',
];

/** A step of a running target that has begun and not ended. */
export interface StepView {
  readonly id: string;
  readonly name: string;
  /** Milliseconds since the run began. */
  readonly since: number;
}

/** What the steps of a target take of its worker, as far as it can be known. */
export interface UsageView {
  /** CPUs in use lately. */
  readonly cores: number;
  /** Bytes now. */
  readonly memory: number;
  /** ms of CPU in all. */
  readonly cpu: number;
  /** The most bytes seen. */
  readonly peak: number;
  /** Since when next to no CPU is used, ms since the run began; null while some is. */
  readonly idleSince: number | null;
}

export interface TargetView {
  readonly name: string;
  readonly stage: string;
  readonly dependencies: readonly string[];
  /** What the plan said. */
  readonly planned: 'build' | 'hit' | 'waiting';
  /** Milliseconds, null where never built. */
  readonly expected: number | null;
  state: TargetState;
  reasons: readonly Reason[];
  /** When it began to run, ms since the run began; null before. */
  since: number | null;
  worker: string | null;
  attempt: number;
  logFile: string | null;
  /** Running steps, oldest first. */
  steps: StepView[];
  stepsDone: number;
  /** Of its last attempt; null where nothing is known. */
  usage: UsageView | null;
  duration: number;
  digest: string | null;
  size: number;
  failure: Failure | null;
  /** For skipped: the chain down to the cause. */
  because: readonly string[];
  text: string | null;
}

export interface WorkerView {
  readonly info: WorkerInfo;
  lost: string | null;
}

export interface Finding {
  readonly target: string;
  readonly text: string;
  readonly before: string;
  readonly now: string;
}

export interface Download {
  readonly target: string;
  readonly file: string;
  readonly received: number;
  readonly total: number | null;
}

export interface RunView {
  phase: 'starting' | 'running' | 'stopping' | 'finished';
  run: string;
  root: string;
  command: string;
  /** Time of the latest event, ms since the run began. */
  at: number;
  readonly targets: Map<string, TargetView>;
  /** How many targets are in each state; always adds up to targets.size. */
  readonly tally: Record<TargetState, number>;
  /** How many targets a stage has in each state. */
  readonly lanes: Map<string, Record<TargetState, number>>;
  /** Names, in the order they began. */
  readonly running: Set<string>;
  /** Names in the order they reached their final state; only grows, so a target that is retried comes again. Hits the
   * plan knew are not in it. */
  readonly verdicts: string[];
  /** Names of targets that have failed and are not tried again, in order of failure. */
  readonly failures: string[];
  readonly workers: Map<string, WorkerView>;
  notes: readonly string[];
  /** What goes on beside builds, by id. */
  readonly activities: Map<string, string>;
  /** Downloads under way, by target and file. */
  readonly downloads: Map<string, Download>;
  readonly findings: Finding[];
  readonly warnings: Problem[];
  stopping: string | null;
  /** Nothing new is started, because somebody asked for it. */
  paused: boolean;
  end: {
    readonly ok: boolean;
    readonly duration: number;
    readonly counts: RunCounts;
    readonly interrupted: boolean;
    readonly stopped: 'time' | null;
  } | null;
}

export function emptyTally(): Record<TargetState, number> {
  return { waiting: 0, ready: 0, running: 0, hit: 0, built: 0, unchanged: 0, failed: 0, skipped: 0 };
}

export function emptyView(): RunView {
  return {
    phase: 'starting',
    run: '',
    root: '',
    command: '',
    at: 0,
    targets: new Map(),
    tally: emptyTally(),
    lanes: new Map(),
    running: new Set(),
    verdicts: [],
    failures: [],
    workers: new Map(),
    notes: [],
    activities: new Map(),
    downloads: new Map(),
    findings: [],
    warnings: [],
    stopping: null,
    paused: false,
    end: null,
  };
}

/** Targets in a final state. */
export function doneCount(tally: Readonly<Record<TargetState, number>>): number {
  return tally.hit + tally.built + tally.unchanged + tally.failed + tally.skipped;
}

/** What keeps a target from starting: dependencies that are not done, in order of the plan. */
export function waitsFor(view: RunView, name: string): string[] {
  const target = view.targets.get(name);
  if (target === undefined || target.state !== 'waiting') return [];
  return target.dependencies.filter((dependency) => {
    const state = view.targets.get(dependency)?.state;
    return state === 'waiting' || state === 'ready' || state === 'running';
  });
}
