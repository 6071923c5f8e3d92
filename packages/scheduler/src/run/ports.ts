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
}

export type AttemptResult =
  /** Built and verified, and its inputs were still what the fingerprint says. */
  | { readonly status: 'built'; readonly output: Output }
  /** Inputs changed while it was built: nothing may be recorded. */
  | { readonly status: 'edited' }
  | { readonly status: 'failed'; readonly failure: Failure; readonly retry: 'no' | 'here' | 'elsewhere' }
  | { readonly status: 'cancelled' };

/** What a target has in the end. */
export interface Settled {
  readonly output: Output;
  readonly manifest: string;
  readonly origin: Origin;
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

export interface RunPorts {
  /** Judges a target whose dependencies all have an output. */
  judge(target: GraphTarget, outputOf: (dependency: string) => Output): Standing;
  /** Reads the tree again: a recipe was edited while it was built. Throws ProblemError. */
  reload(): Promise<void>;
  /** The target as it was last read; throws ProblemError when it can not be built in this run any more. */
  refresh(target: GraphTarget): GraphTarget;
  /** Makes sure that the target's sources are here. Throws ProblemError. */
  fetch(target: GraphTarget, signal: AbortSignal): Promise<void>;
  build(attempt: Attempt): Promise<AttemptResult>;
  /** Writes the record, durably. */
  record(attempt: Attempt, output: Output, duration: number): Promise<Recorded>;
  /** Makes out/<target>/ hold the output, and notes of which record it is. Throws ProblemError. */
  publish(target: GraphTarget, settled: Settled, fingerprint: string): Promise<void>;
  noteFailure(attempt: Attempt, duration: number): void;
  /** Tries to have a lost worker back; false when it gives up. */
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
  readonly workers: readonly {
    readonly id: string;
    readonly jobs: number;
    readonly platforms: readonly string[];
  }[];
  /** Higher first. */
  readonly priorityOf: (target: string) => number;
  readonly keepGoing: boolean;
  readonly stop: AbortSignal;
  /** Aborted: nothing new is started, what runs may finish. */
  readonly finish?: AbortSignal;
  /** ms, monotonic. */
  readonly clock: () => number;
  /** Told once, before anything is started, how to steer. */
  readonly onBegun?: (steered: Steered) => void;
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
