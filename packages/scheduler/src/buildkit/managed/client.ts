/**
 * A run's side of the managed daemon: have one, hold it, ask for it, stop it.
 *
 * Unaware of how it is kept alive (supervisor.ts).
 */
import { existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { environmentProblem, type Problem, ProblemError } from '@stx-make/core/errors';
import { statePaths } from '../../paths.ts';
import { findBuildKit } from '../../process/find.ts';
import type { Exit } from '../../process/run.ts';
import { tailOf } from './daemon.ts';
import { idleSeconds, LOCKED, launchSupervisor, snapshotterOf } from './launch.ts';
import { makePlaces, type Places, placesOf } from './places.ts';
import { encode, lines, type Ready, type SupervisorStatus, type ToClient } from './protocol.ts';
import { pathOfIdentity, programIdentity } from './root.ts';
import { checkRootless } from './rootless.ts';
import { findSandboxPrograms } from './sandbox.ts';

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

export interface ManagedOptions {
  /** The state folder. */
  readonly state: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  /** Told once when it has to be started. */
  readonly onStarting?: ((text: string) => void) | undefined;
}

/** A start takes 0.3 s; a discarded and rebuilt root, twice more. */
const PATIENCE_MS = 200_000;
const POLL_MS = 15;

/** The managed daemon of a state folder, started where there is none. Of several that ask at once one starts it.
 * @throws ProblemError (environment): BuildKit or programs missing, no rootless possible, start failed */
export async function ensureManaged(options: ManagedOptions): Promise<ManagedDaemon> {
  const { env, signal } = options;
  const { buildkitd } = findBuildKit(env);
  if (buildkitd === null) {
    throw new ProblemError(
      environmentProblem({
        code: 'buildkit-not-found',
        text: 'BuildKit is incomplete: there is a buildctl but no buildkitd, which the managed daemon needs.',
        hint: 'Install buildkitd v0.28.1 or later, use ./run of a clone, or name a running BuildKit by --worker.',
      }),
    );
  }
  // Said here and not by the supervisor: it has nobody to say it to.
  findSandboxPrograms(env);
  if (process.getuid?.() !== 0) checkRootless(env);
  const places = placesOf(statePaths(options.state).daemon, env);
  makePlaces(places);
  const wanted = { buildkitd: programIdentity(buildkitd), snapshotter: snapshotterOf(env) };
  const deadline = performance.now() + PATIENCE_MS;
  let starter: { exit: Exit | null } | null = null;
  for (;;) {
    signal.throwIfAborted();
    const lease = await Lease.take(places, wanted, signal);
    if (lease !== null) return lease;
    if (starter === null || starter.exit !== null) {
      const failed = starter?.exit;
      if (failed != null && failed.code !== LOCKED && failed.code !== 0) throw notStarted(places, failed);
      if (performance.now() > deadline) throw notStarted(places, null);
      options.onStarting?.('starting the managed BuildKit');
      const begun: { exit: Exit | null } = { exit: null };
      starter = begun;
      const started = launchSupervisor(
        places,
        { buildkitd, snapshotter: wanted.snapshotter, idle: idleSeconds(env) },
        env,
      );
      void started.exit.then((exit) => {
        begun.exit = exit;
      });
    }
    await setTimeout(POLL_MS);
  }
}

function notStarted(places: Places, exit: Exit | null): ProblemError {
  const how = exit === null ? 'it does not answer' : `its supervisor ended (${exit.signal ?? exit.code})`;
  const last = tailOf(places.supervisorLog, 6);
  return new ProblemError(
    environmentProblem({
      code: 'daemon-start',
      text: `The managed BuildKit can not be started: ${how}.${last === '' ? '' : `\n${last}`}`,
      hint: `Its logs are in ${places.dir}. A running BuildKit can be named by --worker or BUILDKIT_HOST.`,
    }),
  );
}

class Lease implements ManagedDaemon {
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

/** The managed BuildKit of a state folder, as far as it can be told without starting it. */
export interface ManagedStatus {
  readonly running: boolean;
  /** Of the supervisor. */
  readonly pid: number | null;
  readonly address: string | null;
  readonly version: string | null;
  /** For people: uptime, clients. */
  readonly text: string;
  readonly clients: readonly number[];
  readonly inMemory: boolean;
}

/** Asks the supervisor, if there is one; starts nothing. */
export async function managedStatus(
  state: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<ManagedStatus> {
  const places = placesOf(statePaths(state).daemon, env);
  const message = await converse(places, { op: 'status' });
  if (message?.state !== 'status') {
    return {
      running: false,
      pid: null,
      address: null,
      version: null,
      text: `no managed BuildKit is running for ${state}`,
      clients: [],
      inMemory: false,
    };
  }
  return {
    running: true,
    pid: message.pid,
    address: message.address,
    version: await versionOf(message),
    text: statusText(message),
    clients: message.clients,
    inMemory: message.inMemory,
  };
}

function statusText(status: SupervisorStatus): string {
  const count = status.clients.length;
  const users =
    count === 0
      ? 'used by nobody'
      : `used by ${count === 1 ? 'process' : 'processes'} ${status.clients.join(', ')}`;
  const memory = status.inMemory ? '' : ', metadata on disk (no room in memory: slower)';
  return `up for ${Math.round(status.up / 1000)} s, ${users}, ends ${status.idle} s after its last use${memory}`;
}

async function versionOf(status: SupervisorStatus): Promise<string | null> {
  const { capture } = await import('../../process/run.ts');
  const said = await capture(status.buildkitd, ['--version'], {
    env: { PATH: '/usr/bin:/bin' },
    timeoutMs: 5_000,
  });
  return said.stdout.match(/v\d+\.\d+\.\d+\S*/)?.[0] ?? null;
}

/** Ends the managed BuildKit; builds that use it fail. False where none was running. */
export async function stopManaged(state: string, env: NodeJS.ProcessEnv = process.env): Promise<boolean> {
  const message = await converse(placesOf(statePaths(state).daemon, env), { op: 'stop' });
  return message !== null;
}

/** One question, the last answer; null where nobody listens. A supervisor that stops closes the connection when
 * it is done. */
function converse(places: Places, question: { op: 'status' } | { op: 'stop' }): Promise<ToClient | null> {
  if (!existsSync(places.control)) return Promise.resolve(null);
  return new Promise((resolve) => {
    let answer: ToClient | null = null;
    const socket = connect(places.control);
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer));
    socket.on('connect', () => socket.write(encode(question)));
    socket.on(
      'data',
      lines(
        (message) => {
          answer = message as ToClient;
        },
        () => socket.destroy(),
      ),
    );
  });
}
