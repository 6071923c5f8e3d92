/**
 * What the commands ask of scheduler and core, as one interface: the real one imports each part only when it
 * is asked for (services-real.ts); tests give their own.
 */
import type { Edge, TargetGraph } from '@stx-make/core/graph/model';
import type { MakePlan, OpenSession, Run, Session, WorkerOptions } from '@stx-make/scheduler/api';

/** Pure questions about a graph. */
export interface GraphServices {
  /** Target names from what a user typed: a target, or a bare name where it is unique; sorted, each once.
   * @throws ProblemError `unknown-target`, `ambiguous-target`: all of them. */
  resolve(graph: TargetGraph, words: readonly string[]): readonly string[];
  json(graph: TargetGraph, root: string): Readonly<Record<string, unknown>>;
  dot(graph: TargetGraph): string;
  /** Needed targets, sorted. */
  dependencies(graph: TargetGraph, target: string, transitive: boolean): readonly string[];
  /** Targets that need it, sorted. */
  dependents(graph: TargetGraph, target: string, transitive: boolean): readonly string[];
  /** A shortest chain of edges, null where there is none. */
  path(graph: TargetGraph, from: string, to: string): readonly Edge[] | null;
}

export interface DoctorCheck {
  readonly code: string;
  readonly ok: boolean;
  readonly text: string;
  readonly hint: string | null;
}

export interface DoctorOptions {
  readonly stateRoot: string;
  readonly env: NodeJS.ProcessEnv;
  readonly workers: WorkerOptions;
  readonly stop: AbortSignal;
}

/** The managed BuildKit of a state folder, as far as it can be told without starting it. */
export interface DaemonStatus {
  readonly running: boolean;
  readonly pid: number | null;
  readonly address: string | null;
  readonly version: string | null;
  /** Free text for people: uptime, clients. */
  readonly text: string;
}

export interface Services {
  readonly openSession: OpenSession;
  readonly makePlan: MakePlan;
  readonly run: Run;
  /** A self-contained sh script of the exact buildctl calls for a target and all it needs. */
  planCommands(session: Session, target: string): Promise<string>;
  graph(): Promise<GraphServices>;
  doctor(options: DoctorOptions): Promise<readonly DoctorCheck[]>;
  daemonStatus(stateRoot: string): Promise<DaemonStatus>;
  /** @returns false where none was running. */
  stopDaemon(stateRoot: string): Promise<boolean>;
  /** The supervisor process of the managed BuildKit; ends when it ends. @returns its exit code. */
  superviseDaemon(args: readonly string[]): Promise<number>;
  /** `state` with `--state`, the environment and defaults applied. */
  stateRoot(option: string | undefined, env: NodeJS.ProcessEnv): Promise<string>;
  /** Kills every process below ours in our own process group (the managed BuildKit is not in it). */
  killChildren(): Promise<void>;
}
