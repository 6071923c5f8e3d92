/**
 * A run from front to end: locks, plan, workers when something must be built, the conductor, the summary.
 *
 * Reads like a table of contents; the parts are beside it.
 */
import type { Problem } from '@stx-make/core/errors';
import { EVENT_SCHEMA, type EventSink } from '@stx-make/core/events';
import type { Run, RunControl, RunOptions, RunSummary } from '../api.ts';
import { runEventsFile } from '../paths.ts';
import { type Workspace, workspaceOf } from '../workspace.ts';
import type { RunContext } from './context.ts';
import { anyOf } from './ending.ts';
import { openJournal } from './journal.ts';
import { type RunLocks, takeRunLocks } from './locks.ts';
import type { Emit } from './ports.ts';
import { runId } from './run-id.ts';
import { settledRun } from './settled.ts';
import { Steering } from './steering.ts';

/** @throws ProblemError for what keeps the run from beginning; failures of targets are in the summary. */
export const run: Run = async (session, options, sink, control) => {
  const workspace = workspaceOf(session);
  const began = performance.now();
  const started = Date.now();
  const id = runId(started);
  const eventsFile = runEventsFile(workspace.state, id);
  const journal = openJournal(eventsFile);
  const emit = timed((event) => {
    journal.sink(event);
    sink(event);
  }, began);
  emit({
    type: 'run-started',
    schema: EVENT_SCHEMA,
    run: id,
    started: new Date(started).toISOString(),
    root: workspace.root,
    command: options.command,
    selection: options.selection,
  });
  const steering = new Steering(emit, () => {
    journal.keep();
    return eventsFile;
  });
  control.onSteering?.(steering);
  let locks: RunLocks | null = null;
  const later: Parameters<RunContext['afterwards']>[0][] = [];
  let summary: RunSummary | null = null;
  try {
    locks = await takeLocks(workspace, options, control, emit);
    const state = workspace.openState();
    for (const problem of state.warnings) emit({ type: 'warning', problem });
    const keepEvents = (): void => journal.keep();
    summary = await lockedRun({
      workspace,
      options,
      state,
      id,
      started,
      began,
      emit,
      keepEvents,
      eventsFile,
      afterwards: (work) => later.push(work),
      stop: control.stop,
      timeUp: control.timeUp,
      graceOver: control.graceOver,
      onEdits: control.onEdits,
      onBegun: (steered) => steering.begin(steered),
    });
    return summary;
  } finally {
    steering.close();
    // Too late for the journal, in time for whoever watches.
    const say = (problem: Problem | null): void => {
      if (problem !== null) sink({ at: Math.round(performance.now() - began), type: 'warning', problem });
    };
    say(await journal.close());
    try {
      if (summary !== null) for (const work of later) say(await work(summary));
    } finally {
      locks?.release();
    }
  }
};

/** Both locks; says so where they have to be waited for. */
async function takeLocks(
  workspace: Workspace,
  options: RunOptions,
  control: RunControl,
  emit: Emit,
): Promise<RunLocks> {
  let waited = '';
  const locks = await takeRunLocks(workspace, {
    command: options.command,
    wait: options.wait,
    stop: anyOf(control.stop, control.timeUp),
    now: Date.now,
    onWait: (text) => {
      waited = text;
      emit({ type: 'activity', id: 'lock', text, done: false });
    },
  });
  if (waited !== '') emit({ type: 'activity', id: 'lock', text: waited, done: true });
  return locks;
}

async function lockedRun(context: RunContext): Promise<RunSummary> {
  const settled = settledRun(context);
  if (settled !== null) return settled;
  // Not imported before it is needed, and with it all that judges and builds.
  const { judgedRun } = await import('./judged-run.ts');
  return await judgedRun(context);
}

function timed(sink: EventSink, began: number): Emit {
  return (event) => sink({ at: Math.round(performance.now() - began), ...event });
}
