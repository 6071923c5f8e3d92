/**
 * What a change will probably cost: which of the affected targets will really be built, where a change probably stops,
 * and how long it takes by what history says.
 *
 * Pure. An outlook only: nothing here decides whether something is built.
 */
import type { TargetGraph } from '../graph/model.ts';

/** A target that will be built and will probably give what it gave before. */
export interface Cutoff {
  readonly target: string;
  /** Why that is probable. */
  readonly text: string;
}

export interface Cost {
  readonly targets: number;
  /** How many of them history knows; the others are taken for the median of all it knows. */
  readonly known: number;
  /** Milliseconds of one worker. */
  readonly work: number;
  /** Milliseconds of the longest chain: no number of workers makes it faster. */
  readonly chain: number;
}

export interface Outlook {
  /** The affected targets that will be built if the cutoffs come true, in build order. */
  readonly likely: readonly string[];
  /** Those among them at which something would stop, in build order. */
  readonly cutoffs: readonly Cutoff[];
  /** Of everything affected; null where history knows nothing at all. */
  readonly most: Cost | null;
  /** Of the likely ones. */
  readonly least: Cost | null;
}

export interface OutlookInput {
  readonly graph: TargetGraph;
  readonly changed: ReadonlySet<string>;
  readonly affected: ReadonlySet<string>;
  /** Why a target that is built will probably give what it gave before; null where it will not. */
  readonly quiet: (target: string) => string | null;
  /** Expected milliseconds, by target. */
  readonly estimates: ReadonlyMap<string, number>;
}

export function outlookOf({ graph, changed, affected, quiet, estimates }: OutlookInput): Outlook {
  const order = graph.order.filter((name) => affected.has(name));
  const likely: string[] = [];
  const cutoffs: Cutoff[] = [];
  // Targets whose output will probably be another one.
  const loud = new Set<string>();
  for (const name of order) {
    const needs = graph.targets.get(name)?.dependencies ?? [];
    if (!changed.has(name) && !needs.some((needed) => loud.has(needed))) continue;
    likely.push(name);
    const text = quiet(name);
    if (text === null) loud.add(name);
    else if ((graph.dependents.get(name) ?? []).length > 0) cutoffs.push({ target: name, text });
  }
  return {
    likely,
    cutoffs,
    most: costOf(order, graph, estimates),
    least: costOf(likely, graph, estimates),
  };
}

/** `order`: dependencies first. */
function costOf(
  order: readonly string[],
  graph: TargetGraph,
  estimates: ReadonlyMap<string, number>,
): Cost | null {
  if (estimates.size === 0) return null;
  const all = [...estimates.values()].sort((a, b) => a - b);
  const usual = all[all.length >> 1] ?? 0;
  const ends = new Map<string, number>();
  let work = 0;
  let chain = 0;
  let known = 0;
  for (const name of order) {
    const estimate = estimates.get(name);
    if (estimate !== undefined) known++;
    const duration = estimate ?? usual;
    let start = 0;
    for (const needed of graph.targets.get(name)?.dependencies ?? []) {
      start = Math.max(start, ends.get(needed) ?? 0);
    }
    ends.set(name, start + duration);
    work += duration;
    chain = Math.max(chain, start + duration);
  }
  return { targets: order.length, known, work, chain };
}
