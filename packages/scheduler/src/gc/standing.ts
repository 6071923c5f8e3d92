/**
 * The records that the tree at hand would find as hits now, with any engine that was ever seen here.
 *
 * A branch that was switched to and not built yet has no other claim on them.
 */
import { engineKey, evaluateTree } from '../plan/plan.ts';
import { plainOptions } from '../run/plain-options.ts';
import type { BuildRecord } from '../state/records.ts';
import type { State } from '../state/state.ts';
import type { Pool } from '../store/index.ts';
import { closureOf, type Workspace } from '../workspace.ts';

const EVERYTHING = plainOptions('gc');

export async function standingRecords(
  workspace: Workspace,
  state: State,
  pool: Pool,
): Promise<BuildRecord[]> {
  const order = closureOf(workspace.tree, []);
  const engines = new Set<string | null>([null]);
  for (const engine of state.engines()) {
    engines.add(engineKey(engine, false));
    engines.add(engineKey(engine, true));
  }
  const records: BuildRecord[] = [];
  for (const engine of engines) {
    for (const standing of (await evaluateTree(workspace, state, pool, order, engine, EVERYTHING)).values()) {
      if (standing.state === 'hit') records.push(standing.record);
    }
  }
  return records;
}
