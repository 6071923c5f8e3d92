/**
 * The graph of targets: loading a tree, names, selections, documents. Analysis on graphology is loaded when it is
 * asked for: see `analyseGraph`.
 */
import type { GraphAnalysis, Linked } from './analysis.ts';

export type { GraphAnalysis, Link, Linked } from './analysis.ts';
export { type HashedFolder, type LineStore, memoryLines, RecipeCache } from './cache.ts';
export { dependenciesOf, dependentsOf, withDependencies, withDependents } from './closure.ts';
export { type GraphDocument, type GraphDocumentTarget, graphDot, graphJson } from './format.ts';
export { type ImageMeaning, type ImageName, meaningOf, parseImage } from './image.ts';
export { type HeadResult, type LoadOptions, type LoadResult, loadHead, loadTree } from './load.ts';
export type { Edge, GraphTarget, LoadedTree, RecipeFolder, TargetGraph } from './model.ts';
export { bareName, NameIndex, type NameResult, resolveName } from './names.ts';
export { patchHead } from './patch.ts';
export {
  folderReader,
  GIVEN_CONTEXTS,
  type RecipeReader,
  type ResolveFacts,
  type ResolveRequest,
} from './reader.ts';
export { type Selection, type SelectOptions, select } from './select.ts';
export { recipesKey, type TreeHead, treeKey, treeOf } from './snapshot.ts';

/** Levels, chains, paths and the transitive reduction of a graph. Costs some 20 ms for StageX. */
export async function analyseGraph(graph: Linked): Promise<GraphAnalysis> {
  const { GraphAnalysis: Analysis } = await import('./analysis.ts');
  return new Analysis(graph);
}
