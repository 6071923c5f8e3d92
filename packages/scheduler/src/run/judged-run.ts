/**
 * A run that is not known to have nothing to do: every target is judged, and what must be is built.
 */
import type { RunSummary } from '../api.ts';
import { boundNewObjects } from '../memory.ts';
import { addressKey, engineKey } from '../plan/engine-key.ts';
import { evaluateTree } from '../plan/plan.ts';
import { openPool } from '../store/index.ts';
import { closureOf } from '../workspace.ts';
import type { RunContext } from './context.ts';
import { finishHits, settleHits } from './hits.ts';
import { removeLitter } from './litter.ts';
import { emitPlan } from './outlook.ts';
import { summarise } from './summary.ts';

/** @throws ProblemError for what keeps the run from beginning */
export async function judgedRun(context: RunContext): Promise<RunSummary> {
  boundNewObjects();
  const summary = await judgeAndBuild(context);
  context.state.records.touch(context.workspace.treeKey, Date.now());
  return summary;
}

async function judgeAndBuild(context: RunContext): Promise<RunSummary> {
  const { workspace, options, state, emit } = context;
  if (workspace.isOutline) await workspace.complete();
  const pool = openPool(state.paths, state.ledgers.blobs);
  await removeLitter(context, pool);
  const order = closureOf(workspace.tree, options.selection);
  const seen = engineKey(state.engineAt(addressKey(options.workers.addresses)), options.strictEngine);
  const standings = await evaluateTree(workspace, state, pool, order, seen, options);
  const upToDate = order.every((target) => standings.get(target.name)?.state === 'hit');
  if (!upToDate || options.shard) {
    // Not imported before it is needed: a run with nothing to build starts no process and loads no queue.
    const { buildRun } = await import('./build-run.ts');
    return await buildRun(context, pool, order, standings);
  }
  emitPlan(emit, order, standings, state);
  const results = finishHits(context, pool, order, standings);
  settleHits(context, pool, order, standings);
  if (options.remote?.write === true) {
    const { RunRemote } = await import('./run-remote.ts');
    const remote = new RunRemote(context, pool, options.remote);
    await remote.giveHits(standings.values()).finally(() => remote.close());
  }
  return summarise(context, order, results, []);
}
