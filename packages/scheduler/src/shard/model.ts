/**
 * Shards: runs on several machines that share the work of one tree through a remote, without a coordinator.
 *
 * Types only.
 */

/** `--shard i/N` and what goes with it. */
export interface ShardOptions {
  /** From 1. */
  readonly index: number;
  readonly count: number;
  /** What the shards of one nightly run have in common, e.g. the CI system's number of it. */
  readonly session: string;
}
