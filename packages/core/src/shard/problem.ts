/**
 * The targets as numbers: who needs whom, how long each takes, how urgent each is. Equal input in another order gives
 * the same numbers in another order, and the same ranks.
 *
 * Pure. Unaware of shards.
 */
import { byCodeUnit } from '../order.ts';
import type { ShardTarget } from './model.ts';

/** What a build takes when nothing at all is known, ms. */
const UNKNOWN_DURATION = 60_000;

export interface Problem {
  readonly targets: readonly ShardTarget[];
  /** ms, of each target. */
  readonly durations: readonly number[];
  /** ms, the median of those known. */
  readonly usual: number;
  /** Indexes of what each needs, and of what needs each. */
  readonly needs: readonly (readonly number[])[];
  readonly neededBy: readonly (readonly number[])[];
  /** ms from the start of each to the end of the last of those that need it, over the longest way. */
  readonly urgency: readonly number[];
  /** Place of each when sorted by urgency; ties by level, then by name. Dependencies come before what needs them. */
  readonly rank: readonly number[];
}

/** @throws Error for a cycle or a name given twice: the graph has neither */
export function problemOf(targets: readonly ShardTarget[]): Problem {
  const index = new Map(targets.map(({ name }, at) => [name, at]));
  if (index.size !== targets.length) throw new Error('a target was given twice');
  const needs = targets.map(({ dependencies }) => [
    ...new Set(dependencies.map((name) => index.get(name)).filter((at) => at !== undefined)),
  ]);
  const neededBy: number[][] = targets.map(() => []);
  for (const [at, list] of needs.entries()) for (const needed of list) neededBy[needed]?.push(at);

  const known = targets.map(({ expected }) => expected).filter((value) => value !== null);
  known.sort((a, b) => a - b);
  const usual = known[known.length >> 1] ?? UNKNOWN_DURATION;
  const durations = targets.map(({ expected }) => expected ?? usual);

  const levels = levelsOf(needs, neededBy);
  const fromTop = [...targets.keys()].sort((a, b) => (levels[b] ?? 0) - (levels[a] ?? 0));
  const urgency = targets.map(() => 0);
  for (const at of fromTop) {
    let longest = 0;
    for (const dependent of neededBy[at] ?? []) longest = Math.max(longest, urgency[dependent] ?? 0);
    urgency[at] = longest + (durations[at] ?? 0);
  }
  const rank = targets.map(() => 0);
  const ranked = [...targets.keys()].sort(
    (a, b) =>
      (urgency[b] ?? 0) - (urgency[a] ?? 0) ||
      (levels[a] ?? 0) - (levels[b] ?? 0) ||
      byCodeUnit(targets[a]?.name ?? '', targets[b]?.name ?? ''),
  );
  for (const [place, at] of ranked.entries()) rank[at] = place;
  return { targets, durations, usual, needs, neededBy, urgency, rank };
}

/** 0: needs nothing; n: something of level n - 1. */
function levelsOf(needs: Problem['needs'], neededBy: Problem['neededBy']): number[] {
  const levels = needs.map(() => 0);
  const open = needs.map((list) => list.length);
  const queue = [...open.keys()].filter((at) => open[at] === 0);
  for (const at of queue) {
    for (const dependent of neededBy[at] ?? []) {
      levels[dependent] = Math.max(levels[dependent] ?? 0, (levels[at] ?? 0) + 1);
      open[dependent] = (open[dependent] ?? 0) - 1;
      if (open[dependent] === 0) queue.push(dependent);
    }
  }
  if (queue.length < needs.length) throw new Error('targets to share out need each other in a circle');
  return levels;
}

/** The longest chain of builds, what needs nothing first: always the most urgent of what can follow. */
export function criticalPath({ targets, needs, neededBy, rank }: Problem): string[] {
  const path: string[] = [];
  let next = [...targets.keys()].filter((at) => needs[at]?.length === 0);
  while (next.length > 0) {
    const at = next.reduce((best, each) => ((rank[each] ?? 0) < (rank[best] ?? 0) ? each : best));
    path.push(targets[at]?.name ?? '');
    next = [...(neededBy[at] ?? [])];
  }
  return path;
}
