/**
 * A run as its events tell it: the one fold from which every view lives (lines, TUI, summary).
 *
 * Deterministic: no clock, no I/O; time is what the events say. Updated in place, because a run has tens of
 * thousands of events and views look ten times a second. One function moves a target between states and keeps
 * the counts. Unaware of how anything is shown.
 */
import type { RunEvent } from '@stx-make/core/events';
import { emptyTally, type RunView, type TargetState, type TargetView } from './model.ts';

/** A build that uses less is waiting for something, or for ever. */
const IDLE_CORES = 0.05;

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
    case 'paused':
      view.paused = true;
      return;
    case 'resumed':
      view.paused = false;
      // A retry lifts what a failure had ended.
      view.stopping = null;
      if (view.phase === 'stopping') view.phase = 'running';
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
        stopped: event.stopped ?? null,
      };
      return;
    case 'target-ready':
    case 'target-started':
    case 'step-started':
    case 'step-finished':
    case 'usage':
    case 'target-retry':
    case 'target-finished':
    case 'target-failed':
    case 'target-skipped':
    case 'target-waiting': {
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
      | 'usage'
      | 'target-retry'
      | 'target-finished'
      | 'target-failed'
      | 'target-skipped'
      | 'target-waiting';
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
      target.usage = null;
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
    case 'usage': {
      const { cores, memory, cpu, peak } = event;
      const idleSince = cores >= IDLE_CORES ? null : (target.usage?.idleSince ?? event.at);
      target.usage = { cores, memory, cpu, peak, idleSince };
      return;
    }
    case 'target-retry':
      target.attempt = event.attempt;
      target.text = event.text;
      if (target.state === 'failed') forget(view.failures, target.name);
      target.failure = null;
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
    case 'target-waiting':
      target.because = [];
      target.text = null;
      move(view, target, 'waiting');
      return;
    default:
      event satisfies never;
  }
}

function forget(names: string[], name: string): void {
  const at = names.indexOf(name);
  if (at >= 0) names.splice(at, 1);
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
      usage: null,
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
