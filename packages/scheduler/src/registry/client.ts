/**
 * Reads images from a registry by digest: the OCI distribution protocol, as far as pulling needs it.
 *
 * Every byte is judged by its digest, so neither the registry nor what is between is trusted. Proxies, certificates and
 * time limits are those of the sources' network. Unaware of targets and of where blobs go.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { environmentProblem, integrityProblem, type Problem, ProblemError } from '@stx-make/core/errors';
import { MEDIA } from '@stx-make/core/oci/documents';
import type { Digest } from '@stx-make/core/oci/model';
import { DEFAULT_FETCH_LIMITS, realWorld } from '../sources/fetch/options.ts';
import { AttemptError, connectionError, statusError } from '../sources/network/failure.ts';
import { Network } from '../sources/network/network.ts';
import { type TimeLimits, Watchdog } from '../sources/network/watchdog.ts';
import { parseChallenge, tokenUrl } from './challenge.ts';
import { isLoopback, type RegistryPlace } from './place.ts';

export interface RegistryOptions {
  readonly place: RegistryPlace;
  /** Proxy variables are read from it. */
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  /** Tries of one request that failed for a reason that may pass; the default is 4. */
  readonly attempts?: number | undefined;
  readonly limits?: TimeLimits | undefined;
  /** Rejects with the signal's reason when aborted. */
  readonly pause?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined;
}

export type BlobKind = 'manifests' | 'blobs';

/** Takes the bytes of one blob as they come. */
export interface BlobSink {
  write(piece: Uint8Array): void;
  /** The bytes so far are void: it begins anew. */
  reset(): void;
}

const MAX_REDIRECTS = 5;
/** Larger tokens are somebody's mistake. Bytes. */
const MAX_TOKEN = 64 * 1024;

