/**
 * The part of a run in which something must be built: workers, a plan redone where their engine is another one,
 * the conductor with the real world behind its ports.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { GraphTarget } from '@stx-make/core/graph/model';
import type { RunSummary } from '../api.ts';
import { withFileProblems } from '../files/index.ts';
import { addressKey, engineKey } from '../plan/engine-key.ts';
import { judge, type Standing } from '../plan/evaluate.ts';
import { evaluateContext, evaluateTree } from '../plan/plan.ts';
import type { Pool } from '../store/index.ts';
import { beginShard, leaveResult, type ShardParts, ungiven } from './begin-shard.ts';
import { conduct } from './conduct.ts';
import type { RunContext } from './context.ts';
import type { Crew } from './driver.ts';
import { anyOf } from './ending.ts';
import { finishHits } from './hits.ts';
import { Outdated } from './outdated.ts';
import { emitPlan, priorities } from './outlook.ts';
import { Placing, refuseHomeless } from './placing.ts';
import { RunRemote } from './run-remote.ts';
import { openRunSources, type RunSources } from './run-sources.ts';
import type { ShardRun } from './shard-run.ts';
import { summarise } from './summary.ts';
import { worldPorts } from './world.ts';

/** @throws ProblemError when no worker can be had */
export async function buildRun(
  context: RunContext,
  pool: Pool,
  order: readonly GraphTarget[],
  judged: ReadonlyMap<string, Standing>,
): Promise<RunSummary> {
  const { workspace, options, state, emit } = context;
  const work = makeWork(context);
  const driver = await workspace.driver();
  const crew = await driver.connect({
    addresses: options.workers.addresses,
    jobs: options.workers.jobs,
    settings: options.workers.settings,
    limits: options.limits,
    state: state.paths,
    env: workspace.env,
    signal: context.stop,
    allowedImages: workspace.config.allowedImages,
    onActivity: (text) => emit({ type: 'activity', id: 'workers', text, done: false }),
  });
  emit({ type: 'activity', id: 'workers', text: 'connected to BuildKit', done: true });
  let sources: RunSources | null = null;
  let shard: ShardRun | null = null;
  let placing: Placing | null = null;
  const remote = options.remote ? new RunRemote(context, pool, options.remote) : null;
  const engine = engineKey(crew.engine, options.strictEngine);
  const outdated = new Outdated(workspace, engine);
  try {
    for (const problem of crew.warnings) emit({ type: 'warning', problem });
    const standings = await judgeFor(context, pool, order, judged, crew);
    emitPlan(emit, order, standings, state);
    emit({
      type: 'workers',
      workers: crew.workers,
      notes: crew.notes,
    });
    if (!options.shard && order.every((target) => standings.get(target.name)?.state === 'hit')) {
      const hits = finishHits(context, pool, order, standings);
      await remote?.giveHits(standings.values());
      return summarise(context, order, hits, []);
    }
    // What this shard can not build another one may.
    if (!options.shard) refuseHomeless(context, order, standings, crew);
    await pool.prepareForExport();
    context.keepEvents();
    state.history.begin(context.id, workspace.treeKey, context.started, options.command);
    sources = openRunSources(context);
    if (options.shard && remote !== null) {
      context.afterwards((summary) => leaveResult(context, summary));
      const judging = evaluateContext(workspace, state, pool, order, engine, options);
      const judgeOne: ShardParts['judge'] = (target, outputOf) => judge(target, outputOf, judging);
      const jobs = crew.workers.reduce((sum, worker) => sum + worker.jobs, 0);
      shard = await beginShard(context, options.shard, { remote, order, judge: judgeOne, engine, jobs });
    }
    placing = new Placing(context, crew);
    const urgency = priorities(order, state);
    context.onEdits?.(() => void outdated.look());
    const results = await conduct(
      {
        order,
        standings,
        workers: placing.workers,
        needsOf: placing.needsOf,
        priorityOf: (target) => urgency.get(target) ?? 0,
        keepGoing: options.keepGoing,
        stop: anyOf(context.stop, context.graceOver),
        finish: anyOf(outdated.finish, context.timeUp),
        clock: () => performance.now(),
        onBegun: context.onBegun,
        follower: shard ?? undefined,
      },
      placing.watched(worldPorts(context, pool, work, crew, sources, order, outdated, { remote, shard })),
      emit,
    );
    const left = (await remote?.drain()) ?? [];
    await shard?.end();
    return summarise(context, order, results, shard === null ? [] : ungiven(shard, left), shard);
  } finally {
    await outdated.close();
    remote?.close();
    sources?.close();
    placing?.close();
    await crew.close();
    rmSync(work, { recursive: true, force: true });
  }
}

/** This run's private folder. */
function makeWork(context: RunContext): string {
  const own = join(context.state.paths.work, context.id);
  return withFileProblems('make the work folder', own, () => {
    mkdirSync(own, { recursive: true });
    return own;
  });
}

/** The standings under the engine of the workers that are really there. */
async function judgeFor(
  { workspace, state, options }: RunContext,
  pool: Pool,
  order: readonly GraphTarget[],
  judged: ReadonlyMap<string, Standing>,
  crew: Crew,
): Promise<ReadonlyMap<string, Standing>> {
  const key = addressKey(options.workers.addresses);
  const before = engineKey(state.engineAt(key), options.strictEngine);
  const now = engineKey(crew.engine, options.strictEngine);
  state.sawEngine(key, crew.engine, crew.workers);
  if (before === now) return judged;
  return await evaluateTree(workspace, state, pool, order, now, options);
}
