/**
 * Connections: one agent for each way out (direct, or through a proxy), kept alive between requests.
 *
 * Node's own agents do the proxying: absolute-form requests for http, a CONNECT tunnel for https. Certificates are
 * judged against Node's and the system's authorities; NODE_EXTRA_CA_CERTS is among Node's. Unaware of what is asked.
 */
import http from 'node:http';
import https from 'node:https';
import tls from 'node:tls';
import { proxyFor } from './proxy.ts';

export interface NetworkOptions {
  /** Proxy variables are read from it. */
  readonly env: NodeJS.ProcessEnv;
  /** More authorities, PEM. */
  readonly authorities?: readonly string[] | undefined;
}

export interface RequestOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export class Network {
  readonly #options: NetworkOptions;
  readonly #agents = new Map<string, http.Agent>();
  #trust: tls.SecureContext | null = null;

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  /**
   * One GET, redirects not followed. Resolves with the head; the body must be read or destroyed.
   * @throws ProblemError `bad-proxy`; the system's error; the signal's reason
   */
  get(url: URL, options: RequestOptions): Promise<http.IncomingMessage> {
    const { signal } = options;
    const secure = url.protocol === 'https:';
    const agent = this.#agent(url, secure);
    const headers: Record<string, string> = { ...options.headers };
    if (url.username !== '' || url.password !== '') {
      const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
      headers['Authorization'] = `Basic ${Buffer.from(pair).toString('base64')}`;
    }
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const request = (secure ? https : http).request(url, { agent, headers, method: 'GET' });
      const stop = (): void => {
        request.destroy();
        reject(signal.reason);
      };
      signal.addEventListener('abort', stop, { once: true });
      request.once('response', (response) => {
        signal.removeEventListener('abort', stop);
        // From here on the body's reader watches the signal.
        resolve(response);
      });
      request.on('error', (error) => {
        signal.removeEventListener('abort', stop);
        reject(error);
      });
      request.end();
    });
  }

  /** Closes idle and busy connections. */
  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }

  #agent(url: URL, secure: boolean): http.Agent {
    const proxy = proxyFor(url, this.#options.env)?.href ?? '';
    const key = `${url.protocol} ${proxy}`;
    let agent = this.#agents.get(key);
    if (agent === undefined) {
      const proxyEnv = proxy === '' ? {} : { proxyEnv: { http_proxy: proxy, https_proxy: proxy } };
      const common = { keepAlive: true, ...proxyEnv };
      agent = secure
        ? new https.Agent({ ...common, secureContext: this.#context() })
        : new http.Agent(common);
      this.#agents.set(key, agent);
    }
    return agent;
  }

  /** Made once: parsing some hundred certificates takes longer than a request. */
  #context(): tls.SecureContext {
    this.#trust ??= tls.createSecureContext({
      ca: [
        ...tls.getCACertificates('default'),
        ...tls.getCACertificates('system'),
        ...(this.#options.authorities ?? []),
      ],
    });
    return this.#trust;
  }
}
