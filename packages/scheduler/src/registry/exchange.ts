/**
 * Requests to one registry: logins and tokens shown where they are wanted, redirects followed, time limits kept, tries
 * repeated where that may help.
 *
 * Unaware of what is asked: reading is client.ts's, writing is push.ts's.
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { environmentProblem, integrityProblem, ProblemError } from '@stx-make/core/errors';
import { DEFAULT_FETCH_LIMITS, realWorld } from '../sources/fetch/options.ts';
import { AttemptError, connectionError, statusError } from '../sources/network/failure.ts';
import { Network, type SendOptions } from '../sources/network/network.ts';
import { type TimeLimits, Watchdog } from '../sources/network/watchdog.ts';
import type { Scope } from './challenge.ts';
import { isAllowed, type RegistryPlace } from './place.ts';
import { RefusedError, Tokens } from './tokens.ts';
import { trustOf } from './trust.ts';

export interface RegistryOptions {
  readonly place: RegistryPlace;
  /** Proxy variables are read from it, and where logins and certificates are. */
  readonly env: NodeJS.ProcessEnv;
  /** Ends everything. */
  readonly signal: AbortSignal;
  /** Tries of one request that failed for a reason that may pass; the default is 4. */
  readonly attempts?: number | undefined;
  readonly limits?: TimeLimits | undefined;
  /** Rejects with the signal's reason when aborted. */
  readonly pause?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined;
  /** What to do where it fails; for people. */
  readonly hint?: string | undefined;
}

export interface Asking {
  readonly method: SendOptions['method'];
  readonly url: URL;
  readonly scopes: readonly Scope[];
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Made anew for each time it is sent. */
  readonly body?: (() => Uint8Array | Readable) | undefined;
}

const MAX_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** One answer. Its body is read to its end, or dropped. */
export class Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Where it came from, after redirects. */
  readonly url: URL;
  readonly #response: IncomingMessage;
  readonly #watchdog: Watchdog;
  readonly #signal: AbortSignal;

  constructor(response: IncomingMessage, url: URL, watchdog: Watchdog, signal: AbortSignal) {
    this.status = response.statusCode ?? 0;
    this.headers = response.headers;
    this.url = url;
    this.#response = response;
    this.#watchdog = watchdog;
    this.#signal = signal;
    watchdog.answered();
    response.once('close', () => watchdog.stop());
    response.on('error', () => {});
  }

  async *pieces(): AsyncIterable<Buffer> {
    const signal = this.#signal;
    const stop = (): void => {
      this.#response.destroy(signal.reason instanceof Error ? signal.reason : new Error('stopped'));
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    try {
      for await (const piece of this.#response as AsyncIterable<Buffer>) {
        this.#watchdog.received(piece.length);
        yield piece;
      }
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener('abort', stop);
      this.#watchdog.stop();
    }
  }

  /** The rest is of no use, but the connection may be. */
  async drop(): Promise<void> {
    let size = 0;
    for await (const piece of this.pieces()) {
      size += piece.length;
      if (size > 64 * 1024) break;
    }
  }

  /** Ends the connection: what else comes is not wanted. */
  cut(): void {
    this.#response.destroy();
    this.#watchdog.stop();
  }

  /** As an error that says whether another try may help. @throws RefusedError; AttemptError */
  async fail(told: () => Promise<string>): Promise<never> {
    await this.drop().catch(() => {});
    if (this.status === 401 || this.status === 403) {
      throw new RefusedError(this.status, this.url, await told());
    }
    throw statusError(this.status, this.headers['retry-after'], Date.now());
  }
}

export class Exchanges {
  readonly #options: RegistryOptions;
  readonly #network: Network;
  readonly #tokens: Tokens;

  constructor(options: RegistryOptions) {
    const { place, env } = options;
    this.#options = options;
    const { host, origin } = place;
    // Filed under the name people know it by.
    const filed = (asked: string): string => (asked === origin.host ? host : asked);
    this.#network = new Network({ env, trustOf: (asked) => trustOf(filed(asked), env) });
    this.#tokens = new Tokens(place, this.#network, env);
  }

  close(): void {
    this.#network.close();
  }

