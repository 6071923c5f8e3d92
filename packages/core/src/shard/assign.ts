/**
 * Which shard builds what. Every shard computes it for itself, without a clock, chance or locale, from the same graph
 * and the same durations, so all of them agree without a word.
 *
 * List scheduling on the longest remaining path: time is gone through from one end of a build to the next, and the most
 * urgent target that can begin on a shard with a place free begins there. It can begin where its inputs are at once, and
 * elsewhere one transfer later, so chains stay on one shard unless that is busy. A shard that later begins its own most
 * urgent target whenever a place is free repeats this very schedule if builds take what was expected: at no moment was
 * there a more urgent one for it. How good it is: bench/shards.ts, docs/ci.md.
 *
 * Pure. Unaware of records, registries and of what is running.
 */
import { sortedUnique } from '../order.ts';
import type { ShardAssignment, ShardRequest, ShardShare } from './model.ts';
import { criticalPath, type Problem, problemOf } from './problem.ts';

const TRANSFER_MS = 10_000;

/** Shares the targets out. The same for equal requests, in whatever order their targets are given. */
export function assignShards(request: ShardRequest): ShardAssignment {
  if (request.shards < 1 || request.jobs < 1)
    throw new Error('there must be a shard and a place for a build');
  const problem = problemOf(request.targets);
  const transfer = request.transfer ?? Math.min(TRANSFER_MS, problem.usual / 4);
  const schedule = new Schedule(problem, request, transfer);
  schedule.run();
  return schedule.assignment();
}

/** A target all whose dependencies are done. */
interface Open {
  readonly at: number;
  /** When it can begin on the first shard, and on one that has none of its inputs. */
  readonly earliest: number;
  readonly anywhere: number;
  /** When it can begin on those that have one or more, and how many they have. */
  readonly near: ReadonlyMap<number, { readonly from: number; readonly inputs: number }>;
}

class Schedule {
  readonly #problem: Problem;
  readonly #transfer: number;
  readonly #jobs: number;
  /** Of each shard, null: all. */
  readonly #platforms: readonly (readonly string[] | null)[];
  readonly #free: number[];
  readonly #load: number[];
  /** Of each target; -1: none yet, -2: no shard can build it. */
  readonly #shard: number[];
  readonly #starts: number[];
  readonly #ends: number[];
  readonly #missing: number[];
  /** By rank. */
  readonly #open: Open[] = [];
  #running: number[] = [];
  /** When inputs arrive somewhere, the latest first. */
  readonly #arrivals: number[] = [];

  constructor(problem: Problem, { shards, jobs, platformsOf }: ShardRequest, transfer: number) {
    this.#problem = problem;
    this.#transfer = transfer;
    this.#jobs = jobs;
    const all = Array.from({ length: shards }, (_, shard) => shard);
    this.#platforms = all.map((shard) => platformsOf?.[shard] ?? null);
    this.#free = all.map(() => jobs);
    this.#load = all.map(() => 0);
    this.#shard = problem.targets.map(() => -1);
    this.#starts = problem.targets.map(() => 0);
    this.#ends = problem.targets.map(() => 0);
    this.#missing = problem.needs.map((list) => list.length);
  }

  run(): void {
    for (const [at, missing] of this.#missing.entries()) if (missing === 0) this.#opens(at, 0);
    for (let now = 0; ; ) {
      this.#begin(now);
      now = this.#next(now);
      if (now === Number.POSITIVE_INFINITY) return;
      const done = this.#running.filter((at) => (this.#ends[at] ?? 0) <= now);
      this.#running = this.#running.filter((at) => (this.#ends[at] ?? 0) > now);
      for (const at of done) {
        const shard = this.#shard[at] ?? 0;
        this.#free[shard] = (this.#free[shard] ?? 0) + 1;
        this.#closes(at, now);
      }
    }
  }

  /** Begins whatever can begin now, the most urgent first. */
  #begin(now: number): void {
    let places = this.#free.reduce((sum, free) => sum + free, 0);
    for (let place = 0; place < this.#open.length && places > 0; ) {
      const open = this.#open[place];
      const shard = open === undefined ? -1 : this.#shardFor(open, now);
      if (open === undefined || shard < 0) {
        place += 1;
        continue;
      }
      this.#open.splice(place, 1);
      places -= 1;
      const duration = this.#problem.durations[open.at] ?? 0;
      this.#shard[open.at] = shard;
      this.#starts[open.at] = now;
      this.#ends[open.at] = now + duration;
      this.#free[shard] = (this.#free[shard] ?? 0) - 1;
      this.#load[shard] = (this.#load[shard] ?? 0) + duration;
      this.#running.push(open.at);
    }
  }

