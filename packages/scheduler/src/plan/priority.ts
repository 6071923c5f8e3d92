/**
 * Which ready target first: the one with the longest remaining path, in expected time.
 *
 * There is nothing better to be had on the StageX graph: at 4 to 12 workers it is within 0.5 % of what no schedule can
 * beat, and a search of a thousand schedules gains 0.1 % (docs/performance.md, bench/schedule.ts). What it is above
 * max(critical path, work / workers), up to 32 %, is that bound's fault: the graph has a waist.
 *
 * Pure; works on names and numbers. Durations come from history; where there is none, from the rest of the graph.
 */

/** What a build takes when nothing at all is known, ms. Only relations matter. */
const UNKNOWN_DURATION = 1_000;

/** Fills the gaps: a target never built is expected to take the median of those that were. */
export function expectedDurations(
  targets: readonly string[],
  history: ReadonlyMap<string, number>,
): Map<string, number> {
  const known = targets.map((name) => history.get(name)).filter((value) => value !== undefined);
  known.sort((a, b) => a - b);
  const usual = known[known.length >> 1] ?? UNKNOWN_DURATION;
  return new Map(targets.map((name) => [name, history.get(name) ?? usual]));
}

/**
 * target -> expected ms from its start to the end of the last of those that need it, over the longest way.
 * `order` is topological, dependencies first.
 */
export function remainingPaths(
  order: readonly string[],
  dependentsOf: (name: string) => readonly string[],
  durationOf: (name: string) => number,
): Map<string, number> {
  const remaining = new Map<string, number>();
  for (const name of order.toReversed()) {
    let longest = 0;
    for (const dependent of dependentsOf(name)) longest = Math.max(longest, remaining.get(dependent) ?? 0);
    remaining.set(name, longest + durationOf(name));
  }
  return remaining;
}
