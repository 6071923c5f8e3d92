/**
 * What a set of targets needs, and what needs it, directly or through others.
 */
import { byCodeUnit } from '../order.ts';
import type { TargetGraph } from './model.ts';

/** The targets and all they need, sorted. Names that are no targets are ignored. */
export function withDependencies(graph: TargetGraph, names: Iterable<string>): string[] {
  return closure(names, (name) => graph.targets.get(name)?.dependencies);
}

/** The targets and all that need them, sorted. Names that are no targets are ignored. */
export function withDependents(graph: TargetGraph, names: Iterable<string>): string[] {
  return closure(names, (name) => graph.dependents.get(name));
}

/** What one target needs, sorted, without itself. */
export function dependenciesOf(graph: TargetGraph, name: string, transitive: boolean): string[] {
  const direct = graph.targets.get(name)?.dependencies ?? [];
  return transitive ? withDependencies(graph, direct) : [...direct];
}

/** What needs one target, sorted, without itself. */
export function dependentsOf(graph: TargetGraph, name: string, transitive: boolean): string[] {
  const direct = graph.dependents.get(name) ?? [];
  return transitive ? withDependents(graph, direct) : [...direct];
}

function closure(names: Iterable<string>, next: (name: string) => readonly string[] | undefined): string[] {
  const found = new Set<string>();
  const queue = [...names];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const neighbours = found.has(name) ? undefined : next(name);
    if (neighbours === undefined) continue;
    found.add(name);
    queue.push(...neighbours);
  }
  return [...found].sort(byCodeUnit);
}