export class RegistryClient {
  readonly #options: RegistryOptions;
  readonly #network: Network;
  /** By repository. */
  readonly #tokens = new Map<string, string>();

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#network = new Network({ env: options.env });
  }

  close(): void {
    this.#network.close();
  }

  /**
   * Reads a manifest or blob whole, its digest and size checked.
   * @param size null where it is not known; `limit` bytes at most
   * @returns false where the registry does not have it
   * @throws ProblemError `registry-failed`, `registry-refused` (environment), `registry-other-bytes` (integrity); the
   * signal's reason
   */
  async read(
    repository: string,
    kind: BlobKind,
    wanted: { readonly digest: Digest; readonly size: number | null; readonly limit: number },
    sink: BlobSink,
  ): Promise<boolean> {
    const { place, signal } = this.#options;
    const url = new URL(`/v2/${repository}/${kind}/${wanted.digest}`, place.origin);
    const attempts = this.#options.attempts ?? DEFAULT_FETCH_LIMITS.retries + 1;
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      const watchdog = new Watchdog(this.#options.limits ?? DEFAULT_FETCH_LIMITS);
      try {
        return await this.#attempt(repository, url, wanted, sink, watchdog);
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof ProblemError) throw error;
        const { failure } = error instanceof AttemptError ? error : connectionError(error);
        if (!failure.transient || attempt >= attempts) throw this.#failed(url, failure.text);
        sink.reset();
        const wait = failure.retryAfterMs ?? DEFAULT_FETCH_LIMITS.backoffMs * 2 ** (attempt - 1);
        await (this.#options.pause ?? realWorld.pause)(
          Math.min(wait, DEFAULT_FETCH_LIMITS.maxRetryAfterMs),
          signal,
        );
      } finally {
        watchdog.stop();
      }
    }
  }

  async #attempt(
    repository: string,
    url: URL,
    wanted: { readonly digest: Digest; readonly size: number | null; readonly limit: number },
    sink: BlobSink,
    watchdog: Watchdog,
  ): Promise<boolean> {
    const signal = AbortSignal.any([this.#options.signal, watchdog.signal]);
    const response = await this.#answer(repository, url, signal);
    watchdog.answered();
    const status = response.statusCode ?? 0;
    if (status !== 200) {
      response.resume();
      if (status === 404) return false;
      if (status === 401 || status === 403) throw this.#refused(url, status);
      throw statusError(status, response.headers['retry-after'], Date.now());
    }
    const hash = createHash('sha256');
    let size = 0;
    for await (const piece of bodyOf(response, signal)) {
      size += piece.length;
      watchdog.received(piece.length);
      if (size > (wanted.size ?? wanted.limit)) {
        response.destroy();
        throw this.#otherBytes(url, `more than ${wanted.size ?? wanted.limit} bytes came`);
      }
      hash.update(piece);
      sink.write(piece);
    }
    if (wanted.size !== null && size < wanted.size) {
      throw new AttemptError('truncated', `only ${size} of ${wanted.size} bytes came`, true);
    }
    const found = `sha256:${hash.digest('hex')}`;
    if (found !== wanted.digest) throw this.#otherBytes(url, `its bytes have the digest ${found}`);
    return true;
  }

  /** The first answer that is neither a redirect nor a wish for a token we can get. */
  async #answer(repository: string, url: URL, signal: AbortSignal): Promise<IncomingMessage> {
    let response = await this.#follow(url, this.#tokens.get(repository) ?? null, signal);
    if (response.statusCode !== 401) return response;
    const challenge = parseChallenge(response.headers['www-authenticate']);
    if (challenge?.scheme !== 'bearer') return response;
    response.resume();
    const token = await this.#token(tokenUrl(challenge, repository), signal);
    this.#tokens.set(repository, token);
    response = await this.#follow(url, token, signal);
    return response;
  }

  async #follow(start: URL, token: string | null, signal: AbortSignal): Promise<IncomingMessage> {
    const accept = start.pathname.includes('/manifests/') ? MEDIA.manifest : '*/*';
    let url = start;
    for (let hop = 0; ; hop++) {
      // The token is for the registry alone: blobs are often behind a redirect to a store of somebody else.
      const own = token !== null && url.origin === start.origin;
      const headers = { Accept: accept, ...(own ? { Authorization: `Bearer ${token}` } : {}) };
      const response = await this.#network.get(url, { headers, signal });
      const { location } = response.headers;
      if (![301, 302, 303, 307, 308].includes(response.statusCode ?? 0) || location === undefined) {
        return response;
      }
      response.on('error', () => {});
      response.destroy();
      if (hop >= MAX_REDIRECTS || !URL.canParse(location, url.href)) {
        throw new AttemptError('redirect', 'it redirects in circles or to nowhere', false);
      }
      url = new URL(location, url.href);
      if (!isAllowed(url)) throw new AttemptError('redirect', `it redirects to ${url.protocol}`, false);
    }
  }

  async #token(url: URL, signal: AbortSignal): Promise<string> {
    if (!isAllowed(url))
      throw this.#failed(url, 'it would have a token fetched over plain http from another machine');
    const response = await this.#network.get(url, { headers: { Accept: 'application/json' }, signal });
    const pieces: Buffer[] = [];
    let size = 0;
    for await (const piece of bodyOf(response, signal)) {
      size += piece.length;
      if (size <= MAX_TOKEN) pieces.push(piece);
    }
    const status = response.statusCode ?? 0;
    if (status === 401 || status === 403) throw this.#refused(url, status);
    if (status !== 200) throw statusError(status, response.headers['retry-after'], Date.now());
    const token = tokenOf(Buffer.concat(pieces).toString('utf8'));
    if (token === null) throw this.#failed(url, 'its answer holds no token');
    return token;
  }

  #failed(url: URL, text: string): ProblemError {
    return new ProblemError(
      environmentProblem({
        code: 'registry-failed',
        text: `The registry ${this.#options.place.name} could not be read: ${text} (${url.origin}${url.pathname}).`,
        hint: 'Try again, or name another with --from REGISTRY, or a folder of layouts with --from DIR.',
      }),
    );
  }

  #refused(url: URL, status: number): ProblemError {
    return new ProblemError(
      environmentProblem({
        code: 'registry-refused',
        text: `The registry ${this.#options.place.name} lets nobody read this without a login: it answered ${status} (${url.origin}${url.pathname}).`,
        hint: 'Only what can be read without a login is supported. Copy it with skopeo into a folder of layouts and name that with --from DIR.',
      }),
    );
  }

  #otherBytes(url: URL, why: string): ProblemError {
    const problem: Problem = integrityProblem({
      code: 'registry-other-bytes',
      text: `The registry ${this.#options.place.name} gave other bytes than were asked for: ${why} (${url.origin}${url.pathname}).`,
      hint: 'Nothing of it is kept.',
    });
    return new ProblemError(problem);
  }
}

/** Plain http never leaves this machine. */
function isAllowed(url: URL): boolean {
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.host));
}

async function* bodyOf(response: IncomingMessage, signal: AbortSignal): AsyncIterable<Buffer> {
  const stop = (): void => {
    response.destroy(signal.reason instanceof Error ? signal.reason : new Error('stopped'));
  };
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const piece of response as AsyncIterable<Buffer>) yield piece;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** The distribution project calls it `token`, OAuth 2 `access_token`. */
function tokenOf(text: string): string | null {
  try {
    const document = JSON.parse(text) as { readonly token?: unknown; readonly access_token?: unknown };
    const token = document.token ?? document.access_token;
    return typeof token === 'string' && /^[\x21-\x7e]+$/.test(token) ? token : null;
  } catch {
    return null;
  }
}
