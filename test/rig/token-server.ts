/**
 * Who gives tokens for a real registry (docker-registry's `auth: token`): a small server on loopback that signs for what a
 * user may do, as the distribution project's protocol says.
 */
import { createPrivateKey, sign } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Certificate } from './certificates.ts';

export interface TokenUser {
  readonly password: string;
  readonly actions: readonly string[];
}

export class TokenServer implements AsyncDisposable {
  /** Scopes of each token that was given, with who asked. */
  readonly given: { readonly user: string; readonly scopes: readonly string[] }[] = [];
  readonly #server: http.Server;
  #key = '';
  #chain = '';

  /** @param users by name; `` is whoever shows nothing */
  private constructor(certificate: Certificate, users: Readonly<Record<string, TokenUser>>) {
    this.signWith(certificate);
    this.#server = http.createServer((request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        const form = new URLSearchParams(Buffer.concat(pieces).toString());
        const url = new URL(request.url ?? '/', 'http://x');
        const basic = /^Basic (.*)$/.exec(request.headers.authorization ?? '')?.[1];
        const [name = '', password = ''] = split(Buffer.from(basic ?? '', 'base64').toString());
        const known = Object.entries(users).find(([user, { password: own }]) =>
          request.method === 'POST'
            ? form.get('refresh_token') === `refresh ${user}`
            : user === name && own === password,
        );
        if (known === undefined) {
          response.writeHead(401).end();
          return;
        }
        const scopes =
          request.method === 'POST' ? [form.get('scope') ?? ''] : url.searchParams.getAll('scope');
        const all = scopes.flatMap((scope) => scope.split(' '));
        this.given.push({ user: known[0], scopes: all });
        response.setHeader('Content-Type', 'application/json');
        response.end(JSON.stringify({ token: this.#token(all, known[1].actions) }));
      });
    });
  }

  static async start(
    certificate: Certificate,
    users: Readonly<Record<string, TokenUser>>,
  ): Promise<TokenServer> {
    const server = new TokenServer(certificate, users);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  /** From now on; older tokens are of no use to a registry that trusts this one alone. */
  signWith({ certificate, key }: Certificate): void {
    this.#key = readFileSync(key, 'utf8');
    this.#chain = readFileSync(certificate, 'utf8').replace(/-----[A-Z ]+-----|\s/g, '');
  }

  get realm(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/token`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  #token(scopes: readonly string[], may: readonly string[]): string {
    const now = Math.floor(Date.now() / 1000);
    const access = scopes.map((scope) => {
      const [type, name, actions = ''] = scope.split(':');
      return { type, name, actions: actions.split(',').filter((action) => may.includes(action)) };
    });
    const life = { exp: now + 300, nbf: now - 10, iat: now };
    const head = part({ typ: 'JWT', alg: 'ES256', x5c: [this.#chain] });
    const body = `${head}.${part({ iss: 'test', sub: '', aud: 'registry', jti: '1', ...life, access })}`;
    const key = createPrivateKey(this.#key);
    const signature = sign('sha256', Buffer.from(body), { key, dsaEncoding: 'ieee-p1363' });
    return `${body}.${signature.toString('base64url')}`;
  }
}

function part(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function split(pair: string): string[] {
  const colon = pair.indexOf(':');
  return colon === -1 ? [] : [pair.slice(0, colon), pair.slice(colon + 1)];
}
