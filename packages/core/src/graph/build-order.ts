/**
 * Build order on plain maps: the one question about the graph that every run asks, also the one that has
 * nothing to do.
 */
import { byCodeUnit } from '../order.ts';

export interface Ordered {
  /** Level by level, by code unit within a level: dependencies first. Shorter than the input where targets
   * need each other. */
  readonly order: string[];
  /** target -> targets that need it directly, sorted. Every target has an entry. */
  readonly dependents: Map<string, string[]>;
}

/** Kahn's algorithm by levels. A target's level is one above that of its highest dependency. `targets`: keys
 * sorted; values the names needed, each of them a key. */
export function orderTargets(targets: ReadonlyMap<string, readonly string[]>): Ordered {
  const dependents = new Map<string, string[]>();
  const waiting = new Map<string, number>();
  for (const name of targets.keys()) dependents.set(name, []);
  let level: string[] = [];
  for (const [name, dependencies] of targets) {
    for (const needed of dependencies) dependents.get(needed)?.push(name);
    if (dependencies.length === 0) level.push(name);
    else waiting.set(name, dependencies.length);
  }
  const order: string[] = [];
  while (level.length > 0) {
    order.push(...level);
    const next: string[] = [];
    for (const done of level) {
      for (const name of dependents.get(done) ?? []) {
        const left = (waiting.get(name) ?? 0) - 1;
        waiting.set(name, left);
        if (left === 0) next.push(name);
      }
    }
    level = next.sort(byCodeUnit);
  }
  return { order, dependents };
}
