/**
 * A run from front to end: locks, plan, workers when something must be built, the conductor, the summary.
 *
 * Reads like a table of contents; the parts are beside it.
 */
import { randomBytes } from 'node:crypto';
import { EVENT_SCHEMA, type EventSink } from '@stx-make/core/events';
import type { Run, RunControl, RunOptions, RunSummary } from '../api.ts';
import { runEventsFile } from '../paths.ts';
import { addressKey, engineKey, evaluateTree } from '../plan/plan.ts';
import { openPool, removeStaleOutputs } from '../store/index.ts';
import { closureOf, type Workspace, workspaceOf } from '../workspace.ts';
import type { RunContext } from './context.ts';
import { finishHits } from './hits.ts';
import { openJournal } from './journal.ts';
import { type RunLocks, takeRunLocks } from './locks.ts';
import { emitPlan } from './outlook.ts';
import type { Emit } from './ports.ts';
import { Steering } from './steering.ts';
import { summarise } from './summary.ts';

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
  try {
    locks = await takeLocks(workspace, options, control, emit);
    const state = workspace.openState();
    for (const problem of state.warnings) emit({ type: 'warning', problem });
    const keepEvents = (): void => journal.keep();
    return await lockedRun({
      workspace,
      options,
      state,
      id,
      started,
      began,
      emit,
      keepEvents,
      stop: control.stop,
      onEdits: control.onEdits,
      onBegun: (steered) => steering.begin(steered),
    });
  } finally {
    steering.close();
    const problem = await journal.close();
    // Too late for the journal, in time for whoever watches.
    if (problem !== null) sink({ at: Math.round(performance.now() - began), type: 'warning', problem });
    locks?.release();
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
    stop: control.stop,
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
  const { workspace, options, state, emit } = context;
  const pool = openPool(state.paths, state.ledgers.blobs);
  const order = closureOf(workspace.tree, options.selection);
  const seen = engineKey(state.engineAt(addressKey(options.workers.addresses)), options.strictEngine);
  const standings = await evaluateTree(workspace, state, pool, order, seen, options);
  const upToDate = order.every((target) => standings.get(target.name)?.state === 'hit');
  if (!upToDate) {
    // Not imported before it is needed: a run with nothing to build starts no process and loads no queue.
    const { buildRun } = await import('./build-run.ts');
    return await buildRun(context, pool, order, standings);
  }
  emitPlan(emit, order, standings, state);
  removeStaleOutputs(workspace.out);
  const results = finishHits(context, pool, order, standings);
  return summarise(context, order, results, []);
}

/** Sortable by time, unique also among many runs a second: `20261123-224501-3f9a07c2`. */
function runId(started: number): string {
  const digits = new Date(started).toISOString().replaceAll(/[-:]/g, '');
  return `${digits.slice(0, 8)}-${digits.slice(9, 15)}-${randomBytes(4).toString('hex')}`;
}

function timed(sink: EventSink, began: number): Emit {
  return (event) => sink({ at: Math.round(performance.now() - began), ...event });
}
