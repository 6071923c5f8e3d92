/**
 * What dead runs left behind: work folders, temporaries in the pool, the sources and the outputs, their names in runs/. Looked for by every
 * run, removed under both locks.
 */
import { join } from 'node:path';
import { readFolder, removeDeadTemporaries, removeTree, withFileProblems } from '../files/index.ts';
import { removeDeadRuns } from '../live/client.ts';
import { removeSpentParts } from '../sources/store/spent.ts';
import { type Pool, removeStaleOutputs } from '../store/index.ts';
import type { RunContext } from './context.ts';

type Places = Pick<RunContext, 'workspace' | 'state'>;

/** @throws ProblemError environment */
export async function removeLitter({ workspace, state }: Places, pool: Pool): Promise<void> {
  const { work, sources } = state.paths;
  removeTree(work);
  pool.removeStale();
  removeStaleOutputs(workspace.out);
  withFileProblems('clean up', sources, () => {
    // `fetch` works there without our locks.
    removeDeadTemporaries(join(sources, 'partial'));
    removeSpentParts(sources);
  });
  // Others may be under way: they wait for us, or are on their way to it.
  if (readFolder(state.paths.runs).length > 0) await removeDeadRuns(state.paths, workspace.env);
}
