/**
 * What fetching is given from outside: limits with their defaults, time, chance, progress. Data only.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { StatePaths } from '../../paths.ts';
import type { SourceLedger, SourceProgress } from '../model.ts';
import type { HostLimits } from './hosts.ts';
import type { RetryLimits } from './retry.ts';
import type { TransferLimits } from './transfer.ts';

export interface FetchLimits extends HostLimits, RetryLimits, TransferLimits {
  /** Between two progress messages of one source. ms. */
  readonly progressMs: number;
}

export const DEFAULT_FETCH_LIMITS: FetchLimits = {
  parallel: 8,
  perHost: 4,
  retries: 3,
  backoffMs: 500,
  maxBackoffMs: 30_000,
  maxRetryAfterMs: 60_000,
  answerMs: 30_000,
  totalMs: 3_600_000,
  stallMs: 30_000,
  // About 34 bytes a second: a tenth of a modem.
  stallBytes: 1024,
  // The largest source of StageX is well below 2 GiB.
  maxBytes: 64 * 1024 ** 3,
  progressMs: 100,
};

/** Time and chance; tests give their own. */
export interface FetchWorld {
  /** ms, monotonic. */
  readonly clock: () => number;
  /** ms since the epoch, for Retry-After dates. */
  readonly now: () => number;
  /** As Math.random. */
  readonly random: () => number;
  /** Rejects with the signal's reason when aborted. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
}

export const realWorld: FetchWorld = {
  clock: () => performance.now(),
  now: () => Date.now(),
  random: () => Math.random(),
  pause: async (ms, signal) => {
    try {
      await delay(ms, undefined, { signal });
    } catch {
      // delay wraps the reason in an error of its own.
      signal.throwIfAborted();
    }
  },
};

export interface FetcherOptions {
  /** Only `sources` is used. */
  readonly paths: Pick<StatePaths, 'sources'>;
  readonly ledger: SourceLedger;
  /** Proxy variables are read from it. */
  readonly env: NodeJS.ProcessEnv;
  /** Never touch the network. */
  readonly offline?: boolean | undefined;
  /** Where unset, DEFAULT_FETCH_LIMITS. */
  readonly limits?: Partial<FetchLimits> | undefined;
  /** More certificate authorities, PEM; NODE_EXTRA_CA_CERTS works without. */
  readonly authorities?: readonly string[] | undefined;
  readonly world?: FetchWorld | undefined;
}

export interface EnsureOptions {
  readonly signal: AbortSignal;
  /** A tree whose `fetch/` and `sources/` folders are looked through before the network. Absolute. */
  readonly root?: string | undefined;
  /** Must not throw. */
  readonly onProgress?: ((progress: SourceProgress) => void) | undefined;
}
