/** The StageX graph shared out by stx-make's own assignment, as the simulation takes it. */
import { assignShards } from '../../packages/core/src/shard/index.ts';
import type { Sharing } from './shards.ts';
import type { Jobs } from './simulate.ts';

/** @param history what is known of durations; null: nothing was ever built */
export function shared(
  { names, needs }: Jobs,
  history: readonly number[] | null,
  { shards, places, transfer }: Pick<Sharing, 'shards' | 'places' | 'transfer'>,
): Sharing & { readonly expected: number; readonly transfers: number } {
  const assignment = assignShards({
    targets: names.map((name, at) => ({
      name,
      dependencies: (needs[at] ?? []).map((needed) => names[needed] ?? ''),
      expected: history?.[at] ?? null,
    })),
    shards,
    jobs: places,
    transfer,
  });
  return {
    shardOf: names.map((name) => (assignment.shardOf.get(name) ?? 0) - 1),
    urgency: names.map((name) => assignment.urgency.get(name) ?? 0),
    shards,
    places,
    transfer,
    expected: assignment.makespan,
    transfers: assignment.transfers,
  };
}
