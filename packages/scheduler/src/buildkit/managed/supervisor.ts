/**
 * The supervisor of the managed BuildKit: one small process for a state folder, in a session of its own. It
 * starts buildkitd, counts the runs that hold a connection, and ends when nobody has needed it for a while.
 *
 * What it guarantees:
 * - nothing of buildkitd outlives it, killed or not (sandbox.ts);
 * - one for a state folder: it is started holding `lock` (flock), which the kernel frees with it;
 * - a lease is an open connection, so that a killed run leaves none;
 * - it ends by itself when its folder is removed, and then removes what it has in memory;
 * - a buildkitd that dies is started again, with its cache, at most three times a minute. Builds in flight
 *   fail as on a lost worker and are tried again by their run.
 */
import { rmSync, statSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { environmentProblem, type Problem, ProblemError } from '@stx-make/core/errors';
import { removeCgroups } from './cgroups.ts';
import type { Snapshotter } from './config.ts';
import { logWriter, type RunningDaemon, startDaemonProcess } from './daemon.ts';
import { removeMemory } from './memory.ts';
import { makePlaces, type Places, placesOf } from './places.ts';
import { encode, lines, type Ready, type SupervisorStatus, type ToClient } from './protocol.ts';
import {
  discardedRoots,
  discardRoot,
  memoryOf,
  prepareRoot,
  programIdentity,
  type RootState,
  removeTree,
} from './root.ts';

export interface SupervisorOptions {
  /** `<state>/daemon`. */
  readonly daemonDir: string;
  readonly buildkitd: string;
  readonly snapshotter: Snapshotter;
  /** Seconds to stay after the last client has gone; 0: none. */
  readonly idle: number;
  readonly env: NodeJS.ProcessEnv;
}

/** How often the state folder is looked at. */
const WATCH_MS = 1_000;
/** An idle buildkitd ends 11 ms after TERM; a busy one waits for its builds without limit (BUILDKIT.md 7). */
const STOP_MS = 3_000;
const RESTARTS = 3;
const RESTART_WINDOW_MS = 60_000;

/** Runs until it is no longer needed. @returns the exit code: 0, or 3 where buildkitd can not be started. */
export async function supervise(options: SupervisorOptions): Promise<number> {
  const places = placesOf(options.daemonDir, options.env);
  makePlaces(places);
  return await new Supervisor(places, options).run();
}

class Supervisor {
  readonly #places: Places;
  readonly #options: SupervisorOptions;
  readonly #began = performance.now();
  readonly #note: (text: string) => void;
  readonly #clients = new Map<Socket, number>();
  /** Connections that wait for the end. */
  readonly #stopping: Socket[] = [];
  #daemon: RunningDaemon | null = null;
  #ready: Ready | null = null;
  #idle: NodeJS.Timeout | undefined;
  #restarts: number[] = [];
  #end: (code: number) => void = () => undefined;
  #ending = false;
  #state: RootState | null = null;

  constructor(places: Places, options: SupervisorOptions) {
    this.#places = places;
    this.#options = options;
    const write = logWriter(places.supervisorLog);
    this.#note = (text) => write(`${new Date().toISOString()} ${text}\n`);
  }

  async run(): Promise<number> {
    const ended = new Promise<number>((resolve) => {
      this.#end = resolve;
    });
    const onSignal = () => void this.#finish(0, 'signal');
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, onSignal);
    rmSync(this.#places.control, { force: true });
    const server = createServer((socket) => this.#connected(socket));
    // Only our user may talk to us, whatever the folder's mode is.
    const umask = process.umask(0o177);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#places.control, resolve);
    }).finally(() => process.umask(umask));
    this.#note(`supervisor ${process.pid} for ${this.#places.dir}`);
    const watch = this.#watchFolder();
    this.#removeDiscarded();
    void this.#start(true);
    const code = await ended;
    clearInterval(watch);
    clearTimeout(this.#idle);
    for (const socket of this.#stopping) socket.write(encode({ state: 'stopped' }));
    await closeServer(server, [...this.#clients.keys(), ...this.#stopping]);
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.off(signal, onSignal);
    return code;
  }

  /** Brings buildkitd up. A root with which it does not start twice is discarded: it is only a cache. */
  async #start(first: boolean): Promise<void> {
    let problem: Problem | null = null;
    try {
      for (let attempt = 1; attempt <= 3 && !this.#ending; attempt += 1) {
        if (attempt === 3) {
          this.#note('discarding the root: buildkitd does not start with it');
          await discardRoot(this.#places, this.#options.env);
          this.#removeDiscarded();
        }
        problem = await this.#startOnce();
        if (problem === null) return;
        this.#note(`attempt ${attempt}: ${problem.text}`);
      }
    } catch (error) {
      problem = problemOf(error);
    }
    if (this.#ending) return;
    const failure =
      problem ?? environmentProblem({ code: 'daemon-start', text: 'buildkitd can not be started.' });
    this.#broadcast({ state: 'failed', problem: failure });
    void this.#finish(3, first ? 'could not start' : 'could not start again');
  }

  async #startOnce(): Promise<Problem | null> {
    const { env, snapshotter, buildkitd } = this.#options;
    const rootless = process.getuid?.() !== 0;
    const identity = programIdentity(buildkitd);
    this.#broadcast({ state: 'starting', text: 'starting the managed BuildKit' });
    const { state, warm } = await prepareRoot(
      this.#places,
      { buildkitd: identity, snapshotter, rootless },
      env,
    );
    this.#removeDiscarded();
    const began = performance.now();
    const daemon = await startDaemonProcess({ places: this.#places, buildkitd, state, env });
    if ('code' in daemon) return daemon;
    if (this.#ending) {
      await daemon.stop(0);
      return null;
    }
    this.#state = state;
    this.#daemon = daemon;
    this.#ready = {
      state: 'ready',
      address: this.#places.address,
      instance: daemon.instance,
      buildkitd: identity,
      pid: daemon.pid,
      root: this.#places.root,
      inMemory: state.memory !== null,
      warm,
    };
    this.#note(
      `buildkitd ${daemon.pid} after ${Math.round(performance.now() - began)} ms, ${warm ? 'warm' : 'cold'}`,
    );
    void daemon.exit.then(() => this.#lost(daemon));
    this.#broadcast(this.#ready);
    this.#armIdle();
    return null;
  }

  /** A client found that the root starts but does not work. */
  async #reset(): Promise<void> {
    const daemon = this.#daemon;
    if (daemon === null || this.#ending) return;
    this.#note('discarding the root: a client found it damaged');
    this.#daemon = null;
    this.#ready = null;
    this.#broadcast({ state: 'starting', text: 'starting the managed BuildKit with an empty cache' });
    await daemon.stop(0);
    await discardRoot(this.#places, this.#options.env);
    await this.#start(false);
  }

  #lost(daemon: RunningDaemon): void {
    if (this.#ending || this.#daemon !== daemon) return;
    this.#daemon = null;
    this.#ready = null;
    const now = performance.now();
    this.#restarts = [...this.#restarts.filter((at) => now - at < RESTART_WINDOW_MS), now];
    this.#note(`buildkitd ${daemon.pid} is gone`);
    if (this.#restarts.length <= RESTARTS) {
      void this.#start(false);
      return;
    }
    const problem = environmentProblem({
      code: 'daemon-crashes',
      text: `The managed BuildKit ended ${this.#restarts.length} times within a minute.`,
      hint: `Its log is ${this.#places.log}. Was it killed for want of memory?`,
    });
    this.#broadcast({ state: 'failed', problem });
    void this.#finish(3, 'buildkitd ends again and again');
  }

  #connected(socket: Socket): void {
    socket.on('error', () => undefined);
    socket.once('close', () => {
      if (!this.#clients.delete(socket)) return;
      this.#note(`a client has gone, ${this.#clients.size} left`);
      this.#armIdle();
    });
    socket.on(
      'data',
      lines(
        (message) => this.#asked(socket, message),
        () => socket.destroy(),
      ),
    );
  }

  /** What another process of this user says is looked at with care: it can be another version of us. */
  #asked(socket: Socket, message: unknown): void {
    const field = (key: string): unknown => Reflect.get(Object(message), key);
    switch (field('op')) {
      case 'lease': {
        if (this.#ending) {
          socket.destroy();
          return;
        }
        const wanted = `${field('buildkitd')} ${field('snapshotter')}`;
        const own = `${programIdentityOrNone(this.#options.buildkitd)} ${this.#options.snapshotter}`;
        if (wanted !== own && this.#clients.size === 0) {
          socket.write(encode({ state: 'making-way' }));
          void this.#finish(0, `another BuildKit is wanted: ${wanted}`);
          return;
        }
        clearTimeout(this.#idle);
        this.#clients.set(socket, Number(field('pid')));
        this.#note(`client ${field('pid')}, ${this.#clients.size} now`);
        socket.write(encode(this.#ready ?? { state: 'starting', text: 'starting the managed BuildKit' }));
        return;
      }
      case 'reset':
        if (this.#clients.size === 1 && this.#clients.has(socket)) void this.#reset();
        else if (this.#ready !== null) socket.write(encode(this.#ready));
        return;
      case 'status':
        socket.end(encode({ state: 'status', ...this.#status() }));
        return;
      case 'stop':
        this.#stopping.push(socket);
        void this.#finish(0, 'asked to stop');
        return;
      default:
        socket.destroy();
    }
  }

  #status(): SupervisorStatus {
    return {
      pid: process.pid,
      daemonPid: this.#daemon?.pid ?? null,
      address: this.#places.address,
      buildkitd: this.#options.buildkitd,
      clients: [...this.#clients.values()],
      up: performance.now() - this.#began,
      idle: this.#options.idle,
      inMemory: this.#state?.memory != null,
    };
  }

  #armIdle(): void {
    clearTimeout(this.#idle);
    if (this.#clients.size > 0 || this.#ending || this.#ready === null) return;
    this.#idle = setTimeout(() => void this.#finish(0, 'idle'), this.#options.idle * 1000);
  }

  /** Ends us when the folder is gone or another one has its place. */
  #watchFolder(): NodeJS.Timeout {
    const inode = statSync(this.#places.dir).ino;
    const timer = setInterval(() => {
      const stat = statSync(this.#places.dir, { throwIfNoEntry: false });
      if (stat?.ino !== inode) void this.#finish(0, 'the state folder is gone');
    }, WATCH_MS);
    return timer;
  }

  #removeDiscarded(): void {
    for (const path of discardedRoots(this.#places)) {
      void removeTree(path, this.#options.env);
    }
  }

  #broadcast(message: ToClient): void {
    for (const socket of this.#clients.keys()) socket.write(encode(message));
  }

  async #finish(code: number, why: string): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    this.#note(`ending: ${why}`);
    const memory = this.#state?.memory ?? memoryOf(this.#places);
    // Nobody can connect from here on who would be served no more.
    rmSync(this.#places.control, { force: true });
    await this.#daemon?.stop(this.#clients.size > 0 ? 0 : STOP_MS);
    removeCgroups(this.#places.dir);
    rmSync(this.#places.daemonSocket, { force: true });
    const gone = statSync(this.#places.dir, { throwIfNoEntry: false }) === undefined;
    if (gone) {
      if (memory !== null) await removeMemory(memory, this.#options.env);
      if (this.#places.sockets !== this.#places.dir)
        rmSync(this.#places.sockets, { recursive: true, force: true });
    }
    this.#end(code);
  }
}

function programIdentityOrNone(path: string): string {
  try {
    return programIdentity(path);
  } catch {
    return '';
  }
}

function problemOf(error: unknown): Problem {
  if (error instanceof ProblemError && error.problems[0] !== undefined) return error.problems[0];
  return environmentProblem({
    code: 'daemon-start',
    text: `The managed BuildKit can not be started: ${error instanceof Error ? error.message : String(error)}`,
  });
}

function closeServer(server: Server, sockets: readonly Socket[]): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of sockets) socket.end(() => socket.destroy());
  });
}
