/**
 * A whole loaded tree as text, for the run that finds nothing changed: thawing costs a JSON.parse and no look at
 * any reference (513 targets: 15 ms, against 45 ms from kept facts and 400 ms from the files). Its key lies apart, so
 * that a run which needs no target of the tree need not even thaw it.
 *
 * The text is only a cache: what can not be read is no tree. Unaware of where it lies.
 */
import { digestOf } from '../oci/digest.ts';
import type { Digest } from '../oci/model.ts';
import { byCodeUnit } from '../order.ts';
import { FACTS_VERSION } from '../recipe/facts.ts';
import type { HashedFolder } from './cache.ts';
import type { LoadOptions } from './load.ts';
import type { Edge, GraphTarget, LoadedTree } from './model.ts';

/** Raised when the shape of the text changes; what it holds is versioned by FACTS_VERSION. */
const SNAPSHOT_VERSION = 2;

/** The hash of all recipes a tree has, in any order. */
export function recipesKey(folders: readonly Omit<HashedFolder, 'read'>[]): Digest {
  const rows = folders
    .map(({ stage, name, dir, packageToml, containerfile }) =>
      JSON.stringify([dir, stage, name, packageToml, containerfile]),
    )
    .sort(byCodeUnit);
  return digestOf(rows.join('\n'));
}

/** Everything that decides what a tree loads to. `recipes`: its recipesKey; `program`: as for FactsCache. */
export function treeKey(recipes: Digest, { platform, allowedImages }: LoadOptions, program = ''): string {
  const images = [...(allowedImages ?? [])].sort(byCodeUnit);
  return JSON.stringify([SNAPSHOT_VERSION, FACTS_VERSION, program, platform, images, recipes]);
}

/** An edge without what its target says already: needed target, kind, line. */
type ShortEdge = readonly [to: string, kind: Edge['kind'], line: number];

type ShortTarget = Omit<GraphTarget, 'recipe' | 'edges' | 'contextNames'> & {
  /** Index into the recipes. */
  readonly recipe: number;
  readonly edges: readonly ShortEdge[];
  readonly contextNames: readonly (readonly [string, string])[];
};

interface Snapshot extends Pick<LoadedTree, 'recipes' | 'warnings'> {
  readonly targets: readonly ShortTarget[];
  readonly order: readonly string[];
}

/** The text of a tree. */
export function freezeTree({ recipes, graph, warnings }: LoadedTree): string {
  const indexes = new Map(recipes.map((recipe, index) => [recipe, index]));
  const targets = [...graph.targets.values()].map((target): ShortTarget => {
    const recipe = indexes.get(target.recipe);
    if (recipe === undefined) throw new Error(`${target.name} is of no recipe of the tree`);
    return {
      ...target,
      recipe,
      edges: target.edges.map(({ to, kind, line }): ShortEdge => [to, kind, line]),
      contextNames: [...target.contextNames],
    };
  });
  const snapshot: Snapshot = { recipes, targets, order: graph.order, warnings };
  return JSON.stringify(snapshot);
}

/** The tree, or null where the text can not be read. */
export function thawTree(text: string): LoadedTree | null {
  let snapshot: Snapshot;
  try {
    snapshot = JSON.parse(text) as Snapshot;
  } catch {
    return null;
  }
  const { recipes, order, warnings } = snapshot;
  const targets = new Map<string, GraphTarget>();
  const dependents = new Map<string, string[]>();
  for (const { name } of snapshot.targets) dependents.set(name, []);
  for (const short of snapshot.targets) {
    const recipe = recipes[short.recipe];
    if (recipe === undefined) return null;
    const { name, contextNames } = short;
    const file = `${recipe.dir}/Containerfile`;
    const edges = short.edges.map(([to, kind, line]): Edge => ({ from: name, to, kind, file, line }));
    targets.set(name, { ...short, recipe, edges, contextNames: new Map(contextNames) });
    for (const needed of short.dependencies) dependents.get(needed)?.push(name);
  }
  return { recipes, graph: { targets, order, dependents }, warnings };
}
