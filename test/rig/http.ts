/**
 * A real HTTP server on loopback that misbehaves on request, and a real forward and CONNECT proxy.
 *
 * Every path has a handler; what was asked is kept. Handlers below are the misbehaviours. Unaware of sources.
 */
import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly range: string | null;
  readonly ifRange: string | null;
  readonly headers: http.IncomingHttpHeaders;
}

export class MisbehavingServer implements AsyncDisposable {
  readonly asked: Asked[] = [];
  readonly #server: http.Server | https.Server;
  readonly #sockets = new Set<net.Socket>();
  readonly #handlers = new Map<string, Handler[]>();
  readonly #scheme: 'http' | 'https';

  private constructor(secure: https.ServerOptions | null) {
    const listener = (request: IncomingMessage, response: ServerResponse): void =>
      this.#answer(request, response);
    this.#scheme = secure === null ? 'http' : 'https';
    this.#server = secure === null ? http.createServer(listener) : https.createServer(secure, listener);
    this.#server.on('connection', (socket: net.Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {});
    });
  }

  static async start(secure: https.ServerOptions | null = null): Promise<MisbehavingServer> {
    const server = new MisbehavingServer(secure);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  url(path: string, host = '127.0.0.1'): string {
    return `${this.#scheme}://${host}:${this.port}${path}`;
  }

  /** One handler for each request in turn; the last one answers all further ones. */
  on(path: string, ...handlers: Handler[]): string {
    this.#handlers.set(path, handlers);
    return this.url(path);
  }

  count(path: string): number {
    return this.asked.filter((asked) => asked.path === path).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '';
    const { headers } = request;
    this.asked.push({
      method: request.method ?? '',
      path,
      range: headers.range ?? null,
      ifRange: typeof headers['if-range'] === 'string' ? headers['if-range'] : null,
      headers,
    });
    const handlers = this.#handlers.get(path) ?? [];
    const handler = handlers.length > 1 ? handlers.shift() : handlers[0];
    if (handler === undefined) status(404)(request, response);
    else handler(request, response);
  }
}

/** As a good server: ranges, If-Range, ETag. */
export function good(body: Buffer, etag = '"one"'): Handler {
  return (request, response) => {
    const range = /^bytes=([0-9]+)-$/.exec(request.headers.range ?? '');
    const ifRange = request.headers['if-range'];
    response.setHeader('ETag', etag);
    response.setHeader('Accept-Ranges', 'bytes');
    if (range === null || (ifRange !== undefined && ifRange !== etag)) {
      response.writeHead(200, { 'Content-Length': body.length });
      response.end(body);
      return;
    }
    const from = Number(range[1]);
    if (from >= body.length) {
      response.writeHead(416, { 'Content-Range': `bytes */${body.length}` });
      response.end();
      return;
    }
    response.writeHead(206, {
      'Content-Length': body.length - from,
      'Content-Range': `bytes ${from}-${body.length - 1}/${body.length}`,
    });
    response.end(body.subarray(from));
  };
}

/** Knows no ranges: always all of it. */
export function rangeless(body: Buffer): Handler {
  return (_request, response) => {
    response.writeHead(200, { 'Content-Length': body.length });
    response.end(body);
  };
}

export function status(code: number, headers: http.OutgoingHttpHeaders = {}, body = 'no'): Handler {
  return (_request, response) => {
    response.writeHead(code, headers);
    response.end(body);
  };
}

export function redirect(to: string, code = 302): Handler {
  return status(code, { Location: to }, '');
}

/** Announces all, sends `count` bytes from the asked offset on, then ends the connection: `fin` in order, `rst`
 * with a reset. Honours ranges. */
