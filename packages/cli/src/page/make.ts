/**
 * Puts pages together: the graph is reduced and laid out, the run's data joined to it. Reads and writes no files.
 */
import { analyseGraph } from '@stx-make/core/graph/index';
import { VERSION } from '../version.ts';
import { layOut } from './layout.ts';
import { PAGE_SCHEMA, type PageData, type PageRun, type PageTarget, type Picture } from './model.ts';

/** A target as far as pictures are concerned. */
export interface PictureTarget {
  readonly name: string;
  readonly stage: string;
  readonly dependencies: readonly string[];
}

/** The picture of a graph: without the links that longer ways imply (StageX has 3,569, of which 977 are left).
 * @param targets sorted by name; needed ones that are not among them are left out. */
export async function pictureOf(targets: readonly PictureTarget[]): Promise<Picture> {
  const known = new Map(targets.map(({ name }, place) => [name, place]));
  const nodes = targets.map(({ name, dependencies }) => ({
    name,
    dependencies: dependencies.filter((needed) => known.has(needed)),
    edges: [],
  }));
  const analysis = await analyseGraph({ targets: new Map(nodes.map((node) => [node.name, node])) });
  const links = analysis.transitiveReduction().flatMap(({ from, to }) => {
    const [a, b] = [known.get(from), known.get(to)];
    return a === undefined || b === undefined ? [] : [{ from: a, to: b }];
  });
  return await layOut(targets, links);
}

/** @param run null: a page of the graph alone. */
export async function pageData(
  title: string,
  targets: readonly PageTarget[],
  run: PageRun | null,
): Promise<PageData> {
  const picture = await pictureOf(
    targets.map(({ name, stage, dependencies }) => ({
      name,
      stage,
      dependencies: dependencies.flatMap((place) => targets[place]?.name ?? []),
    })),
  );
  return { schema: PAGE_SCHEMA, title, version: VERSION, targets, run, picture };
}

/** Targets of a tree for a page of the graph alone. @param targets sorted by name. */
export function plainTargets(targets: readonly PictureTarget[]): PageTarget[] {
  const places = new Map(targets.map(({ name }, place) => [name, place]));
  return targets.map(({ name, stage, dependencies }) => ({
    name,
    stage,
    dependencies: dependencies.flatMap((needed) => places.get(needed) ?? []),
    outcome: null,
  }));
}
