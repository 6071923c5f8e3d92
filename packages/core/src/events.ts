/**
 * What happens in a run, as data: the one stream from which every view lives (lines, TUI, JSON, reports).
 *
 * Events never influence a build. Times are milliseconds since the run began (`at`), so a recorded run
 * replays; the wall clock appears once, in `run-started`.
 */
import type { Problem } from './errors.ts';
import type { Origin } from './oci/model.ts';

/** Raised when a field changes its meaning or goes away; fields may be added without. */
export const EVENT_SCHEMA = 1;

/** Why a target is (re)built or waits; `code` is stable. */
export interface Reason {
  readonly code: string;
  readonly text: string;
}

export type TargetResult = 'hit' | 'built' | 'unchanged' | 'failed' | 'skipped';

/** What is known of a failed build, for people to act on. */
export interface Failure {
  /** `build`: the recipe's step said no; `infrastructure`: BuildKit, disk, connection; `integrity`. */
  readonly kind: 'build' | 'infrastructure' | 'integrity' | 'input';
  /** The failing step as BuildKit names it, e.g. `[build 5/7] RUN make`. */
  readonly step: string | null;
  readonly exitCode: number | null;
  /** Containerfile, relative to the root, and the failing instruction's line. */
  readonly file: string | null;
  readonly line: number | null;
  /** One line: the extracted cause. */
  readonly cause: string;
  /** The last lines the failing step printed, control characters made harmless. */
  readonly tail: readonly string[];
  readonly logFile: string | null;
  readonly hint?: string | undefined;
}

export interface TargetPlan {
  readonly name: string;
  readonly stage: string;
  readonly action: 'build' | 'hit' | 'waiting';
  readonly reasons: readonly Reason[];
  readonly dependencies: readonly string[];
  /** Expected milliseconds, median of the last ten builds; null where never built. */
  readonly expected: number | null;
}

export interface WorkerInfo {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly platforms: readonly string[];
  readonly jobs: number;
  readonly version: string;
}

export interface RunCounts {
  readonly targets: number;
  readonly hit: number;
  readonly built: number;
  readonly unchanged: number;
  readonly failed: number;
  readonly skipped: number;
}

export type RunEvent = { readonly at: number } & (
  | {
      readonly type: 'run-started';
      readonly schema: typeof EVENT_SCHEMA;
      readonly run: string;
      /** ISO 8601, UTC. */
      readonly started: string;
      readonly root: string;
      readonly command: string;
      readonly selection: readonly string[];
    }
  | { readonly type: 'plan'; readonly targets: readonly TargetPlan[] }
  | { readonly type: 'workers'; readonly workers: readonly WorkerInfo[]; readonly notes: readonly string[] }
  | { readonly type: 'worker-lost'; readonly worker: string; readonly text: string }
  | { readonly type: 'worker-back'; readonly worker: string }
  /** What is under way before or beside builds: compiling, starting the daemon, fetching. */
  | { readonly type: 'activity'; readonly id: string; readonly text: string; readonly done: boolean }
  | {
      readonly type: 'source-progress';
      readonly target: string;
      readonly file: string;
      readonly url: string;
      readonly received: number;
      readonly total: number | null;
      readonly done: boolean;
    }
  | { readonly type: 'target-ready'; readonly target: string }
  | {
      readonly type: 'target-started';
      readonly target: string;
      readonly worker: string;
      readonly attempt: number;
      readonly reasons: readonly Reason[];
      readonly logFile: string;
    }
  /** A step (BuildKit vertex) of a running target began. `index`/`count` as far as known. */
  | { readonly type: 'step-started'; readonly target: string; readonly step: string; readonly name: string }
  | {
      readonly type: 'step-finished';
      readonly target: string;
      readonly step: string;
      readonly cached: boolean;
      readonly error: string | null;
    }
  /** What a running target's steps take of its worker, where that can be known: when it has changed, every few
   * seconds at most, and once at its end. */
  | {
      readonly type: 'usage';
      readonly target: string;
      readonly worker: string;
      /** CPUs in use lately, e.g. 3.75. */
      readonly cores: number;
      /** Bytes held now, without page cache. */
      readonly memory: number;
      /** ms of CPU in this attempt so far. */
      readonly cpu: number;
      /** The most bytes seen in this attempt. */
      readonly peak: number;
    }
  | {
      readonly type: 'target-retry';
      readonly target: string;
      readonly attempt: number;
      readonly text: string;
    }
  | {
      readonly type: 'target-finished';
      readonly target: string;
      readonly result: 'hit' | 'built' | 'unchanged';
      readonly digest: string;
      readonly origin: Origin;
      /** The remote it was taken from, where it was. */
      readonly from?: string | undefined;
      /** Milliseconds of the build itself; 0 for a hit. */
      readonly duration: number;
      /** Bytes of all blobs of the output. */
      readonly size: number;
      readonly reasons: readonly Reason[];
    }
  | {
      readonly type: 'target-failed';
      readonly target: string;
      readonly duration: number;
      readonly failure: Failure;
      readonly reasons: readonly Reason[];
    }
  /** Not built because something else failed or the run was ended; `because` is the chain to the cause. */
  | {
      readonly type: 'target-skipped';
      readonly target: string;
      readonly because: readonly string[];
      readonly text: string;
    }
  /** A skipped target waits again: what it needs is tried once more. */
  | { readonly type: 'target-waiting'; readonly target: string }
  /** The same fingerprint gave another output. */
  | {
      readonly type: 'finding';
      readonly target: string;
      readonly text: string;
      readonly before: string;
      readonly now: string;
    }
  | { readonly type: 'warning'; readonly problem: Problem }
  /** Somebody asked that nothing new be started; what runs goes on. */
  | { readonly type: 'paused' }
  /** Builds are started again: after a pause, or because a target is retried that had ended the starting. */
  | { readonly type: 'resumed' }
  | { readonly type: 'stopping'; readonly text: string }
  | {
      readonly type: 'run-finished';
      readonly ok: boolean;
      readonly duration: number;
      readonly counts: RunCounts;
      readonly interrupted: boolean;
      /** `time`: `--for` or `--until` ended it before everything was done. */
      readonly stopped?: 'time' | null | undefined;
    }
);

export type RunEventType = RunEvent['type'];

/** Takes events as they happen; must not throw and must not block. */
export type EventSink = (event: RunEvent) => void;
