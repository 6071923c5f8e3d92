/**
 * Sources as the scheduler sees them: what is wanted, where it came from, and what became of it. Data only.
 */
import type { Problem } from '@stx-make/core/errors';
import type { Source } from '@stx-make/core/recipe/model';

/** One source of one target. Targets of one recipe share theirs: the same source may be given several times. */
export interface WantedSource {
  /** For messages and progress. */
  readonly target: string;
  /** `<stage>/<name>`. */
  readonly recipe: string;
  readonly stage: string;
  /** The recipe's name, its folder. */
  readonly name: string;
  readonly source: Source;
}

/** One content that is wanted, with everyone who wants it. */
export interface WantedContent {
  readonly sha256: string;
  /** The file name its first user gives it. */
  readonly file: string;
  /** Sorted by recipe, then file, then target; never empty. */
  readonly users: readonly [WantedSource, ...WantedSource[]];
  /** The distinct mirrors of all users, in the order of the users. */
  readonly mirrors: readonly string[];
}

/** What identifies a store file that was verified. ctime is not in it: making a hard link changes it. */
export interface FileStamp {
  /** Bytes. */
  readonly size: number;
  readonly mtimeNs: bigint;
  readonly ino: bigint;
}

/** Remembers which store files were verified, so that gigabytes are not hashed on each run. Losing it costs only
 * reading. */
export interface SourceLedger {
  isGood(sha256: string, stamp: FileStamp): boolean;
  note(sha256: string, stamp: FileStamp): void;
}

/** How far a download is. Sent when it starts, at most every `progressMs`, and once with `done`. */
export interface SourceProgress {
  readonly sha256: string;
  /** The first user. */
  readonly target: string;
  readonly recipe: string;
  readonly file: string;
  /** The mirror, without credentials. */
  readonly url: string;
  /** Bytes of the file that are here, resumed ones among them. */
  readonly received: number;
  /** Bytes of the whole file, null where the server does not say. */
  readonly total: number | null;
  /** This attempt is over, well or not. */
  readonly done: boolean;
}

export type MirrorFailureKind =
  /** Not http(s), or not a URL. */
  | 'unsupported'
  | 'status'
  | 'redirect'
  /** DNS, connect, TLS, proxy, reset. */
  | 'connection'
  /** No answer, or not whole in time. */
  | 'timeout'
  | 'stalled'
  /** Fewer bytes than announced. */
  | 'truncated'
  | 'too-large'
  | 'wrong-hash'
  /** Its host did not answer others a moment ago, so it was not asked. */
  | 'host-down';

/** Why one attempt at one mirror gave nothing. */
export interface MirrorFailure {
  /** The mirror as the recipe has it, without credentials. */
  readonly url: string;
  readonly kind: MirrorFailureKind;
  /** One sentence part, e.g. `404 Not Found`. */
  readonly text: string;
  /** Worth another try later. */
  readonly transient: boolean;
  /** Retry-After in ms, as the server asked, not yet capped. */
  readonly retryAfterMs?: number;
  /** The sha256 that came instead. */
  readonly got?: string;
}

export type SourceOutcome =
  /** Was in the store. */
  | 'present'
  /** Found in the tree by its hash. */
  | 'adopted'
  | 'downloaded'
  /** Every mirror failed. */
  | 'failed'
  /** Not here, and the network was not to be used. */
  | 'missing'
  | 'interrupted';

export interface FetchedSource {
  readonly sha256: string;
  readonly file: string;
  readonly targets: readonly string[];
  readonly recipes: readonly string[];
  readonly outcome: SourceOutcome;
  /** Bytes of the whole file; null where it is not here. */
  readonly size: number | null;
  /** Where it was downloaded from, redirects not followed; null for every other outcome. */
  readonly url: string | null;
  /** Bytes that came over the network, failed attempts included. */
  readonly received: number;
  /** All attempts that failed, in order; also for a source that came in the end. */
  readonly failures: readonly MirrorFailure[];
}

export interface FetchReport {
  /** Everything wanted is in the store. */
  readonly ok: boolean;
  readonly interrupted: boolean;
  /** One a content, sorted by sha256. */
  readonly sources: readonly FetchedSource[];
  readonly counts: { readonly wanted: number } & Readonly<Record<SourceOutcome, number>>;
  /** Bytes that came over the network. */
  readonly received: number;
  /** Errors: one a source that is not here, with each mirror's reason; and what ended it all (no space). */
  readonly problems: readonly Problem[];
  /** Wrong bytes of a mirror where another one was right, damaged store files, ... */
  readonly warnings: readonly Problem[];
}
