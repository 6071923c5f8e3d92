/**
 * Runs on several machines in numbers: every shard begins the most urgent of its own targets whose inputs have arrived,
 * durations are known only to the simulation. And what flat matrices do: wave after wave.
 *
 * Shares no code with packages/; knows targets as indexes, shards from 0.
 */
import { invert, type Jobs } from './simulate.ts';

export interface Sharing {
  /** Of each job. */
  readonly shardOf: readonly number[];
  readonly urgency: readonly number[];
  readonly shards: number;
  /** Builds at a time on each shard. */
  readonly places: number;
  /** From the end of a build until another shard can begin with what it gave. */
  readonly transfer: number;
}

/** When the last is done, and when each. */
export function sharedMakespan(
  { needs }: Jobs,
  durations: readonly number[],
  { shardOf, urgency, shards, places, transfer }: Sharing,
): { readonly makespan: number; readonly ends: readonly number[] } {
  const dependents = invert(needs);
  const missing = needs.map((list) => list.length);
  const ends = needs.map(() => Number.POSITIVE_INFINITY);
  const queues: { job: number; from: number }[][] = Array.from({ length: shards }, () => []);
  const free = Array.from({ length: shards }, () => places);
  const running = new Set<number>();
  const enqueue = (job: number): void => {
    const shard = shardOf[job] ?? 0;
    const from = Math.max(
      0,
      ...(needs[job] ?? []).map((needed) => (ends[needed] ?? 0) + (shardOf[needed] === shard ? 0 : transfer)),
    );
    queues[shard]?.push({ job, from });
  };
  for (const [job, count] of missing.entries()) if (count === 0) enqueue(job);
  for (let now = 0; ; ) {
    for (const [shard, queue] of queues.entries()) {
      while ((free[shard] ?? 0) > 0) {
        const ready = queue.filter(({ from }) => from <= now);
        if (ready.length === 0) break;
        const first = ready.reduce((best, each) =>
          (urgency[each.job] ?? 0) > (urgency[best.job] ?? 0) ? each : best,
        );
        queue.splice(queue.indexOf(first), 1);
        free[shard] = (free[shard] ?? 0) - 1;
        ends[first.job] = now + (durations[first.job] ?? 0);
        running.add(first.job);
      }
    }
    let next = Number.POSITIVE_INFINITY;
    for (const job of running) next = Math.min(next, ends[job] ?? 0);
    for (const queue of queues) for (const { from } of queue) if (from > now) next = Math.min(next, from);
    if (next === Number.POSITIVE_INFINITY) return { makespan: Math.max(0, ...ends), ends };
    now = next;
    for (const job of [...running]) {
      if ((ends[job] ?? 0) > now) continue;
      running.delete(job);
      const shard = shardOf[job] ?? 0;
      free[shard] = (free[shard] ?? 0) + 1;
      for (const dependent of dependents[job] ?? []) {
        missing[dependent] = (missing[dependent] ?? 0) - 1;
        if (missing[dependent] === 0) enqueue(dependent);
      }
    }
  }
}

/**
 * Level by level, as a matrix of CI does it that knows the graph's levels and no more: a wave begins when the whole one
 * before is done and its outputs have been passed on; in a wave every machine that is free takes the next job.
 */
export function wavesMakespan(
  { needs }: Jobs,
  durations: readonly number[],
  machines: number,
  transfer: number,
): number {
  const levels: number[] = [];
  const levelOf = (job: number): number => {
    levels[job] ??= Math.max(-1, ...(needs[job] ?? []).map(levelOf)) + 1;
    return levels[job];
  };
  const waves: number[][] = [];
  for (const job of needs.keys()) {
    const level = levelOf(job);
    waves[level] ??= [];
    waves[level].push(job);
  }
  let now = 0;
  for (const wave of waves) {
    const until = Array.from({ length: machines }, () => now);
    for (const job of wave) {
      const soonest = until.indexOf(Math.min(...until));
      until[soonest] = (until[soonest] ?? 0) + (durations[job] ?? 0);
    }
    now = Math.max(...until) + transfer;
  }
  return Math.max(0, now - transfer);
}
