/**
 * Which mirror to ask next, and when: all of them in turn, those that may recover again after a growing pause.
 * Pure; time and chance come in.
 */
import type { MirrorFailure } from '../model.ts';

export interface RetryLimits {
  /** Tries after the first one, for each mirror. */
  readonly retries: number;
  /** The first pause, doubled with each try. ms. */
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
  /** What a server may ask for with Retry-After at most. ms. */
  readonly maxRetryAfterMs: number;
}

interface Candidate {
  readonly url: string;
  tries: number;
  /** ms, monotonic. */
  notBefore: number;
}

/** Progress that does not use up a try: a connection that breaks every so often still brings a large file. Bytes. */
const WORTHWHILE = 1024 * 1024;

export class Mirrors {
  readonly #limits: RetryLimits;
  readonly #random: () => number;
  readonly #left: Candidate[];
  /** The furthest any attempt came. */
  #furthest = 0;

  /** @param random as Math.random */
  constructor(urls: readonly string[], limits: RetryLimits, random: () => number) {
    this.#limits = limits;
    this.#random = random;
    this.#left = urls.map((url) => ({ url, tries: 0, notBefore: 0 }));
  }

  /** The mirror to ask and how long to wait before it; null when all have failed. Mirrors with fewer tries come
   * first, among equals the one that may be asked soonest, then the order of the recipe.
   * @param now ms, monotonic */
  next(now: number): { readonly url: string; readonly waitMs: number } | null {
    let best: Candidate | null = null;
    for (const candidate of this.#left) {
      if (best === null || sooner(candidate, best)) best = candidate;
    }
    return best === null ? null : { url: best.url, waitMs: Math.max(0, best.notBefore - now) };
  }

  /** @param here bytes that an attempt can go on from @param now ms, monotonic */
  failed(
    url: string,
    failure: Pick<MirrorFailure, 'transient' | 'retryAfterMs'>,
    here: number,
    now: number,
  ): void {
    const place = this.#left.findIndex((candidate) => candidate.url === url);
    const candidate = this.#left[place];
    if (candidate === undefined) throw new Error(`no mirror ${url}`);
    // Bounded by the size of the file: each such attempt ends further than any before.
    if (here >= this.#furthest + WORTHWHILE) candidate.tries = 0;
    else candidate.tries += 1;
    this.#furthest = Math.max(this.#furthest, here);
    if (!failure.transient || candidate.tries > this.#limits.retries) {
      this.#left.splice(place, 1);
      return;
    }
    const asked = Math.min(failure.retryAfterMs ?? 0, this.#limits.maxRetryAfterMs);
    candidate.notBefore = now + Math.max(asked, this.#backoff(candidate.tries));
  }

  /** Half of it fixed, half by chance, so that many sources of one mirror do not come back at once. */
  #backoff(tries: number): number {
    const { backoffMs, maxBackoffMs } = this.#limits;
    const full = Math.min(maxBackoffMs, backoffMs * 2 ** Math.max(0, tries - 1));
    return full / 2 + (full / 2) * this.#random();
  }
}

function sooner(a: Candidate, b: Candidate): boolean {
  return a.tries < b.tries || (a.tries === b.tries && a.notBefore < b.notBefore);
}