  /** The shard with most of its inputs, of equal ones the one with the least to do. -1: none now. */
  #shardFor(open: Open, now: number): number {
    if (open.earliest > now) return -1;
    let best = -1;
    let bestInputs = -1;
    for (const [shard, free] of this.#free.entries()) {
      if (free === 0 || !this.#can(shard, open.at)) continue;
      const near = open.near.get(shard);
      if ((near?.from ?? open.anywhere) > now) continue;
      const inputs = near?.inputs ?? 0;
      if (inputs < bestInputs) continue;
      if (inputs === bestInputs && (this.#load[shard] ?? 0) >= (this.#load[best] ?? 0)) continue;
      best = shard;
      bestInputs = inputs;
    }
    return best;
  }

  #can(shard: number, at: number): boolean {
    const has = this.#platforms[shard] ?? null;
    const wanted = this.#problem.targets[at]?.platforms ?? [];
    return has === null || wanted.every((platform) => has.includes(platform));
  }

  /** When something changes next: a build ends, or an input arrives somewhere. */
  #next(now: number): number {
    while ((this.#arrivals.at(-1) ?? Number.POSITIVE_INFINITY) <= now) this.#arrivals.pop();
    let next = this.#arrivals.at(-1) ?? Number.POSITIVE_INFINITY;
    for (const at of this.#running) next = Math.min(next, this.#ends[at] ?? 0);
    return next;
  }

  /** It is done (or nobody's): what needs it may be open now. */
  #closes(at: number, now: number): void {
    for (const dependent of this.#problem.neededBy[at] ?? []) {
      const missing = (this.#missing[dependent] ?? 0) - 1;
      this.#missing[dependent] = missing;
      if (missing === 0) this.#opens(dependent, now);
    }
  }

  #opens(at: number, now: number): void {
    if (!this.#free.some((_, shard) => this.#can(shard, at))) {
      this.#shard[at] = -2;
      this.#starts[at] = now;
      this.#ends[at] = now;
      this.#closes(at, now);
      return;
    }
    const needs = (this.#problem.needs[at] ?? []).filter((needed) => (this.#shard[needed] ?? -2) >= 0);
    const near = new Map<number, { from: number; inputs: number }>();
    for (const shard of new Set(needs.map((needed) => this.#shard[needed] ?? 0))) {
      let from = 0;
      let inputs = 0;
      for (const needed of needs) {
        const here = this.#shard[needed] === shard;
        if (here) inputs += 1;
        from = Math.max(from, (this.#ends[needed] ?? 0) + (here ? 0 : this.#transfer));
      }
      near.set(shard, { from, inputs });
    }
    const anywhere = Math.max(0, ...needs.map((needed) => (this.#ends[needed] ?? 0) + this.#transfer));
    const froms = [anywhere, ...[...near.values()].map(({ from }) => from)];
    for (const from of froms) insert(this.#arrivals, from, (other) => other < from);
    const rank = this.#problem.rank[at] ?? 0;
    const open = { at, earliest: Math.min(...froms), anywhere, near };
    insert(this.#open, open, (other) => (this.#problem.rank[other.at] ?? 0) > rank);
  }

  assignment(): ShardAssignment {
    const { targets, durations, urgency, rank } = this.#problem;
    const nameOf = (at: number): string => targets[at]?.name ?? '';
    const indexes = [...targets.keys()];
    const byStart = indexes.toSorted(
      (a, b) => (this.#starts[a] ?? 0) - (this.#starts[b] ?? 0) || (rank[a] ?? 0) - (rank[b] ?? 0),
    );
    const placed = byStart.filter((at) => (this.#shard[at] ?? -1) >= 0);
    const shares = this.#free.map((_, shard): ShardShare => {
      const own = placed.filter((at) => this.#shard[at] === shard);
      return {
        shard: shard + 1,
        targets: own.map(nameOf),
        load: this.#load[shard] ?? 0,
        end: Math.max(0, ...own.map((at) => this.#ends[at] ?? 0)),
        platforms: sortedUnique(own.flatMap((at) => targets[at]?.platforms ?? [])),
      };
    });
    const work = placed.reduce((sum, at) => sum + (durations[at] ?? 0), 0);
    return {
      shardOf: new Map(placed.map((at) => [nameOf(at), (this.#shard[at] ?? 0) + 1])),
      unplaced: sortedUnique(indexes.filter((at) => this.#shard[at] === -2).map(nameOf)),
      shares,
      starts: new Map(placed.map((at) => [nameOf(at), this.#starts[at] ?? 0])),
      ends: new Map(placed.map((at) => [nameOf(at), this.#ends[at] ?? 0])),
      urgency: new Map(indexes.map((at) => [nameOf(at), urgency[at] ?? 0])),
      makespan: Math.max(0, ...this.#ends),
      bound: Math.max(0, ...urgency, work / (shares.length * this.#jobs)),
      criticalPath: criticalPath(this.#problem),
      transfers: this.#transfers(placed),
    };
  }

  #transfers(placed: readonly number[]): number {
    const fetched = new Set<string>();
    for (const at of placed) {
      const shard = this.#shard[at];
      for (const needed of this.#problem.needs[at] ?? []) {
        if ((this.#shard[needed] ?? -1) >= 0 && this.#shard[needed] !== shard)
          fetched.add(`${needed} ${shard}`);
      }
    }
    return fetched.size;
  }
}

/** Puts an item before the first that comes after it; the list is sorted so that those are all at its end. */
function insert<T>(list: T[], item: T, isAfter: (other: T) => boolean): void {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = list[middle];
    if (other !== undefined && isAfter(other)) high = middle;
    else low = middle + 1;
  }
  list.splice(low, 0, item);
}
