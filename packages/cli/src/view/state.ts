/**
 * A run as its events tell it: the one fold from which every view lives (lines, TUI, summary).
 *
 * Deterministic: no clock, no I/O; time is what the events say. Updated in place, because a run has tens of
 * thousands of events and views look ten times a second. One function moves a target between states and keeps
 * the counts. Unaware of how anything is shown.
 */
import type { Problem } from '@stx-make/core/errors';
import type { Failure, Reason, RunCounts, RunEvent, WorkerInfo } from '@stx-make/core/events';

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
  /** Names in the order they reached their final state; only grows. Hits the plan knew are not in it. */
  readonly verdicts: string[];
  /** Names, in order of failure. */
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
  end: {
    readonly ok: boolean;
    readonly duration: number;
    readonly counts: RunCounts;
    readonly interrupted: boolean;
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
    end: null,
  };
}

/** Takes one event into the view. Events about unknown targets (a damaged recording) are passed over. */
export function fold(view: RunView, event: RunEvent): void {
  view.at = Math.max(view.at, event.at);
  switch (event.type) {
    case 'run-started':
      view.run = event.run;
      view.root = event.root;
      view.command = event.command;
      return;
    case 'plan':
      takePlan(view, event.targets);
      return;
    case 'workers':
      for (const info of event.workers) view.workers.set(info.id, { info, lost: null });
      view.notes = event.notes;
      return;
    case 'worker-lost': {
      const worker = view.workers.get(event.worker);
      if (worker !== undefined) worker.lost = event.text;
      return;
    }
    case 'worker-back': {
      const worker = view.workers.get(event.worker);
      if (worker !== undefined) worker.lost = null;
      return;
    }
    case 'activity':
      if (event.done) view.activities.delete(event.id);
      else view.activities.set(event.id, event.text);
      return;
    case 'source-progress': {
      const key = `${event.target}/${event.file}`;
      const { target, file, received, total } = event;
      if (event.done) view.downloads.delete(key);
      else view.downloads.set(key, { target, file, received, total });
      return;
    }
    case 'warning':
      view.warnings.push(event.problem);
      return;
    case 'stopping':
      view.stopping = event.text;
      if (view.phase !== 'finished') view.phase = 'stopping';
      return;
    case 'finding':
      view.findings.push({ target: event.target, text: event.text, before: event.before, now: event.now });
      return;
    case 'run-finished':
      view.phase = 'finished';
      view.end = {
        ok: event.ok,
        duration: event.duration,
        counts: event.counts,
        interrupted: event.interrupted,
      };
      return;
    case 'target-ready':
    case 'target-started':
    case 'step-started':
    case 'step-finished':
    case 'target-retry':
    case 'target-finished':
    case 'target-failed':
    case 'target-skipped': {
      const target = view.targets.get(event.target);
      if (target !== undefined) foldTarget(view, target, event);
      return;
    }
    default:
      event satisfies never;
  }
}

type TargetEvent = Extract<
  RunEvent,
  {
    type:
      | 'target-ready'
      | 'target-started'
      | 'step-started'
      | 'step-finished'
      | 'target-retry'
      | 'target-finished'
      | 'target-failed'
      | 'target-skipped';
  }
>;

function foldTarget(view: RunView, target: TargetView, event: TargetEvent): void {
  switch (event.type) {
    case 'target-ready':
      move(view, target, 'ready');
      return;
    case 'target-started':
      target.since = event.at;
      target.worker = event.worker;
      target.attempt = event.attempt;
      target.logFile = event.logFile;
      target.reasons = event.reasons;
      target.steps = [];
      target.stepsDone = 0;
      move(view, target, 'running');
      return;
    case 'step-started':
      // BuildKit sends a vertex again as it changes.
      if (target.state !== 'running' || target.steps.some(({ id }) => id === event.step)) return;
      target.steps = [...target.steps, { id: event.step, name: event.name, since: event.at }];
      return;
    case 'step-finished': {
      const left = target.steps.filter(({ id }) => id !== event.step);
      if (left.length < target.steps.length || event.cached) target.stepsDone++;
      target.steps = left;
      return;
    }
    case 'target-retry':
      target.attempt = event.attempt;
      target.text = event.text;
      target.steps = [];
      target.since = null;
      move(view, target, 'ready');
      return;
    case 'target-finished':
      target.duration = event.duration;
      target.digest = event.digest;
      target.size = event.size;
      target.reasons = event.reasons;
      move(view, target, event.result);
      if (event.result !== 'hit' || target.planned !== 'hit') view.verdicts.push(target.name);
      return;
    case 'target-failed':
      target.duration = event.duration;
      target.failure = event.failure;
      target.reasons = event.reasons;
      if (event.failure.logFile !== null) target.logFile = event.failure.logFile;
      move(view, target, 'failed');
      view.failures.push(target.name);
      view.verdicts.push(target.name);
      return;
    case 'target-skipped':
      target.because = event.because;
      target.text = event.text;
      move(view, target, 'skipped');
      return;
    default:
      event satisfies never;
  }
}

/** The only place where a target's state and the counts change. */
function move(view: RunView, target: TargetView, state: TargetState): void {
  const lane = view.lanes.get(target.stage);
  view.tally[target.state]--;
  view.tally[state]++;
  if (lane !== undefined) {
    lane[target.state]--;
    lane[state]++;
  }
  target.state = state;
  if (state === 'running') view.running.add(target.name);
  else view.running.delete(target.name);
  if (state !== 'running') target.steps = [];
}

/** A plan can come again (the engine was not the one last seen): states of what is done are kept. */
function takePlan(view: RunView, plans: Extract<RunEvent, { type: 'plan' }>['targets']): void {
  const before = new Map(view.targets);
  view.targets.clear();
  view.lanes.clear();
  Object.assign(view.tally, emptyTally());
  for (const plan of plans) {
    const old = before.get(plan.name);
    const target: TargetView = {
      state: 'waiting',
      since: null,
      worker: null,
      attempt: 0,
      logFile: null,
      steps: [],
      stepsDone: 0,
      duration: 0,
      digest: null,
      size: 0,
      failure: null,
      because: [],
      text: null,
      ...old,
      name: plan.name,
      stage: plan.stage,
      dependencies: plan.dependencies,
      planned: plan.action,
      expected: plan.expected,
      reasons: plan.reasons,
    };
    view.targets.set(plan.name, target);
    let lane = view.lanes.get(plan.stage);
    if (lane === undefined) {
      lane = emptyTally();
      view.lanes.set(plan.stage, lane);
    }
    view.tally[target.state]++;
    lane[target.state]++;
  }
  if (view.phase === 'starting') view.phase = 'running';
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
