/**
 * What a page is told: one JSON document inside it, made here, read by browser/. Types only, shared by both sides.
 *
 * Targets are named by their place in `targets`, which is sorted by name; times are ms since the run began.
 */
import type { RunCounts } from '@stx-make/core/events';
import type { TargetState } from '../view/model.ts';
import type { TargetUsage, UsagePoint } from './usage.ts';

/** Raised when the page's own script and data would no longer understand each other; they always travel together. */
export const PAGE_SCHEMA = 1;

export interface PageData {
  readonly schema: typeof PAGE_SCHEMA;
  readonly title: string;
  /** Of stx-make. */
  readonly version: string;
  readonly targets: readonly PageTarget[];
  /** Null in the page of a graph alone. */
  readonly run: PageRun | null;
  readonly picture: Picture;
}

export interface PageTarget {
  readonly name: string;
  readonly stage: string;
  /** Places in `targets`. */
  readonly dependencies: readonly number[];
  /** Null in the page of a graph alone. */
  readonly outcome: Outcome | null;
}

export interface Outcome {
  readonly state: TargetState;
  readonly planned: 'build' | 'hit' | 'waiting';
  /** ms of the build itself. */
  readonly duration: number;
  /** ms: median of the last ten builds before this run; null where there was none. */
  readonly expected: number | null;
  /** ms of earlier builds, oldest first. */
  readonly past: readonly number[];
  readonly digest: string | null;
  /** Bytes. */
  readonly size: number;
  /** Null where it can not be known. */
  readonly usage: TargetUsage | null;
  readonly reasons: readonly string[];
  /** Why it was skipped or retried. */
  readonly text: string | null;
  /** The slowest steps, slowest first. */
  readonly steps: readonly { readonly name: string; readonly duration: number }[];
}

export interface PageRun {
  readonly id: string;
  /** ISO 8601, UTC. */
  readonly started: string;
  readonly root: string;
  readonly command: string;
  /** ms; where the run was cut off, the time of its last event. */
  readonly duration: number;
  readonly end: 'ok' | 'failed' | 'interrupted' | 'time-up' | 'cut-off';
  readonly counts: RunCounts;
  readonly workers: readonly PageWorker[];
  readonly bars: readonly Bar[];
  readonly critical: readonly Hop[];
  readonly savings: Savings;
  readonly failures: readonly PageFailure[];
  readonly findings: readonly {
    readonly target: string;
    readonly text: string;
    readonly before: string;
    readonly now: string;
  }[];
  /** One line each. */
  readonly warnings: readonly string[];
}

export interface PageWorker {
  readonly name: string;
  readonly version: string;
  /** How many builds it ever ran at a time. */
  readonly lanes: number;
  /** What its builds took together, from each time on; empty where it can not be known. */
  readonly usage: readonly UsagePoint[];
}

export type BarResult = 'built' | 'unchanged' | 'failed' | 'retried' | 'unfinished';

/** One attempt to build one target. */
export interface Bar {
  readonly target: number;
  /** Place in `workers`. */
  readonly worker: number;
  readonly lane: number;
  readonly start: number;
  readonly end: number;
  readonly result: BarResult;
}

/** A step of the critical path. */
export interface Hop {
  readonly target: number;
  readonly duration: number;
  /** ms from the end of the one before it (of the first: from the run's beginning) to its own start: what else it
   * needed was not there yet, or no place was free. All together are no more than the run. */
  readonly wait: number;
}

/** What had not to be built, in ms of one worker's time. */
export interface Saving {
  readonly targets: readonly number[];
  readonly duration: number;
  /** Targets whose time nobody knows; not in `duration`. */
  readonly unknown: number;
}

export interface Savings {
  /** Hits that were known before anything was built. */
  readonly cache: Saving;
  /** Hits because what they need was rebuilt and came out equal. */
  readonly cutoff: Saving;
}

export interface PageFailure {
  readonly target: number;
  readonly kind: string;
  readonly step: string | null;
  readonly exitCode: number | null;
  /** `Containerfile:line`. */
  readonly place: string | null;
  readonly cause: string;
  readonly hint: string | null;
  /** The end of its log, harmless text. */
  readonly log: string;
  /** Bytes of the log that are left out before that. */
  readonly omitted: number;
  readonly logFile: string | null;
}

/** A laid out graph. Units are pixels, y downwards. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly PictureNode[];
  readonly links: readonly PictureLink[];
}

export interface PictureNode {
  readonly name: string;
  readonly stage: string;
  /** Of its middle. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PictureLink {
  /** Places in `nodes`: `from` needs `to`. */
  readonly from: number;
  readonly to: number;
  /** SVG path data, from what is needed to what needs it. */
  readonly path: string;
}
