/**
 * How many shards are worth their machines: the fewest after which more of them save less than a twentieth of the time.
 *
 * Pure. Knows of the schedule only that it is made by assignShards.
 */
import { assignShards } from './assign.ts';
import type { ShardRequest } from './model.ts';

/** Jobs that a matrix of GitHub may have; others allow no fewer. */
export const MOST_SHARDS = 256;

/** Makespans within this of each other are alike: more machines would hardly be noticed. */
const GAIN = 0.05;

/** The fewest shards so that no larger number, up to `most`, makes the run 5 % shorter. At least 1. */
export function fewestShards(request: Omit<ShardRequest, 'shards'>, most = MOST_SHARDS): number {
  const { targets } = request;
  const makespan = (shards: number): number => assignShards({ ...request, shards }).makespan;
  const largest = Math.max(1, Math.min(most, targets.length));
  const { makespan: least, shares } = assignShards({ ...request, shards: largest });
  const enough = least / (1 - GAIN);
  // Fewer could not even do the work in that time.
  const work = shares.reduce((sum, { load }) => sum + load, 0);
  const first = enough === 0 ? 1 : Math.ceil(work / (request.jobs * enough));
  for (let shards = Math.max(1, first); shards < largest; shards += 1) {
    if (makespan(shards) <= enough) return shards;
  }
  return largest;
}
