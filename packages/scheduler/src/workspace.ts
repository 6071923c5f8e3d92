/**
 * A session as the scheduler itself uses it: the tree, the files behind it, the state folder.
 *
 * The command line sees `Session` (api.ts) only.
 */
import type { GraphTarget, LoadedTree } from '@stx-make/core/graph/model';
import type { Session } from './api.ts';
import type { RecipeFiles } from './plan/inputs.ts';
import type { Driver } from './run/driver.ts';
import type { State } from './state/state.ts';

export interface Workspace extends Session {
  /** The real path of the root: keys what is remembered of this tree. */
  readonly treeKey: string;
  readonly env: NodeJS.ProcessEnv;
  /** Who builds; loaded when something must be built. */
  driver(): Promise<Driver>;
  /** Opened at the first call. @throws ProblemError `state-newer`, `state-unusable` */
  openState(): State;
  /** Opened with `outline`, and so it is: `tree` has its warnings only. `complete` brings the rest. */
  readonly isOutline: boolean;
  /** Of an outline the whole tree, as its files were when it was opened. @throws ProblemError */
  complete(): Promise<LoadedTree>;
  /** The files of a recipe as the loaded tree was read from them. */
  filesOf(recipe: string): RecipeFiles;
  /** Looks at a recipe's folder again, by stat: does it hold exactly these files? */
  isUnchanged(recipe: string, files: RecipeFiles): boolean;
  /** Reads the whole tree again, as its files are now. @throws ProblemError */
  reload(): Promise<LoadedTree>;
}

/** All of `Session`s made by this package are workspaces. */
export function workspaceOf(session: Session): Workspace {
  if (!('openState' in session)) throw new Error('this session was not opened by openSession');
  return session as Workspace;
}

/** Selected targets and all they need, topological; empty selection means all. */
export function closureOf(tree: LoadedTree, selection: readonly string[]): GraphTarget[] {
  const { graph } = tree;
  const wanted = new Set<string>();
  const visit = [...(selection.length === 0 ? graph.targets.keys() : selection)];
  for (let name = visit.pop(); name !== undefined; name = visit.pop()) {
    if (wanted.has(name)) continue;
    wanted.add(name);
    visit.push(...(graph.targets.get(name)?.dependencies ?? []));
  }
  return graph.order.flatMap((name) => {
    const target = wanted.has(name) ? graph.targets.get(name) : undefined;
    return target === undefined ? [] : [target];
  });
}
