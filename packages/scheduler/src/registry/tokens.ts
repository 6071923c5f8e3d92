/**
 * What is shown to a registry with each request: nothing, user and password, or a token for what is to be done.
 *
 * Nothing is asked for and no login is looked up before the registry wants one. Once it said where its tokens are had,
 * those for other repositories are had without being refused first. Unaware of what requests are for.
 */
import type { IncomingMessage } from 'node:http';
import { AttemptError, statusError } from '../sources/network/failure.ts';
import type { Network } from '../sources/network/network.ts';
import { type Challenge, parseChallenge, type Scope, scopeTexts, tokenUrl } from './challenge.ts';
import { type Login, loginFor } from './credentials.ts';
import { isAllowed, type RegistryPlace } from './place.ts';

type Bearer = Challenge & { readonly scheme: 'bearer' };

/** Larger tokens are somebody's mistake. Bytes. */
const MAX_TOKEN = 64 * 1024;

/** The registry, or who gives its tokens, does not let us. Final; what it means is for the caller to say. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly status: number;
  readonly url: URL;
  /** Where the login that was shown came from. */
  readonly login: string;

  constructor(status: number, url: URL, login: string) {
    super(`${status} from ${url.origin}`);
    this.status = status;
    this.url = url;
    this.login = login;
  }
}

export class Tokens {
  readonly #place: RegistryPlace;
  readonly #network: Network;
  readonly #env: NodeJS.ProcessEnv;
  #challenge: Challenge | null = null;
  /** By scopes. */
  readonly #tokens = new Map<string, Promise<string>>();
  /** By repository: logins may be for a part of a registry. */
  readonly #logins = new Map<string, Promise<Login>>();

  constructor(place: RegistryPlace, network: Network, env: NodeJS.ProcessEnv) {
    this.#place = place;
    this.#network = network;
    this.#env = env;
  }

  /** What to show from the start; null where nothing is known to be wanted. @throws as `meet` */
  async header(scopes: readonly Scope[], signal: AbortSignal): Promise<string | null> {
    const challenge = this.#challenge;
    if (challenge === null) return null;
    return challenge.scheme === 'basic'
      ? await this.#basic(scopes, signal)
      : await this.#bearer(challenge, scopes, signal);
  }

  /**
   * What to show after an answer of 401; null where there is nothing that was not shown already.
   * @param shown what was refused
   * @throws RefusedError; AttemptError; the signal's reason
   */
  async meet(
    response: IncomingMessage,
    scopes: readonly Scope[],
    shown: string | null,
    signal: AbortSignal,
  ): Promise<string | null> {
    const challenge = parseChallenge(response.headers['www-authenticate']);
    if (challenge === null) return null;
    this.#challenge = challenge;
    if (challenge.scheme === 'basic') {
      const header = await this.#basic(scopes, signal);
      return header === shown ? null : header;
    }
    // Tokens live for minutes, uploads of gigabytes longer: one that was refused is had anew, once a request.
    const key = scopeTexts(challenge, scopes).join(' ');
    const known = this.#tokens.get(key);
    if (shown !== null && known !== undefined && (await settled(known)) === shown) this.#tokens.delete(key);
    return await this.#bearer(challenge, scopes, signal);
  }

  /** For people: where the login for these came from. Asks for none. */
  async told(scopes: readonly Scope[]): Promise<string> {
    const login = this.#logins.get(scopes[0]?.repository ?? '');
    return (await login?.catch(() => null))?.told ?? 'no login';
  }

  async #basic(scopes: readonly Scope[], signal: AbortSignal): Promise<string | null> {
    const { credentials } = await this.#login(scopes, signal);
    return credentials === null ? null : basic(credentials.user, credentials.secret);
  }

  async #bearer(challenge: Bearer, scopes: readonly Scope[], signal: AbortSignal): Promise<string> {
    const key = scopeTexts(challenge, scopes).join(' ');
    let token = this.#tokens.get(key);
    if (token === undefined) {
      token = this.#fetch(challenge, scopes, signal);
      this.#tokens.set(key, token);
      token.catch(() => {
        if (this.#tokens.get(key) === token) this.#tokens.delete(key);
      });
    }
    return await token;
  }

  async #fetch(challenge: Bearer, scopes: readonly Scope[], signal: AbortSignal): Promise<string> {
    const url = tokenUrl(challenge, scopes);
    if (!isAllowed(url, this.#place)) {
      const text = 'it would have a token fetched over plain http from another machine';
      throw new AttemptError('redirect', text, false);
    }
    const { credentials, told } = await this.#login(scopes, signal);
    const accept = { Accept: 'application/json' };
    let response: IncomingMessage;
    if (credentials?.isIdentityToken === true) {
      const form = new URLSearchParams({
        grant_type: 'refresh_token',
        service: challenge.service ?? '',
        client_id: 'stx-make',
        scope: scopeTexts(challenge, scopes).join(' '),
        refresh_token: credentials.secret,
      });
      const body = Buffer.from(form.toString());
      const type = 'application/x-www-form-urlencoded';
      const headers = { ...accept, 'Content-Type': type, 'Content-Length': String(body.length) };
      response = await this.#network.send(new URL(challenge.realm), {
        method: 'POST',
        headers,
        body,
        signal,
      });
    } else {
      const login =
        credentials === null ? {} : { Authorization: basic(credentials.user, credentials.secret) };
      response = await this.#network.get(url, { headers: { ...accept, ...login }, signal });
    }
    const text = await bodyText(response);
    const status = response.statusCode ?? 0;
    if (status === 401 || status === 403) throw new RefusedError(status, url, told);
    if (status !== 200) throw statusError(status, response.headers['retry-after'], Date.now());
    const token = tokenOf(text);
    if (token === null) throw new AttemptError('status', 'its answer holds no token', false);
    return `Bearer ${token}`;
  }

  #login(scopes: readonly Scope[], signal: AbortSignal): Promise<Login> {
    const repository = scopes[0]?.repository ?? '';
    let login = this.#logins.get(repository);
    if (login === undefined) {
      login = loginFor(this.#place.host, repository, this.#env, signal);
      this.#logins.set(repository, login);
      login.catch(() => this.#logins.delete(repository));
    }
    return login;
  }
}

function basic(user: string, secret: string): string {
  return `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`;
}

async function settled(token: Promise<string>): Promise<string | null> {
  return await token.catch(() => null);
}

async function bodyText(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size <= MAX_TOKEN) pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
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