export function cut(body: Buffer, count: number, how: 'fin' | 'rst', etag = '"one"'): Handler {
  return (request, response) => {
    const from = Number(/^bytes=([0-9]+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const headers: http.OutgoingHttpHeaders = { 'Content-Length': body.length - from, ETag: etag };
    if (from > 0) headers['Content-Range'] = `bytes ${from}-${body.length - 1}/${body.length}`;
    response.writeHead(from > 0 ? 206 : 200, headers);
    // Ended only when the client's side has it: a reset throws away what is still in the buffers.
    response.write(body.subarray(from, from + count), () => {
      const { socket } = response;
      if (how === 'fin') socket?.end();
      else setImmediate(() => socket?.resetAndDestroy());
    });
  };
}

/** Sends `count` bytes, then nothing more, and keeps the connection. */
export function stall(body: Buffer, count: number): Handler {
  return (_request, response) => {
    response.writeHead(200, { 'Content-Length': body.length, ETag: '"one"' });
    response.write(body.subarray(0, count));
  };
}

/** Takes the request and never answers. */
export const silence: Handler = () => {};

/** One byte every `everyMs`, without end. */
export function drip(everyMs: number): Handler {
  return (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'application/octet-stream' });
    const timer = setInterval(() => response.write('x'), everyMs);
    response.on('close', () => clearInterval(timer));
  };
}

/** Answers a range with a part that begins elsewhere. */
export function wrongRange(body: Buffer, shift: number): Handler {
  return (request, response) => {
    const from = Number(/^bytes=([0-9]+)-$/.exec(request.headers.range ?? '')?.[1] ?? -1);
    if (from < 0) {
      rangeless(body)(request, response);
      return;
    }
    const start = from - shift;
    response.writeHead(206, { 'Content-Range': `bytes ${start}-${body.length - 1}/${body.length}` });
    response.end(body.subarray(start));
  };
}

/** Compresses though it was asked not to. */
export function gzipped(body: Buffer): Handler {
  return (_request, response) => {
    const bytes = gzipSync(body);
    response.writeHead(200, { 'Content-Encoding': 'gzip', 'Content-Length': bytes.length });
    response.end(bytes);
  };
}

/** Says gzip of what it sends as it is. */
export function mislabelled(body: Buffer): Handler {
  return (_request, response) => {
    response.writeHead(200, { 'Content-Encoding': 'x-gzip', 'Content-Length': body.length });
    response.end(body);
  };
}

/** Bytes on the socket as they are, then its end. */
export function raw(text: string, body: Buffer = Buffer.alloc(0)): Handler {
  return (request) => {
    request.socket.end(Buffer.concat([Buffer.from(text, 'latin1'), body]));
  };
}

/** A forward proxy for http and a tunnel for https. `asked` has `METHOD target` of each request. */
export class LoopbackProxy implements AsyncDisposable {
  readonly asked: string[] = [];
  /** Proxy-Authorization of each request, in the same order. */
  readonly authorizations: (string | null)[] = [];
  readonly #server = http.createServer();
  readonly #sockets = new Set<net.Socket>();

  private constructor() {
    this.#server.on('connection', (socket) => this.#keep(socket));
    this.#server.on('request', (request, response) => {
      this.#note(request);
      // Absolute form: the whole URL is the request's target.
      const onward = http.request(request.url ?? '', { method: request.method, headers: request.headers });
      onward.on('response', (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
        // A broken answer breaks ours too.
        answer.on('close', () => answer.complete || response.destroy());
        answer.on('error', () => {});
      });
      onward.on('error', () => response.destroy());
      request.pipe(onward);
    });
    this.#server.on('connect', (request, socket: net.Socket, head) => {
      this.#note(request);
      const [host, port] = (request.url ?? '').split(':');
      const onward = net.connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        onward.write(head);
        onward.pipe(socket);
        socket.pipe(onward);
      });
      this.#keep(onward);
      onward.on('error', () => socket.destroy());
    });
  }

  static async start(): Promise<LoopbackProxy> {
    const proxy = new LoopbackProxy();
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  #keep(socket: net.Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
  }

  #note(request: IncomingMessage): void {
    this.asked.push(`${request.method} ${request.url}`);
    this.authorizations.push(request.headers['proxy-authorization'] ?? null);
  }
}
