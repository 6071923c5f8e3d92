/**
 * Connections: one agent for each way out (direct, or through a proxy; with certificates of its own), kept alive
 * between requests.
 *
 * Node's own agents do the proxying: absolute-form requests for http, a CONNECT tunnel for https. Certificates are
 * judged against Node's and the system's authorities; NODE_EXTRA_CA_CERTS is among Node's. Unaware of what is asked.
 */
import http from 'node:http';
import https from 'node:https';
import type { Readable } from 'node:stream';
import tls from 'node:tls';
import { proxyFor } from './proxy.ts';

export interface NetworkOptions {
  /** Proxy variables are read from it. */
  readonly env: NodeJS.ProcessEnv;
  /** More authorities, PEM. */
  readonly authorities?: readonly string[] | undefined;
  /** More for one `host[:port]` alone; null where there is nothing. Asked once a host. */
  readonly trustOf?: ((host: string) => HostTrust | null) | undefined;
}

/** What is believed of one host besides the common authorities, and what is shown to it. PEM. */
export interface HostTrust {
  readonly authorities: readonly string[];
  readonly certificate?: { readonly cert: string; readonly key: string } | undefined;
}

export interface RequestOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export interface SendOptions extends RequestOptions {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** A stream is read as fast as it is taken, and destroyed where the answer comes before its end. */
  readonly body?: Uint8Array | Readable | undefined;
}

export class Network {
  readonly #options: NetworkOptions;
  readonly #agents = new Map<string, http.Agent>();
  readonly #trusts = new Map<string, HostTrust | null>();
  #trust: tls.SecureContext | null = null;

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  /** One GET; as `send`. */
  get(url: URL, options: RequestOptions): Promise<http.IncomingMessage> {
    return this.send(url, { ...options, method: 'GET' });
  }

  /**
   * One request, redirects not followed. Resolves with the head; the body must be read or destroyed.
   * @throws ProblemError `bad-proxy`; the system's error; the signal's reason
   */
  send(url: URL, options: SendOptions): Promise<http.IncomingMessage> {
    const { signal, method, body } = options;
    const secure = url.protocol === 'https:';
    const agent = this.#agent(url, secure);
    const headers: Record<string, string> = { ...options.headers };
    if (url.username !== '' || url.password !== '') {
      const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
      headers['Authorization'] = `Basic ${Buffer.from(pair).toString('base64')}`;
    }
    const stream = body === undefined || body instanceof Uint8Array ? null : body;
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        stream?.destroy();
        reject(signal.reason);
        return;
      }
      const request = (secure ? https : http).request(url, { agent, headers, method });
      const fail = (error: unknown): void => {
        signal.removeEventListener('abort', stop);
        stream?.destroy();
        reject(error);
      };
      const stop = (): void => {
        request.destroy();
        fail(signal.reason);
      };
      signal.addEventListener('abort', stop, { once: true });
      request.once('response', (response) => {
        signal.removeEventListener('abort', stop);
        if (stream !== null && !request.writableFinished) {
          // It has made up its mind: what was not sent yet never will be, and the connection can not be used again.
          stream.destroy();
          response.once('close', () => request.destroy());
        }
        // From here on the body's reader watches the signal.
        resolve(response);
      });
      request.on('error', fail);
      if (stream === null) {
        request.end(body);
        return;
      }
      stream.once('error', (error) => {
        request.destroy();
        fail(error);
      });
      stream.pipe(request);
    });
  }

  /** Closes idle and busy connections. */
  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }

  #agent(url: URL, secure: boolean): http.Agent {
    const proxy = proxyFor(url, this.#options.env)?.href ?? '';
    const trust = secure ? this.#trustOf(url.host) : null;
    const key = `${url.protocol} ${proxy} ${trust === null ? '' : url.host}`;
    let agent = this.#agents.get(key);
    if (agent === undefined) {
      const proxyEnv = proxy === '' ? {} : { proxyEnv: { http_proxy: proxy, https_proxy: proxy } };
      const common = { keepAlive: true, ...proxyEnv };
      agent = secure
        ? new https.Agent({ ...common, secureContext: this.#context(trust) })
        : new http.Agent(common);
      this.#agents.set(key, agent);
    }
    return agent;
  }

  #trustOf(host: string): HostTrust | null {
    let trust = this.#trusts.get(host);
    if (trust === undefined) {
      trust = this.#options.trustOf?.(host) ?? null;
      this.#trusts.set(host, trust);
    }
    return trust;
  }

  /** Made once for all hosts without certificates of their own: parsing some hundred takes longer than a request. */
  #context(trust: HostTrust | null): tls.SecureContext {
    if (trust !== null) {
      const ca = [...this.#authorities(), ...trust.authorities];
      return tls.createSecureContext({ ca, ...trust.certificate });
    }
    this.#trust ??= tls.createSecureContext({ ca: this.#authorities() });
    return this.#trust;
  }

  #authorities(): string[] {
    return [
      ...tls.getCACertificates('default'),
      ...tls.getCACertificates('system'),
      ...(this.#options.authorities ?? []),
    ];
  }
}
