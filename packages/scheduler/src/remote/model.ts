/**
 * Records in a registry, as a run sees them: found by fingerprint, verified like an own build, given to others.
 *
 * Types only. What a registry can do wrong (slow, down, other bytes) is never an error of a build: it is said once as a
 * warning, and the target is built here. Unaware of shards and of when something is asked.
 */
import type { Problem } from '@stx-make/core/errors';
import type { GraphTarget } from '@stx-make/core/graph/model';
import type { Digest, Output } from '@stx-make/core/oci/model';
import type { Fingerprint } from '../plan/inputs.ts';
import type { BuildRecord } from '../state/records.ts';
import type { Expectation } from '../store/index.ts';

/** `--remote`, `--remote-write` and what goes with them. */
export interface RemoteOptions {
  /** `HOST[:PORT]/PATH`, as typed. */
  readonly place: string;
  /** Whether records and outputs are pushed. */
  readonly write: boolean;
  /** Plain http to another machine is allowed, where `place` begins with http://. */
  readonly insecure?: boolean | undefined;
  /** Workers take dependencies from there and push outputs there; needs `write`. */
  readonly viaRegistry?: boolean | undefined;
}

/** A record somebody else wrote. Its documents (index, manifests, configs) were read and belong together; its layers
 * were not looked at yet. */
export interface RemoteRecord {
  readonly fingerprint: Digest;
  readonly manifest: Digest;
  readonly output: Output;
  /** ms of the build. */
  readonly duration: number;
  /** ms since the epoch, by the clock of whoever built it. */
  readonly created: number;
}

export interface Remote {
  /** As people know it: `ghcr.io/org/cache`. */
  readonly name: string;
  readonly mayWrite: boolean;
  /** True while it is left alone because it failed: then `find` says null without asking. */
  readonly isAway: boolean;
  /** Asks whether it answers, also where it is left alone. @throws the signal's reason */
  answers(signal: AbortSignal): Promise<boolean>;
  /**
   * The record of a fingerprint, its documents verified against what must come out and in the pool; null where there is
   * none, or where it can not be had or must not be used, which was said then.
   * @throws only the signal's reason; ProblemError for a full or broken disk
   */
  find(
    target: GraphTarget,
    fingerprint: Fingerprint,
    expectation: Expectation,
    signal: AbortSignal,
  ): Promise<RemoteRecord | null>;
  /**
   * Makes sure that the pool has all blobs of an output, verified like those of an own build.
   * @param fingerprint of the record it came with, where it did: a bad one is replaced when this is built
   * @returns false where it can not be had, which was said then
   * @throws only the signal's reason; ProblemError for a full or broken disk
   */
  bring(
    target: string,
    output: Output,
    expectation: Expectation | null,
    signal: AbortSignal,
    fingerprint?: Digest,
  ): Promise<boolean>;
  /**
   * Gives a record and its output to others, in its own time. Shards wait for the answer before they say that a target can
   * be had. Does nothing where the remote is known to have it.
   * @returns true when it is there; false where it may not be written or was given up, which was said then. Never rejects
   */
  offer(record: BuildRecord, facts: string, duration: number): Promise<boolean>;
  /**
   * Has an output in the remote by digest, so that workers can take it from there: asked once, sent where the pool has it.
   * @returns false where that can not be
   * @throws only the signal's reason; ProblemError for a full or broken disk
   */
  ensure(target: string, output: Output, signal: AbortSignal): Promise<boolean>;
  /**
   * The output that a worker pushed: its documents in the pool and verified, its layers there as the registry says.
   * @throws VerificationError; ProblemError `remote-incomplete`, `remote-output-lost` (environment); the signal's reason
   */
  pushed(target: string, index: Digest, expectation: Expectation, signal: AbortSignal): Promise<Output>;
  /** Waits until all that was offered is there, or given up. @returns what could not be given, by target */
  drain(signal: AbortSignal): Promise<ReadonlyMap<string, Problem>>;
  /** Small texts under a tag that is moved, as shards tell each other how they are. */
  readonly notes: RemoteNotes;
  close(): void;
}

export interface RemoteNotes {
  /** @throws ProblemError `registry-failed`, `registry-refused` (environment); the signal's reason */
  put(tag: string, text: string, signal: AbortSignal): Promise<void>;
  /** Null where there is none. @throws as `put`; ProblemError `bad-note` (integrity) */
  get(tag: string, signal: AbortSignal): Promise<string | null>;
}
