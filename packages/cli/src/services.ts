/**
 * What the commands ask of scheduler and core, as one interface: the real one imports each part only when it
 * is asked for (services-real.ts); tests give their own.
 */
import type { Config } from '@stx-make/core/config/model';
import type { Edge, LoadedTree, TargetGraph } from '@stx-make/core/graph/model';
import type {
  MakePlan,
  OpenSession,
  Run,
  Session,
  SessionOptions,
  WorkerOptions,
} from '@stx-make/scheduler/api';
import type { WorkerReport } from '@stx-make/scheduler/doctor';
import type { DetachedChild } from '@stx-make/scheduler/process/detached';

/** Pure questions about a graph. */
export interface GraphServices {
  /** The targets that terms mean (names, stages, globs, +NAME, NAME+, @FILE), sorted, each once.
   * @throws ProblemError with everything that is wrong. */
  select(graph: TargetGraph, terms: Terms): readonly string[];
  /** Single targets from what a user typed, in the order typed.
   * @throws ProblemError `unknown-target`, `ambiguous-name`: all of them. */
  resolve(graph: TargetGraph, words: readonly string[]): readonly string[];
  json(root: string, tree: LoadedTree): Readonly<Record<string, unknown>>;
  /** @param reduced leave out edges that longer paths imply. */
  dot(graph: TargetGraph, reduced: boolean): Promise<string>;
  /** Needed targets, sorted. */
  dependencies(graph: TargetGraph, target: string, transitive: boolean): readonly string[];
  /** Targets that need it, sorted. */
  dependents(graph: TargetGraph, target: string, transitive: boolean): readonly string[];
  /** A longest chain from something that needs nothing to the target, both included. */
  lineage(graph: TargetGraph, target: string): Promise<readonly string[]>;
  /** A shortest chain, hop by hop with every place where it is written; null where there is none. */
  path(graph: TargetGraph, from: string, to: string): Promise<readonly (readonly Edge[])[] | null>;
}

/** What is to be selected. */
export interface Terms {
  readonly terms: readonly string[];
  readonly except: readonly string[];
  /** The text of an `@FILE`. May throw ProblemError. */
  readonly readFile: (path: string) => string;
}

/** The scheduler's own functions. */
export type SourceServices = Pick<
  typeof import('@stx-make/scheduler/sources/front'),
  'fetchForSession' | 'importForSession' | 'exportForSession' | 'listForSession'
>;

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

/** What runs did: the scheduler's own reader. */
export type Past = import('@stx-make/scheduler/state/past').Past;

export interface Services {
  readonly openSession: OpenSession;
  /** The settings of the tree that a session would be opened on; none where there is no tree.
   * @throws ProblemError with what is wrong in the file */
  readonly settings: (options: SessionOptions) => Promise<Config>;
  readonly makePlan: MakePlan;
  readonly run: Run;
  /** A self-contained sh script of the exact buildctl calls for a target and all it needs. */
  planCommands(session: Session, target: string): Promise<string>;
  graph(): Promise<GraphServices>;
  /** What runs did; null where there is no state yet. Close it. */
  past(stateRoot: string): Promise<Past | null>;
  /** fetch, and sources list, import, export. */
  sources(): Promise<SourceServices>;
  /** digests, verify, adopt, preseed. */
  digests(): Promise<typeof import('@stx-make/scheduler/digests/index')>;
  /** content, import. */
  images(): Promise<typeof import('@stx-make/scheduler/image/index')>;
  /** What a change may rebuild. */
  affected: typeof import('@stx-make/scheduler/affected/affected').affected;
  /** Our policies. */
  lint: typeof import('@stx-make/scheduler/lint/lint-tree').lintTree;
  /** BuildKit's lint. */
  check: typeof import('@stx-make/scheduler/check/check').checkTree;
  /** Why something would be built, or was. */
  why(): Promise<typeof import('@stx-make/scheduler/plan/why')>;
  /** What the shards of a session did. */
  shards(): Promise<typeof import('@stx-make/scheduler/shard/front')>;
  gc(): Promise<typeof import('@stx-make/scheduler/gc/gc')>;
  doctor(options: DoctorOptions): Promise<readonly DoctorCheck[]>;
  /** Each worker by itself. */
  workers(options: DoctorOptions): Promise<readonly WorkerReport[]>;
  daemonStatus(stateRoot: string, env: NodeJS.ProcessEnv): Promise<DaemonStatus>;
  /** @returns false where none was running. */
  stopDaemon(stateRoot: string, env: NodeJS.ProcessEnv): Promise<boolean>;
  /** The supervisor process of the managed BuildKit; ends when it ends. @returns its exit code. */
  superviseDaemon(args: readonly string[]): Promise<number>;
  /** The state folder with `--state`, the environment and defaults applied; absolute. */
  stateRoot(option: string | undefined, env: NodeJS.ProcessEnv, cwd: string): Promise<string>;
  /** Kills every process below ours in our own process group (the managed BuildKit is not in it). */
  killChildren(): Promise<void>;
  /** Runs under way: found, watched, asked. */
  live(): Promise<typeof import('@stx-make/scheduler/live/index')>;
  /** This program with other words, in a session of its own. */
  startDetached(words: readonly string[], output: readonly [number, number]): Promise<DetachedChild>;
}
