/**
 * Cycles: the whole path, each step with its place; one for each knot of targets that need each other.
 *
 * Loaded only when ordering the targets has failed.
 */
import { inputProblem, type Problem } from '../errors.ts';
import { byCodeUnit } from '../order.ts';
import { type Digraph, toDigraph } from './digraph.ts';
import type { Edge } from './model.ts';

/** A `dependency-cycle` for each strongly connected component, sorted; the shortest cycle through its first
 * target. */
export function cycleProblems(
  targets: Iterable<{
    readonly name: string;
    readonly dependencies: readonly string[];
    readonly edges: readonly Edge[];
  }>,
): Problem[] {
  const graph = toDigraph(targets);
  return knots(graph).map((knot) => problemOf(graph, cycleIn(graph, knot)));
}

/** Strongly connected components that hold a cycle, each sorted, sorted by their first target. Tarjan's
 * algorithm with a stack of its own: chains can be longer than the call stack. */
export function knots(graph: Digraph): string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const open: string[] = [];
  const isOpen = new Set<string>();
  const found: string[][] = [];
  const enter = (node: string) => {
    index.set(node, index.size);
    low.set(node, index.get(node) ?? 0);
    open.push(node);
    isOpen.add(node);
    return { node, next: graph.outNeighbors(node).values() };
  };
  for (const start of graph.nodes()) {
    if (index.has(start)) continue;
    const stack = [enter(start)];
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      const { node } = frame;
      const { value: neighbour, done } = frame.next.next();
      if (!done) {
        if (!index.has(neighbour)) stack.push(enter(neighbour));
        else if (isOpen.has(neighbour)) lower(low, node, index.get(neighbour));
        continue;
      }
      stack.pop();
      const parent = stack.at(-1);
      if (parent !== undefined) lower(low, parent.node, low.get(node));
      if (low.get(node) !== index.get(node)) continue;
      const knot = open.splice(open.lastIndexOf(node));
      for (const member of knot) isOpen.delete(member);
      if (knot.length > 1 || graph.hasEdge(node, node)) found.push(knot.sort(byCodeUnit));
    }
  }
  return found.sort((a, b) => byCodeUnit(a[0] ?? '', b[0] ?? ''));
}

function lower(low: Map<string, number>, node: string, to: number | undefined): void {
  if (to !== undefined && to < (low.get(node) ?? 0)) low.set(node, to);
}

/** The shortest cycle through the first target of a knot, as needs: each needs the next, the last the first.
 * Breadth first, neighbours by code unit. */
function cycleIn(graph: Digraph, knot: readonly string[]): string[] {
  const [start = ''] = knot;
  const inside = new Set(knot);
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const node of queue) {
    for (const needed of graph.inNeighbors(node).sort(byCodeUnit)) {
      if (needed === start) return pathTo(node, start, cameFrom);
      if (!inside.has(needed) || cameFrom.has(needed)) continue;
      cameFrom.set(needed, node);
      queue.push(needed);
    }
  }
  throw new Error(`no cycle through ${start}`);
}

function pathTo(end: string, start: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const path = [end];
  for (let node = end; node !== start; ) {
    node = cameFrom.get(node) ?? start;
    path.push(node);
  }
  return path.reverse();
}

function problemOf(graph: Digraph, cycle: readonly string[]): Problem {
  const [start = ''] = cycle;
  const steps = cycle.map((node, at) => {
    const needed = cycle[at + 1] ?? start;
    const [place] = graph.getEdgeAttribute(needed, node, 'places');
    return { text: `${node} needs ${needed} (${place?.file}:${place?.line})`, place };
  });
  const place = steps[0]?.place;
  return inputProblem({
    code: 'dependency-cycle',
    text: `these targets need each other: ${steps.map(({ text }) => text).join(', ')}`,
    file: place?.file,
    line: place?.line,
  });
}
