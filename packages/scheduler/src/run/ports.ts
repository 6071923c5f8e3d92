/**
 * What the conductor needs of the world, as an interface: real BuildKit, store and records in a run; a build in
 * memory in the property tests.
 */
import type { Failure, Reason, RunEvent } from '@stx-make/core/events';
import type { GraphTarget } from '@stx-make/core/graph/model';
import type { Origin, Output } from '@stx-make/core/oci/model';
import type { StepEvent } from '../buildkit/model.ts';
import type { BuildUsage } from '../buildkit/usage.ts';
import type { Standing } from '../plan/evaluate.ts';
import type { Fingerprint } from '../plan/inputs.ts';
import type { Needs } from './placement.ts';
import type { RosterWorker } from './roster.ts';
import type { Steered } from './steering.ts';

/** One try to build one target on one worker. */
export interface Attempt {
  readonly target: GraphTarget;
  readonly fingerprint: Fingerprint;
  /** By dependency's target name. */
  readonly outputs: ReadonlyMap<string, Output>;
  readonly worker: string;
  /** From 1. */
  readonly number: number;
  readonly logFile: string;
  readonly signal: AbortSignal;
  readonly onStep: (step: StepEvent) => void;
  readonly onUsage: (usage: BuildUsage) => void;
  /** The worker has given all it had: what is left to do takes nothing of it. */
  readonly onExported: () => void;
}

export type AttemptResult =
  /** Built and verified, and its inputs were still what the fingerprint says. */
  | { readonly status: 'built'; readonly output: Output }
  /** Inputs changed while it was built: nothing may be recorded. */
  | { readonly status: 'edited' }
  | { readonly status: 'failed'; readonly failure: Failure; readonly retry: 'no' | 'here' | 'elsewhere' }
  | { readonly status: 'cancelled' };

export type NoOutput = Exclude<AttemptResult, { readonly status: 'built' }>;

/** What a target has in the end. */
export interface Settled {
  readonly output: Output;
  readonly manifest: string;
  readonly origin: Origin;
  /** The remote it was taken from, where it was. */
  readonly from?: string | undefined;
}

/** Another output of the same fingerprint was known. */
export interface Finding {
  readonly text: string;
  readonly before: string;
  readonly now: string;
}

export interface Recorded extends Settled {
  readonly result: 'built' | 'unchanged';
  readonly finding: Finding | null;
}

/** What was found elsewhere of a target that no record here answers for. */
export type Sought =
  /** Its output, verified and recorded here. */
  | { readonly status: 'found'; readonly settled: Settled }
  /** Nobody has it: it is built here. */
  | { readonly status: 'absent' }
  /** Whoever was to build it failed. */
  | { readonly status: 'failed'; readonly failure: Failure };

export interface RunPorts {
  /** Judges a target whose dependencies all have an output. */
  judge(target: GraphTarget, outputOf: (dependency: string) => Output): Standing;
  /** Reads the tree again: a recipe was edited while it was built. Throws ProblemError. */
  reload(): Promise<void>;
  /** The target as it was last read; throws ProblemError when it can not be built in this run any more. */
  refresh(target: GraphTarget): GraphTarget;
  /**
   * Looks for the output elsewhere before it is built here; left out where there is nowhere to look. May take as long as
   * somebody else's build. What a registry can do wrong is no error: then the target is built here.
   */
  seek?(
    target: GraphTarget,
    fingerprint: Fingerprint,
    outputs: ReadonlyMap<string, Output>,
    signal: AbortSignal,
  ): Promise<Sought>;
  /** Makes sure that the target's sources are here, and what it needs of others' outputs. Throws ProblemError. */
  fetch(target: GraphTarget, outputs: ReadonlyMap<string, Output>, signal: AbortSignal): Promise<void>;
  build(attempt: Attempt): Promise<AttemptResult>;
  /** Writes the record, durably. */
  record(attempt: Attempt, output: Output, duration: number): Promise<Recorded>;
  /** Makes out/<target>/ hold the output, and notes of which record it is. Throws ProblemError. */
  publish(target: GraphTarget, settled: Settled, fingerprint: string): Promise<void>;
  noteFailure(attempt: Attempt, duration: number): void;
  /** Tries to have a lost worker back until the signal aborts; false then, and when it can not come back. */
  revive(worker: string, signal: AbortSignal): Promise<boolean>;
  logFile(target: string): string;
  /** Waits before a retry (BUILDKIT.md 7: the daemon needs about a second after a repair). */
  pause(ms: number, signal: AbortSignal): Promise<void>;
}

/** What is asked for, apart from the world. */
export interface ConductOptions {
  /** Selected targets and their dependencies, topological. */
  readonly order: readonly GraphTarget[];
  readonly standings: ReadonlyMap<string, Standing>;
  readonly workers: readonly RosterWorker[];
  /** What a target's build needs of a worker; left out: its own platforms. */
  readonly needsOf?: (target: GraphTarget, outputs: ReadonlyMap<string, Output>) => Needs;
  /** Higher first. */
  readonly priorityOf: (target: string) => number;
  readonly keepGoing: boolean;
  readonly stop: AbortSignal;
  /** Aborted: nothing new is started, what runs may finish. Its reason is a text for people. */
  readonly finish?: AbortSignal;
  /** ms, monotonic. */
  readonly clock: () => number;
  /** Told once, before anything is started, how to steer. */
  readonly onBegun?: (steered: Steered) => void;
  /** Told of every end as it comes. */
  readonly follower?: Follower | undefined;
}

/** Who must know each target's end at once: other shards wait for it. */
export interface Follower {
  ended(target: string, end: ConductedTarget): void;
  /** It has no end after all: it is tried again. */
  takenBack(target: string): void;
}

export interface ConductedTarget {
  readonly result: 'hit' | 'built' | 'unchanged' | 'failed' | 'skipped';
  readonly settled: Settled | null;
  readonly failure: Failure | null;
  /** ms of building. */
  readonly duration: number;
  readonly reasons: readonly Reason[];
  /** Its inputs had given another output before. */
  readonly finding?: Finding | undefined;
}

/** An event without its time: the caller's sink adds it. */
export type Emit = (
  event: RunEvent extends infer E ? (E extends RunEvent ? Omit<E, 'at'> : never) : never,
) => void;
