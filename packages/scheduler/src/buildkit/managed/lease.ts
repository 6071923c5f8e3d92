/**
 * A lease on the managed daemon: an open connection to its supervisor, and what it says over it.
 *
 * Unaware of how a supervisor is started (client.ts).
 */
import { existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { environmentProblem, type Problem, ProblemError } from '@stx-make/core/errors';
import type { Places } from './places.ts';
import { encode, lines, type Ready, type ToClient } from './protocol.ts';
import { pathOfIdentity } from './root.ts';

/** A lease on the managed daemon: it stays at least until `close`, or until our process ends. */
export interface ManagedDaemon {
  readonly address: string;
  /** Of the buildkitd that serves now; changes when it had to be started again. */
  instance(): string;
  /** BuildKit's root folder: its disk is the one that can be full. */
  readonly root: string;
  /** Path of the buildkitd that serves. */
  readonly buildkitd: string;
  readonly warnings: readonly Problem[];
  /** Waits until a buildkitd serves: at once, unless it is just started again. False when it never will. */
  ready(signal: AbortSignal): Promise<boolean>;
  /** Has it start with an empty root, where it was kept from an earlier start and nobody else uses it: it starts but
   * does not work. False where that can not be. */
  reset(signal: AbortSignal): Promise<boolean>;
  close(): void;
}

export class Lease implements ManagedDaemon {
  readonly address: string;
  readonly root: string;
  readonly buildkitd: string;
  readonly warnings: readonly Problem[];
  readonly #socket: Socket;
  #ready: Ready | null;
  #over = false;
  #waiting: (() => void)[] = [];

  private constructor(socket: Socket, ready: Ready, wanted: { readonly buildkitd: string }) {
    this.#socket = socket;
    this.#ready = ready;
    this.address = ready.address;
    this.root = ready.root;
    this.buildkitd = pathOfIdentity(ready.buildkitd);
    this.warnings =
      ready.buildkitd === wanted.buildkitd
        ? []
        : [
            environmentProblem({
              code: 'daemon-other-buildkit',
              level: 'warning',
              text: `Another run uses the managed BuildKit with another buildkitd (${pathOfIdentity(ready.buildkitd)}); so does this one.`,
              hint: 'It changes when nobody uses it: stx-make daemon stop.',
            }),
          ];
    // The lease alone must not keep a finished command alive.
    socket.unref();
  }

  /** Null where nobody listens, or who did has just gone: start one and ask again.
   * @throws ProblemError where buildkitd can not be started */
  static async take(
    places: Places,
    wanted: { readonly buildkitd: string; readonly snapshotter: string },
    signal: AbortSignal,
  ): Promise<Lease | null> {
    if (!existsSync(places.control)) return null;
    const socket = connect(places.control);
    return await new Promise<Lease | null>((resolve, reject) => {
      let lease: Lease | null = null;
      const stop = () => {
        socket.destroy();
        reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
      };
      signal.addEventListener('abort', stop, { once: true });
      const settle = (result: Lease | null) => {
        signal.removeEventListener('abort', stop);
        if (result === null) socket.destroy();
        resolve(result);
      };
      socket.on('error', () => settle(null));
      socket.on('close', () => {
        if (lease === null) settle(null);
        else lease.#lost(null, true);
      });
      socket.on('connect', () => {
        const { buildkitd, snapshotter } = wanted;
        socket.write(
          encode({ op: 'lease', pid: process.pid, buildkitd, snapshotter: snapshotter as 'auto' }),
        );
      });
      socket.on(
        'data',
        lines(
          (raw) => {
            const message = raw as ToClient;
            switch (message.state) {
              case 'ready':
                if (lease !== null) lease.#lost(message, false);
                else {
                  lease = new Lease(socket, message, wanted);
                  settle(lease);
                }
                return;
              case 'failed':
                if (lease !== null) lease.#lost(null, true);
                else {
                  signal.removeEventListener('abort', stop);
                  socket.destroy();
                  reject(new ProblemError(message.problem));
                }
                return;
              case 'starting':
                if (lease !== null) lease.#lost(null, false);
                return;
              case 'making-way':
                settle(null);
                return;
              case 'stopped':
              case 'status':
                return;
            }
          },
          () => socket.destroy(),
        ),
      );
    });
  }

  instance(): string {
    return this.#ready?.instance ?? '';
  }

  #lost(ready: Ready | null, over: boolean): void {
    this.#ready = ready;
    this.#over ||= over;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async ready(signal: AbortSignal): Promise<boolean> {
    // The supervisor notices a dead buildkitd a moment after its clients do.
    await setTimeout(50);
    while (this.#ready === null && !this.#over && !signal.aborted) {
      this.#socket.ref();
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
      this.#socket.unref();
    }
    return this.#ready !== null && !signal.aborted;
  }

  async reset(signal: AbortSignal): Promise<boolean> {
    const before = this.#ready;
    if (before === null || !before.warm) return false;
    this.#socket.write(encode({ op: 'reset' }));
    // The answer is `starting` and then `ready`; of the same instance where it was refused.
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    return (await this.ready(signal)) && this.instance() !== before.instance;
  }

  close(): void {
    this.#over = true;
    this.#socket.end();
    this.#socket.destroySoon();
  }
}
