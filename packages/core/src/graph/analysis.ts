/**
 * Questions about the whole graph: levels, the longest chain, paths, the edges that matter for a picture.
 *
 * On graphology; loaded by those commands that ask (`analyseGraph` in index.ts).
 */
import { topologicalGenerations } from 'graphology-dag/topological-sort.js';
import { byCodeUnit } from '../order.ts';
import { type Digraph, toDigraph } from './digraph.ts';
import type { Edge, GraphTarget } from './model.ts';

/** A pair of targets: the first needs the second. */
export interface Link {
  readonly from: string;
  readonly to: string;
}

/** As much of a graph as is asked here: a whole one has it, and a plan's targets do, too. */
export interface Linked {
  /** Keys sorted by code unit. */
  readonly targets: ReadonlyMap<string, Pick<GraphTarget, 'name' | 'dependencies' | 'edges'>>;
}

export class GraphAnalysis {
  readonly #graph: Linked;
  readonly #digraph: Digraph;
  #levels: readonly (readonly string[])[] | undefined;

  constructor(graph: Linked) {
    this.#graph = graph;
    this.#digraph = toDigraph(graph.targets.values());
  }

  /** Targets by level, each sorted: level 0 needs nothing, level n something of level n - 1. */
  levels(): readonly (readonly string[])[] {
    this.#levels ??= topologicalGenerations(this.#digraph).map((level) => [...level].sort(byCodeUnit));
    return this.#levels;
  }

  /** A longest chain, what needs nothing first; of several the first by code unit, seen from its end. */
  longestChain(): string[] {
    const levels = this.levels();
    let [target] = levels.at(-1) ?? [];
    const chain: string[] = [];
    for (let level = levels.length - 1; target !== undefined; level--) {
      chain.push(target);
      const needed: readonly string[] = this.#graph.targets.get(target)?.dependencies ?? [];
      const below = new Set(levels[level - 1]);
      target = needed.find((name) => below.has(name));
    }
    return chain.reverse();
  }

  /** A longest chain from something that needs nothing to this target, both included: its lineage. Of several the
   * first by code unit, seen from the target. Empty where there is no such target. */
  chainTo(target: string): string[] {
    const levels = this.levels();
    const levelOf = new Map(levels.flatMap((names, level) => names.map((name) => [name, level] as const)));
    const chain: string[] = [];
    let at = this.#graph.targets.has(target) ? target : undefined;
    for (let level = levelOf.get(target) ?? 0; at !== undefined; level--) {
      chain.push(at);
      at = this.#graph.targets.get(at)?.dependencies.find((name) => levelOf.get(name) === level - 1);
    }
    return chain.reverse();
  }

  /** The shortest way in which `from` needs `to`: for each step the places where it is written. Null where it does
   * not need it; empty for the target itself. Of several the first by code unit. */
  path(from: string, to: string): readonly (readonly Edge[])[] | null {
    if (!this.#digraph.hasNode(from) || !this.#digraph.hasNode(to)) return null;
    const cameFrom = new Map<string, string>();
    const queue = [from];
    for (const name of queue) {
      if (name === to) return this.#steps(from, to, cameFrom);
      for (const needed of this.#graph.targets.get(name)?.dependencies ?? []) {
        if (needed === from || cameFrom.has(needed)) continue;
        cameFrom.set(needed, name);
        queue.push(needed);
      }
    }
    return null;
  }

  #steps(from: string, to: string, cameFrom: ReadonlyMap<string, string>): (readonly Edge[])[] {
    const steps: (readonly Edge[])[] = [];
    for (let name = to; name !== from; ) {
      const needs = cameFrom.get(name) ?? from;
      steps.push(this.#digraph.getEdgeAttribute(name, needs, 'places'));
      name = needs;
    }
    return steps.reverse();
  }

  /** The links that no longer way replaces: the smallest graph with the same order. Sorted. */
  transitiveReduction(): Link[] {
    const order = this.levels().flat();
    const position = new Map(order.map((name, index) => [name, index]));
    const words = Math.ceil(order.length / 32);
    const reach = new Map<string, Uint32Array>();
    const links: Link[] = [];
    for (const from of order) {
      const reached = new Uint32Array(words);
      // The latest first: only what comes later in the order can reach what comes earlier.
      const needed = this.#digraph
        .inNeighbors(from)
        .map((to) => ({ to, at: position.get(to) ?? 0 }))
        .sort((a, b) => b.at - a.at);
      for (const { to, at } of needed) {
        const word = at >>> 5;
        const bit = 1 << (at & 31);
        if (((reached[word] ?? 0) & bit) !== 0) continue;
        links.push({ from, to });
        const below = reach.get(to) ?? new Uint32Array(words);
        for (let i = 0; i < words; i++) reached[i] = (reached[i] ?? 0) | (below[i] ?? 0);
        reached[word] = (reached[word] ?? 0) | bit;
      }
      reach.set(from, reached);
    }
    return links.sort((a, b) => byCodeUnit(a.from, b.from) || byCodeUnit(a.to, b.to));
  }
}
