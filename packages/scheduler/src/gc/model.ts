/**
 * What `gc` is asked and what it answers. Types only.
 */
import type { GarbageBlob } from '../store/gc.ts';

export interface GcOptions {
  /** Bytes the pool may have in the end; the least recently used records go first. */
  readonly maxSize?: number | undefined;
  /** Records, runs and logs not used for longer go. ms. */
  readonly maxAge?: number | undefined;
  /** Change nothing: say what would go. */
  readonly dryRun: boolean;
  /** Read every blob again and take out what is not what its name says. */
  readonly verify: boolean;
  /** Also what trees last had: by default that never goes. */
  readonly all: boolean;
  /** Also sources in the store that nothing kept was built from. */
  readonly sources: boolean;
  readonly wait: boolean;
  readonly command: string;
  readonly stop: AbortSignal;
  /** ms since the epoch. */
  readonly now: () => number;
  readonly onWait: (text: string) => void;
}

/** A blob that is not what its name says. */
export interface DamagedBlob {
  readonly digest: string;
  readonly why: string;
  /** Targets with records that need it, sorted; built again when they are asked for. */
  readonly targets: readonly string[];
}

export interface GcReport {
  readonly dryRun: boolean;
  /** Under `verify`: how many blobs were read. */
  readonly checked: number | null;
  readonly damaged: readonly DamagedBlob[];
  readonly records: { readonly removed: number; readonly kept: number };
  readonly blobs: readonly GarbageBlob[];
  /** Removed sources by sha256. */
  readonly sources: readonly { readonly sha256: string; readonly size: number }[];
  /** Removed runs and log folders. */
  readonly runs: number;
  readonly logs: readonly string[];
  /** Roots of trees that are gone. */
  readonly trees: readonly string[];
  /** Bytes that came free, and that stay in the pool. */
  readonly freed: number;
  readonly kept: number;
  /** Names in the pool that are not ours; left alone. */
  readonly foreign: readonly string[];
}
