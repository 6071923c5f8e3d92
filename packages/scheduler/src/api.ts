/**
 * What the command line asks of the scheduler: the types of the front door. Implementations live in
 * session.ts (open a tree), plan/ and run/.
 */
import type { Config } from '@stx-make/core/config/model';
import type { WorkerSpec } from '@stx-make/core/config/worker';
import type { Problem, ProblemError } from '@stx-make/core/errors';
import type { EventSink, Reason, RunCounts, TargetResult } from '@stx-make/core/events';
import type { LoadedTree } from '@stx-make/core/graph/model';
import type { Origin } from '@stx-make/core/oci/model';
import type { StepLimits } from './buildkit/model.ts';
import type { StatePaths } from './paths.ts';
import type { RemoteOptions } from './remote/model.ts';
import type { ShardOptions } from './shard/model.ts';

/** How a tree is found and where its things go. */
export interface SessionOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** `--root`. */
  readonly root?: string | undefined;
  /** Used when nothing is found upwards from cwd: `./run` gives its clone's own recipes/. */
  readonly fallbackRoot?: string | undefined;
  /** `--state`. */
  readonly state?: string | undefined;
  /** `--out`. */
  readonly out?: string | undefined;
  /** `--platform`, else PLATFORM, else stx-make.toml's, else linux/amd64. */
  readonly platform?: string | undefined;
  /** Only for a run of everything: where no file changed, the tree is given with its warnings alone. */
  readonly outline?: boolean | undefined;
}

/** A tree that was found and read. Holds no lock and no open file until asked. */
export interface Session {
  /** Absolute, real path. */
  readonly root: string;
  /** Absolute: where `<target>/` layouts appear. */
  readonly out: string;
  readonly state: StatePaths;
  readonly platform: string;
  /** The tree's stx-make.toml. */
  readonly config: Config;
  readonly tree: LoadedTree;
  /** Equal for equal trees: every file of theirs is in it, and how they are read. */
  readonly content: string;
  /** True when fallbackRoot was used: say so. */
  readonly fellBack: boolean;
  close(): void;
}

/** TLS is in the address. */
export type WorkerSettings = Omit<WorkerSpec, 'address' | 'tls'>;

export interface WorkerOptions {
  /** `--worker` and `--workers`, else BUILDKIT_HOST, else stx-make.toml's, else empty: the managed one. */
  readonly addresses: readonly string[];
  /** By address, what was said of a worker beside it. */
  readonly settings?: ReadonlyMap<string, WorkerSettings> | undefined;
  /** `-j`, per worker; undefined: min(cores / 4, memory / 8 GiB), at least 2. */
  readonly jobs?: number | undefined;
}

export interface PlanEntry {
  readonly name: string;
  readonly stage: string;
  readonly action: 'build' | 'hit' | 'waiting';
  readonly reasons: readonly Reason[];
  readonly dependencies: readonly string[];
  /** Of the recorded output, for hits. */
  readonly digest: string | null;
  /** How the recorded output came to be here, for hits. */
  readonly origin?: Origin | null;
  /** Expected milliseconds. */
  readonly expected: number | null;
}

export interface Plan {
  /** Selected targets and all their dependencies, sorted by code unit. */
  readonly targets: readonly PlanEntry[];
  readonly counts: {
    readonly targets: number;
    readonly build: number;
    readonly hit: number;
    readonly waiting: number;
  };
  /** Will be built, and no worker last seen can; left out where none was seen. */
  readonly homeless?:
    | readonly { readonly target: string; readonly platforms: readonly string[] }[]
    | undefined;
  /** The same for people. */
  readonly problems?: readonly Problem[] | undefined;
}

