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
import type { Standing } from '../plan/evaluate.ts';
import { evaluateTree } from '../plan/plan.ts';
import type { Pool } from '../store/index.ts';
import { conduct } from './conduct.ts';
import type { RunContext } from './context.ts';
import type { Crew } from './driver.ts';
import { finishHits } from './hits.ts';
import { Outdated } from './outdated.ts';
import { emitPlan, priorities } from './outlook.ts';
import { openRunSources, type RunSources } from './run-sources.ts';
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
    limits: options.limits,
    state: state.paths,
    env: workspace.env,
    signal: context.stop,
    allowedImages: workspace.config.allowedImages,
    onActivity: (text) => emit({ type: 'activity', id: 'workers', text, done: false }),
  });
  emit({ type: 'activity', id: 'workers', text: 'connected to BuildKit', done: true });
  let sources: RunSources | null = null;
  const outdated = new Outdated(workspace, engineKey(crew.engine, options.strictEngine));
  try {
    for (const problem of crew.warnings) emit({ type: 'warning', problem });
    const standings = await judgeFor(context, pool, order, judged, crew);
    emitPlan(emit, order, standings, state);
    emit({
      type: 'workers',
      workers: crew.workers,
      notes: crew.notes,
    });
    if (order.every((target) => standings.get(target.name)?.state === 'hit')) {
      return summarise(context, order, finishHits(context, pool, order, standings), []);
    }
    await pool.prepareForExport();
    context.keepEvents();
    state.history.begin(context.id, workspace.treeKey, context.started, options.command);
    sources = openRunSources(context);
    const urgency = priorities(order, state);
    context.onEdits?.(() => void outdated.look());
    const results = await conduct(
      {
        order,
        standings,
        workers: crew.workers,
        priorityOf: (target) => urgency.get(target) ?? 0,
        keepGoing: options.keepGoing,
        stop: context.stop,
        finish: outdated.finish,
        clock: () => performance.now(),
        onBegun: context.onBegun,
      },
      worldPorts(context, pool, work, crew, sources, order, outdated),
      emit,
    );
    return summarise(context, order, results, []);
  } finally {
    await outdated.close();
    sources?.close();
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
  state.sawEngine(key, crew.engine);
  if (before === now) return judged;
  return await evaluateTree(workspace, state, pool, order, now, options);
}
