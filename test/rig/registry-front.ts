/**
 * Stands between a client and a real registry on loopback: counts what passes, and misbehaves when told to.
 *
 * A request that no fault takes goes on to the registry as it is. Unaware of what requests mean.
 */
import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import type net from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Handler } from './http.ts';

export interface Passed {
  readonly method: string;
  readonly path: string;
  /** Bytes of the bodies. */
  sent: number;
  received: number;
  status: number;
}

export class RegistryFront implements AsyncDisposable {
  readonly passed: Passed[] = [];
  /** Asked for every request; what it gives answers it instead of the registry. */
  fault: (request: IncomingMessage) => Handler | null = () => null;
  readonly #registry: string;
  readonly #server: http.Server;
  readonly #sockets = new Set<net.Socket>();

  private constructor(registry: string) {
    this.#registry = registry;
    this.#server = http.createServer((request, response) => {
      const note: Passed = {
        method: request.method ?? '',
        path: request.url ?? '',
        sent: 0,
        received: 0,
        status: 0,
      };
      this.passed.push(note);
      request.on('data', (piece: Buffer) => {
        note.sent += piece.length;
      });
      response.once('finish', () => {
        note.status = response.statusCode;
      });
      const fault = this.fault(request);
      if (fault !== null) {
        fault(request, response);
        return;
      }
      const [host, port] = this.#registry.split(':');
      const { method, url, headers } = request;
      const onward = http.request({ host, port: Number(port), method, path: url, headers });
      onward.on('response', (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.on('data', (piece: Buffer) => {
          note.received += piece.length;
        });
        answer.pipe(response);
        answer.on('error', () => response.destroy());
      });
      onward.on('error', () => response.destroy());
      request.pipe(onward);
    });
    this.#server.on('connection', (socket: net.Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {});
    });
  }

  static async start(registry: string): Promise<RegistryFront> {
    const front = new RegistryFront(registry);
    front.#server.listen(0, '127.0.0.1');
    await once(front.#server, 'listening');
    return front;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** `METHOD path` of what passed, in order. */
  lines(): string[] {
    return this.passed.map(({ method, path }) => `${method} ${path}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }
}