  url(repository: string, rest: string): URL {
    return new URL(`/v2/${repository}/${rest}`, this.#options.place.origin);
  }

  /**
   * Does `work`, again where it failed for a reason that may pass.
   * @param what where, for messages
   * @throws ProblemError `registry-failed`, `registry-refused` (environment); the signal's reason; what `work` throws
   */
  async trying<T>(
    what: URL,
    asked: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const signal = AbortSignal.any([this.#options.signal, ...(asked === undefined ? [] : [asked])]);
    const attempts = this.#options.attempts ?? DEFAULT_FETCH_LIMITS.retries + 1;
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      try {
        return await work(signal);
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof ProblemError) throw error;
        if (error instanceof RefusedError) throw this.#refused(error);
        const { failure } = error instanceof AttemptError ? error : connectionError(error);
        if (!failure.transient || attempt >= attempts) throw this.#failed(what, failure.text);
        const wait = failure.retryAfterMs ?? DEFAULT_FETCH_LIMITS.backoffMs * 2 ** (attempt - 1);
        const pause = this.#options.pause ?? realWorld.pause;
        await pause(Math.min(wait, DEFAULT_FETCH_LIMITS.maxRetryAfterMs), signal);
      }
    }
  }

  /** One request, with what the registry wants of us. @throws RefusedError; AttemptError; a system's error */
  async ask(asking: Asking, signal: AbortSignal): Promise<Answer> {
    const shown = await this.#limited(signal, (limited) => this.#tokens.header(asking.scopes, limited));
    const answer = await this.#follow(asking, shown, signal);
    if (answer.status !== 401) return answer;
    const again = await this.#limited(signal, (limited) =>
      this.#tokens.meet({ headers: answer.headers } as IncomingMessage, asking.scopes, shown, limited),
    );
    if (again === null) return answer;
    await answer.drop();
    return await this.#follow(asking, again, signal);
  }

  /** For people: where the login for these came from. */
  told(scopes: readonly Scope[]): Promise<string> {
    return this.#tokens.told(scopes);
  }

  /** It gave other bytes than their digest says. */
  otherBytes(url: URL, why: string): ProblemError {
    return new ProblemError(
      integrityProblem({
        code: 'registry-other-bytes',
        text: `The registry ${this.#options.place.name} gave other bytes than were asked for: ${why} (${url.origin}${url.pathname}).`,
        hint: 'Nothing of it is kept.',
      }),
    );
  }

  async #limited<T>(signal: AbortSignal, work: (limited: AbortSignal) => Promise<T>): Promise<T> {
    const watchdog = new Watchdog(this.#options.limits ?? DEFAULT_FETCH_LIMITS);
    try {
      return await work(AbortSignal.any([signal, watchdog.signal]));
    } finally {
      watchdog.stop();
    }
  }

  async #follow(asking: Asking, authorization: string | null, signal: AbortSignal): Promise<Answer> {
    const { place } = this.#options;
    let { url } = asking;
    for (let hop = 0; ; hop++) {
      if (!isAllowed(url, place)) {
        throw new AttemptError('redirect', `it leads to ${url.origin}, in the clear`, false);
      }
      const answer = await this.#send(asking, url, authorization, signal);
      const { location } = answer.headers;
      const may = asking.method === 'GET' || asking.method === 'HEAD';
      if (!may || !REDIRECTS.has(answer.status) || location === undefined) return answer;
      answer.cut();
      if (hop >= MAX_REDIRECTS || !URL.canParse(location, url.href)) {
        throw new AttemptError('redirect', 'it redirects in circles or to nowhere', false);
      }
      url = new URL(location, url.href);
    }
  }

  async #send(asking: Asking, url: URL, authorization: string | null, signal: AbortSignal): Promise<Answer> {
    const watchdog = new Watchdog(this.#options.limits ?? DEFAULT_FETCH_LIMITS);
    const limited = AbortSignal.any([signal, watchdog.signal]);
    // What is shown is for the registry alone: blobs are often behind a redirect to a store of somebody else.
    const own = authorization !== null && url.origin === this.#options.place.origin.origin;
    const headers = { ...asking.headers, ...(own ? { Authorization: authorization } : {}) };
    try {
      const body = asking.body?.();
      if (body !== undefined && !(body instanceof Uint8Array)) {
        watchdog.answered();
        body.on('data', (piece: Buffer) => watchdog.received(piece.length));
        body.once('end', () => watchdog.sent());
      }
      const response = await this.#network.send(url, {
        method: asking.method,
        headers,
        body,
        signal: limited,
      });
      return new Answer(response, url, watchdog, limited);
    } catch (error) {
      watchdog.stop();
      throw error;
    }
  }

  #failed(url: URL, text: string): ProblemError {
    const { place, hint } = this.#options;
    return new ProblemError(
      environmentProblem({
        code: 'registry-failed',
        text: `The registry ${place.name} could not be used: ${text} (${url.origin}${url.pathname}).`,
        hint:
          hint ?? 'Try again, or name another with --from REGISTRY, or a folder of layouts with --from DIR.',
      }),
    );
  }

  #refused({ status, url, login }: RefusedError): ProblemError {
    const { place } = this.#options;
    return new ProblemError(
      environmentProblem({
        code: 'registry-refused',
        text: `The registry ${place.name} does not allow this: it answered ${status} to ${login} (${url.origin}${url.pathname}).`,
        hint: `Log in with \`docker login ${place.host}\` or \`podman login ${place.host}\`: their files and credential helpers are read. What is not there can be refused in the same way.`,
      }),
    );
  }
}
