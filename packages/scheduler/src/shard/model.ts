/**
 * Shards: runs on several machines that share the work of one tree through a remote, without a coordinator.
 *
 * Types only. The rules are in ownership.ts (whose is a target), awaiting.ts (how long it is waited for) and status.ts
 * (what shards tell each other).
 */
import type { Failure } from '@stx-make/core/events';

/** `--shard i/N` and what goes with it. */
export interface ShardOptions {
  /** From 1. */
  readonly index: number;
  readonly count: number;
  /** What the shards of one common run have in common and no other has, e.g. the CI system's number of it. */
  readonly session: string;
  /** The name was given, by the user or the CI system, and so is no other session's. */
  readonly isOwnSession: boolean;
  /** ms without a sign of life after which a shard's work is taken over. */
  readonly silence: number;
}

/** How a shard is, as it tells the others: one text under a tag of its own that is written anew. */
export interface ShardStatus {
  readonly shard: number;
  readonly count: number;
  /** Another one for each process: a shard that was started again is not the one before. */
  readonly process: string;
  /** Grows with every text: a sign of life. */
  readonly beat: number;
  /** The run is over; nothing more comes of it. */
  readonly ended: boolean;
  /** What it holds for its own and has not given to the others yet, sorted by code unit. */
  readonly open: readonly string[];
  /** What it tried and can not be built, whoever tries. */
  readonly failed: ReadonlyMap<string, ShardFailure>;
}

/** A failure as others need it. */
export type ShardFailure = Pick<Failure, 'kind' | 'step' | 'exitCode' | 'file' | 'line' | 'cause'>;

/** The work of a session as it was shared out at its beginning. */
export interface ShardPlan {
  readonly count: number;
  /** What the shards must have in common for their fingerprints to be the same: `Session.content`, the engine. */
  readonly tree: string;
  readonly engine: string;
  /** target -> shard, from 1. What had a record then is not in it. */
  readonly shardOf: ReadonlyMap<string, number>;
}
