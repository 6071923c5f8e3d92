/**
 * A plan: what a run would do now, from records and the engine last seen. Contacts no daemon, changes nothing.
 */
import type { GraphTarget } from '@stx-make/core/graph/model';
import { byCodeUnit } from '@stx-make/core/order';
import type { MakePlan, Plan, PlanEntry, RunOptions } from '../api.ts';
import { remotePlace } from '../remote/place.ts';
import { type Settled, settledAnswer } from '../run/settled.ts';
import type { BuildRecord } from '../state/records.ts';
import type { State } from '../state/state.ts';
import {
  areDocumentsKnownGood,
  isOutputKnownGood,
  knownGoodAtOnce,
  missingBlobs,
  openPool,
  type Pool,
} from '../store/index.ts';
import { closureOf, type Workspace, workspaceOf } from '../workspace.ts';
import { homelessOf, homelessProblems } from './affinity.ts';
import { addressKey, engineKey } from './engine-key.ts';
import { type EvaluateContext, evaluate, type Standing } from './evaluate.ts';

export { addressKey, engineKey };

export const makePlan: MakePlan = async (session, options) => {
  const workspace = workspaceOf(session);
  const state = workspace.openState();
  const settled = settledAnswer({ workspace, state, options, started: Date.now() });
  if (settled !== null) return settledPlan(settled);
  if (workspace.isOutline) await workspace.complete();
  const pool = openPool(state.paths, state.ledgers.blobs);
  const order = closureOf(workspace.tree, options.selection);
  const key = addressKey(options.workers.addresses);
  const engine = engineKey(state.engineAt(key), options.strictEngine);
  const standings = await evaluateTree(workspace, state, pool, order, engine, options);
  const plan = planOf(order, standings, state.history.estimates());
  const workers = state.workersAt(key);
  if (workers === null) return plan;
  const sure = surelyBuilt(order, standings, state.records.current(workspace.treeKey));
  const homeless = homelessOf(sure, workspace.tree.graph.targets, workers);
  return { ...plan, homeless, problems: homelessProblems(homeless, workers) };
};

/** The last run had nothing to do, and all is as it was. */
function settledPlan({ targets }: Settled): Plan {
  const entries = targets.map(({ name, stage, dependencies, manifest, origin, expected }): PlanEntry => {
    return { name, stage, action: 'hit', reasons: [], dependencies, digest: manifest, origin, expected };
  });
  entries.sort((a, b) => byCodeUnit(a.name, b.name));
  return { targets: entries, counts: { targets: entries.length, build: 0, hit: entries.length, waiting: 0 } };
}

/** What waits may turn out to be as it was, but only where this tree ever had it. */
export function surelyBuilt(
  order: readonly GraphTarget[],
  standings: ReadonlyMap<string, Standing>,
  current: ReadonlyMap<string, unknown>,
): GraphTarget[] {
  return order.filter(({ name }) => {
    const state = standings.get(name)?.state;
    return state === 'build' || (state === 'waiting' && !current.has(name));
  });
}

/** Judges `order`; outputs whose blobs are not known to be good are read once before they are given up. */
export async function evaluateTree(
  workspace: Workspace,
  state: State,
  pool: Pool,
  order: readonly GraphTarget[],
  engine: string | null,
  options: RunOptions,
): Promise<Map<string, Standing>> {
  const context = atOneMoment(
    evaluateContext(workspace, state, pool, order, engine, options),
    order.length,
    () => state.records.findCurrent(workspace.treeKey),
  );
  const doubtful = new Set<Parameters<EvaluateContext['isComplete']>[0]>();
  const isComplete = knownGoodAtOnce(pool);
  const standings = evaluate(order, {
    ...context,
    isComplete: (output) => {
      if (isComplete(output)) return true;
      doubtful.add(output);
      return false;
    },
  });
  if (doubtful.size === 0) return standings;
  let mended = false;
  for (const output of doubtful) {
    if ((await missingBlobs(pool, output)).length === 0) mended = true;
  }
  // So that they are not read again the next time.
  pool.sync();
  return mended ? evaluate(order, context) : standings;
}

/** Of how much of a tree it is cheaper to read one record after the other. */
const FEW = 0.1;

/** For judging a tree of `count` targets: what it last had is read in one go, once there is more than a little to judge. A
 * record stays true for ever; whether its blobs are still there is asked for each time. */
export function atOneMoment(
  context: EvaluateContext,
  count: number,
  findCurrent: () => ReadonlyMap<string, BuildRecord[]>,
): EvaluateContext {
  const { records } = context;
  let known: ReadonlyMap<string, BuildRecord[]> | null = null;
  let asked = 0;
  const find: EvaluateContext['records']['find'] = (fingerprint) => {
    asked += 1;
    if (known === null && asked > count * FEW) known = findCurrent();
    return known?.get(fingerprint) ?? records.find(fingerprint);
  };
  return { ...context, records: { ...records, find } };
}

/** What judging needs, from the workspace and the state. */
export function evaluateContext(
  workspace: Workspace,
  state: State,
  pool: Pool,
  order: readonly GraphTarget[],
  engine: string | null,
  options: RunOptions,
): EvaluateContext {
  const selected = options.selection.length === 0 ? order.map((target) => target.name) : options.selection;
  return {
    filesOf: (recipe) => workspace.filesOf(recipe),
    records: state.records,
    current: state.records.current(workspace.treeKey),
    engine,
    isComplete: (output) => isOutputKnownGood(pool, output),
    isElsewhere: elsewhere(state, pool, options),
    forced: new Set(options.noCache ? selected : []),
  };
}

/** With --via-registry only an output's documents are here. */
function elsewhere(state: State, pool: Pool, { remote }: RunOptions): EvaluateContext['isElsewhere'] {
  if (remote?.viaRegistry !== true) return undefined;
  const { name } = remotePlace(remote);
  return ({ fingerprint, manifest, output }) =>
    state.pushed.has(name, fingerprint, manifest) && areDocumentsKnownGood(pool, output);
}

/** Standings in the form the command line shows; sorted by code unit. */
export function planOf(
  order: readonly GraphTarget[],
  standings: ReadonlyMap<string, Standing>,
  estimates: ReadonlyMap<string, number>,
): Plan {
  const counts = { targets: order.length, build: 0, hit: 0, waiting: 0 };
  const targets: PlanEntry[] = order.map((target) => {
    const standing = standings.get(target.name);
    if (standing === undefined) throw new Error(`${target.name} was not judged`);
    counts[standing.state] += 1;
    return {
      name: target.name,
      stage: target.stage,
      action: standing.state,
      reasons: standing.state === 'hit' ? [] : standing.reasons,
      dependencies: target.dependencies,
      digest: standing.state === 'hit' ? standing.record.manifest : null,
      origin: standing.state === 'hit' ? standing.record.origin : null,
      expected: estimates.get(target.name) ?? null,
    };
  });
  targets.sort((a, b) => byCodeUnit(a.name, b.name));
  return { targets, counts };
}