export interface RunOptions {
  /** Target names, already resolved; empty means all. */
  readonly selection: readonly string[];
  readonly workers: WorkerOptions;
  readonly keepGoing: boolean;
  readonly noCache: boolean;
  readonly limits: StepLimits;
  /** Wait for another run on the same tree or state, or fail at once (exit 3). */
  readonly wait: boolean;
  readonly strictEngine: boolean;
  /** Findings (same fingerprint, other output) make the run fail. */
  readonly strict: boolean;
  readonly offline: boolean;
  /** For run-started: the command as typed. */
  readonly command: string;
  /** Where records are shared; null or left out: nowhere. */
  readonly remote?: RemoteOptions | null | undefined;
  /** The part of the work that is this machine's; null or left out: all of it. Needs a remote that may be written. */
  readonly shard?: ShardOptions | null | undefined;
}

/** How the caller steers a run that is under way. */
export interface RunControl {
  /** First abort: stop starting, cancel what runs, record what finished. */
  readonly stop: AbortSignal;
  /** `--for`, `--until`: aborted when nothing new may start; what runs may finish. Its reason is a text for people. */
  readonly timeUp?: AbortSignal | undefined;
  /** Aborted some time after `timeUp`: what still runs is cancelled. */
  readonly graceOver?: AbortSignal | undefined;
  /**
   * For `watch`: the run gives a function to be called when files of the tree changed. Builds under way that are of
   * no use any more are cancelled and judged anew; where something that was done is outdated, nothing new starts and
   * the rest may finish, so that another run can begin. What changed no input disturbs nothing.
   */
  readonly onEdits?: (look: () => void) => void;
  /** The run gives, once, as soon as it has begun, what it can be steered by. */
  readonly onSteering?: (steering: RunSteering) => void;
}

/** What can be asked of a run that is under way, besides `RunControl.stop`. Nothing throws. */
export interface RunSteering {
  /** Starts nothing new; what runs goes on. Also before anything was started. */
  pause(): void;
  resume(): void;
  /**
   * Tries a failed target again, and with it what was skipped because of it.
   * @returns null, or why not, for people
   */
  retry(target: string): string | null;
  /** The run's events are wanted on disk from its beginning, whether it builds or not. @returns the file */
  keepEvents(): string;
}

export interface RunTarget {
  readonly name: string;
  readonly result: TargetResult;
  /** Manifest digest, null where there is no output. */
  readonly digest: string | null;
  readonly origin: Origin | null;
  /** The remote it was taken from, where it was. */
  readonly from?: string | undefined;
  readonly seconds: number;
  readonly reasons: readonly Reason[];
}

/** The same inputs gave another output than before; both are kept. */
export interface RunFinding {
  readonly target: string;
  /** The first rung at which they differ, for people. */
  readonly text: string;
  /** Manifest digests. */
  readonly before: string;
  readonly now: string;
}

/** What was this shard's of a session. */
export interface RunShard {
  readonly index: number;
  readonly count: number;
  readonly session: string;
  /** Targets it was given, or took over, sorted by code unit. */
  readonly own: readonly string[];
  /** Of these, what it took over from another. */
  readonly tookOver: readonly string[];
}

export interface RunSummary {
  readonly run: string;
  readonly ok: boolean;
  readonly interrupted: boolean;
  /** `time`: its time was up before everything was done (`RunControl.timeUp`). */
  readonly stopped?: 'time' | null | undefined;
  readonly seconds: number;
  readonly counts: RunCounts;
  readonly targets: readonly RunTarget[];
  readonly findings?: readonly RunFinding[];
  /** Where the run was one of several: its part. */
  readonly shard?: RunShard | undefined;
  /** Errors that ended or marred the run, failures of builds among them (tag build). */
  readonly problems: readonly Problem[];
}

/** @throws ProblemError */
export type OpenSession = (options: SessionOptions) => Promise<Session>;
export type MakePlan = (session: Session, options: RunOptions) => Promise<Plan>;
export type Run = (
  session: Session,
  options: RunOptions,
  sink: EventSink,
  control: RunControl,
) => Promise<RunSummary>;
export type { ProblemError };
