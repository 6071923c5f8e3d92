/**
 * The critical path of a run that is over: the chain of targets, each needing the one before, whose builds took
 * longest together. More workers would not have made the run shorter than it.
 *
 * Pure. Works on places and numbers.
 */

export interface ChainTarget {
  /** Places of what it needs. */
  readonly dependencies: readonly number[];
}

/** @param durationOf ms; 0 for what was not built. @returns places, what needs nothing of the others first; only
 * targets that took time. Of several the one whose end comes first in `targets`. */
export function longestChain(
  targets: readonly ChainTarget[],
  durationOf: (target: number) => number,
): number[] {
  const length = new Map<number, number>();
  const before = new Map<number, number>();
  for (const target of topological(targets)) {
    let longest = 0;
    for (const needed of targets[target]?.dependencies ?? []) {
      const chain = length.get(needed) ?? 0;
      if (chain > longest) {
        longest = chain;
        before.set(target, needed);
      }
    }
    length.set(target, longest + durationOf(target));
  }
  let end = 0;
  for (let target = 1; target < targets.length; target++) {
    if ((length.get(target) ?? 0) > (length.get(end) ?? 0)) end = target;
  }
  const chain: number[] = [];
  for (
    let at: number | undefined = targets.length > 0 ? end : undefined;
    at !== undefined;
    at = before.get(at)
  ) {
    if (durationOf(at) > 0) chain.unshift(at);
  }
  return chain;
}

/** Places, dependencies first. Iterative: chains may be thousands long. What is in a cycle (a damaged record) comes
 * in some order. */
export function topological(targets: readonly ChainTarget[]): number[] {
  const order: number[] = [];
  const seen = new Set<number>();
  const done = new Set<number>();
  for (let root = 0; root < targets.length; root++) {
    const open = [root];
    for (let at = open.at(-1); at !== undefined; at = open.at(-1)) {
      if (!seen.has(at)) {
        seen.add(at);
        for (const needed of targets[at]?.dependencies ?? []) if (!seen.has(needed)) open.push(needed);
        continue;
      }
      open.pop();
      if (done.has(at)) continue;
      done.add(at);
      order.push(at);
    }
  }
  return order;
}
