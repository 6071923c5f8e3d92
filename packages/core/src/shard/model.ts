/**
 * Targets shared out among shards: what is asked and what comes out.
 *
 * Types only. A shard is one of several runs that build one tree together; results pass between them through a registry.
 */

export interface ShardTarget {
  readonly name: string;
  /** Names; those that are not among the targets are there already. */
  readonly dependencies: readonly string[];
  /** ms; null: never built, taken for the median of the others. */
  readonly expected: number | null;
  /** What it is built for. Left out: any shard can. */
  readonly platforms?: readonly string[] | undefined;
}

export interface ShardRequest {
  /** In any order; without cycles. */
  readonly targets: readonly ShardTarget[];
  /** How many, at least 1. */
  readonly shards: number;
  /** Builds at a time on each. */
  readonly jobs: number;
  /**
   * ms from the end of a build until another shard can begin with its output: pushed, seen there, fetched. Left out:
   * 10 s, but never more than a quarter of the median build, so that a tree of tiny builds is shared out as well.
   */
  readonly transfer?: number | undefined;
  /** Of each shard in turn, the platforms it can build for; null: all. Left out: all can all. */
  readonly platformsOf?: readonly (readonly string[] | null)[] | undefined;
}

/** What one shard has to do. */
export interface ShardShare {
  /** From 1. */
  readonly shard: number;
  /** In the order in which they are expected to begin. */
  readonly targets: readonly string[];
  /** ms of building, all together. */
  readonly load: number;
  /** ms after the start, when the last of them is done; 0 for an idle one. */
  readonly end: number;
  /** What its targets are built for, sorted by code unit. */
  readonly platforms: readonly string[];
}

export interface ShardAssignment {
  /** target -> 1 ... N. */
  readonly shardOf: ReadonlyMap<string, number>;
  /** Targets that no shard can build, sorted by code unit. They are in no share, and count as done at once. */
  readonly unplaced: readonly string[];
  readonly shares: readonly ShardShare[];
  /** target -> expected ms from the start of the run. */
  readonly starts: ReadonlyMap<string, number>;
  readonly ends: ReadonlyMap<string, number>;
  /** target -> ms from its start to the end of the last of those that need it: the higher, the sooner it is begun. */
  readonly urgency: ReadonlyMap<string, number>;
  /** ms until everything is done, when every shard begins the most urgent of its targets that can be begun. */
  readonly makespan: number;
  /** What no assignment can be faster than: the critical path, or all the work spread evenly. */
  readonly bound: number;
  /** The longest chain of builds, what needs nothing first. */
  readonly criticalPath: readonly string[];
  /** How many outputs are fetched from others, counted once for every shard that fetches them. */
  readonly transfers: number;
}
