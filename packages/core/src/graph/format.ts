/**
 * The graph as documents: JSON as INTERFACE.md fixes it, DOT for pictures.
 */
import { byCodeUnit } from '../order.ts';
import type { Link } from './analysis.ts';
import type { Edge, LoadedTree, TargetGraph } from './model.ts';

export interface GraphDocument {
  readonly schema: 1;
  readonly root: string;
  readonly targets: readonly GraphDocumentTarget[];
  readonly edges: readonly Edge[];
}

export interface GraphDocumentTarget {
  readonly name: string;
  readonly stage: string;
  /** `<stage>/<name>` of the folder. */
  readonly recipe: string;
  readonly dir: string;
  readonly version: string | null;
  readonly platforms: readonly string[];
  readonly buildTarget: string | null;
  readonly tag: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly sources: readonly {
    readonly name: string;
    readonly file: string;
    readonly sha256: string;
    readonly mirrors: readonly string[];
  }[];
}

/** `graph --format json`. `root`: the tree's, absolute. Targets by name; edges by target, then place. */
export function graphJson(root: string, tree: LoadedTree): GraphDocument {
  const targets = [...tree.graph.targets.values()];
  return {
    schema: 1,
    root,
    targets: targets.map(({ name, stage, recipe, platforms, buildTarget, tag, buildArgs }) => ({
      name,
      stage,
      recipe: recipe.id,
      dir: recipe.dir,
      version: recipe.version,
      platforms,
      buildTarget,
      tag,
      buildArgs,
      sources: recipe.sources.map(({ name: source, file, sha256, mirrors }) => ({
        name: source,
        file,
        sha256,
        mirrors,
      })),
    })),
    edges: targets.flatMap(({ edges }) =>
      edges.map(({ from, to, kind, file, line }) => ({ from, to, kind, file, line })),
    ),
  };
}

/** Graphviz. An arrow points from what needs to what is needed; one cluster a stage. `links`: which arrows to draw
 * (the transitive reduction is legible; StageX has 3,569 without it); all where not given. */
export function graphDot(graph: TargetGraph, links?: readonly Link[]): string {
  const byStage = new Map<string, string[]>();
  for (const { name, stage } of graph.targets.values()) {
    const names = byStage.get(stage);
    if (names === undefined) byStage.set(stage, [name]);
    else names.push(name);
  }
  const lines = ['digraph targets {', '  rankdir=RL;', '  node [shape=box];'];
  for (const stage of [...byStage.keys()].sort(byCodeUnit)) {
    lines.push(`  subgraph ${quote(`cluster_${stage}`)} {`, `    label=${quote(stage)};`);
    for (const name of byStage.get(stage) ?? []) lines.push(`    ${quote(name)};`);
    lines.push('  }');
  }
  for (const { from, to } of links ?? allLinks(graph)) lines.push(`  ${quote(from)} -> ${quote(to)};`);
  lines.push('}', '');
  return lines.join('\n');
}

function allLinks(graph: TargetGraph): Link[] {
  return [...graph.targets.values()].flatMap(({ name, dependencies }) =>
    dependencies.map((to) => ({ from: name, to })),
  );
}

/** A quoted DOT string; only the quote is special in it, and the backslash before one. */
function quote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
