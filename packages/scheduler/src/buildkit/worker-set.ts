/**
 * The workers of a run while it lasts: builds on them, with an eye on whether they live and have room, and lost ones had back.
 *
 * Unaware of targets and of how workers were chosen (connect.ts).
 */
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type Problem, ProblemError } from '@stx-make/core/errors';
import type { Failure } from '@stx-make/core/events';
import { capture } from '../process/index.ts';
import { parseAddress } from './address.ts';
import { buildctlEnvironment } from './arguments.ts';
import { type BuildOptions, runBuild } from './build.ts';
import { probeEngine } from './canary.ts';
import type { Candidate, ConnectOptions } from './connect.ts';
import { diskOf, hasRoom, isFullDisk } from './disk.ts';
import { Health } from './health.ts';
import { ensureManaged, type ManagedDaemon } from './managed.ts';
import type { BuildRequest, BuildResult, Engine, StepLimits, Worker } from './model.ts';
import { askDaemon, pingWorker } from './worker.ts';

/** Workers of one engine, at least one. */
export interface WorkerSet {
  readonly workers: readonly Worker[];
  readonly engine: Engine;
  readonly warnings: readonly Problem[];
  /** One line each, for the run's header. */
  readonly notes: readonly string[];
  readonly buildctl: string;
  readonly policyFile: string;
  /** BuildKit's root folder where it is ours to look at (the managed one), else null: after a failure its disk may
   * turn out to be full. */
  readonly daemonRoot: string | null;
  /** @throws Error for a worker that is none of these (a bug) */
  addressOf(worker: string): string;
  /** Builds and exports; never throws for what a build or a daemon can do. */
  build(request: BuildRequest, options: SetBuild): Promise<BuildResult>;
  /** Waits for a lost worker to be of use again, until the signal aborts; false then, or when it is another engine now. */
  revive(worker: string, signal: AbortSignal): Promise<boolean>;
  close(): Promise<void>;
}

export type SetBuild = { readonly worker: string } & Pick<
  BuildOptions,
  'export' | 'logFile' | 'signal' | 'onStep' | 'trace'
>;

/** Without a word for so long a worker is asked whether it lives. */
const PATIENCE_S = 60;
/** It may take so long to answer. */
const PING_MS = 10_000;
const LEAST_PING_MS = 2_000;
/** How often a lost worker is asked: at first soon, it may just be started again; a question costs 40 ms of CPU. */
const FIRST_WAIT_MS = 250;
const LAST_WAIT_MS = 15_000;

const NO_SPACE = /no space left on device|ResourceExhausted|disk quota exceeded/i;

export class Workers implements WorkerSet {
  readonly workers: readonly Worker[];
  readonly engine: Engine;
  readonly warnings: readonly Problem[];
  readonly notes: readonly string[];
  readonly buildctl: string;
  readonly policyFile: string;
  readonly daemonRoot: string | null;
  readonly #candidates: readonly Candidate[];
  readonly #options: ConnectOptions;
  readonly #health = new Map<string, Health>();
  /** Workers whose disk was found full. */
  readonly #full = new Set<string>();
  /** Targets with a step that once met a full disk. */
  readonly #spaceless = new Set<string>();
  #managed: ManagedDaemon | null;

  constructor(
    candidates: readonly Candidate[],
    warnings: readonly Problem[],
    options: ConnectOptions,
    buildctl: string,
    policyFile: string,
    managed: ManagedDaemon | null,
  ) {
    const first = candidates[0];
    if (first === undefined) throw new Error('no workers');
    this.#candidates = candidates;
    this.#options = options;
    this.#managed = managed;
    this.engine = first.engine;
    this.workers = candidates.map(({ info, memory, engine }) => ({ info, memory, engine }));
    // What the canary found is the same for all of one engine: said once.
    const own = candidates.slice(1).flatMap((other) => other.warnings.filter(isOwn));
    this.warnings = [...warnings, ...first.warnings, ...own];
    this.notes = notesOf(first.engine, options.limits);
    this.buildctl = buildctl;
    this.policyFile = policyFile;
    this.daemonRoot = managed?.root ?? null;
    for (const { address, facts, patience } of candidates) {
      const silence = (patience ?? PATIENCE_S) * 1_000;
      const timeoutMs = Math.min(PING_MS, Math.max(LEAST_PING_MS, silence));
      const ask = { buildctl, env: options.env, timeoutMs };
      const health = new Health(() => pingWorker(address, ask), silence);
      this.#health.set(facts.workerId, health);
    }
  }

  #candidate(worker: string): Candidate {
    const found = this.#candidates.find(({ facts }) => facts.workerId === worker);
    if (found === undefined) throw new Error(`no worker ${worker}`);
    return found;
  }

  addressOf(worker: string): string {
    return this.#candidate(worker).address;
  }

  async build(request: BuildRequest, options: SetBuild): Promise<BuildResult> {
    const { address } = this.#candidate(options.worker);
    const { buildctl, policyFile, daemonRoot } = this;
    const watched = await this.#health.get(options.worker)?.watch(options.signal, ({ signal, sign }) =>
      runBuild(request, {
        ...{ ...options, address, buildctl, policyFile, daemonRoot, signal, onSign: sign },
        env: this.#options.env,
      }),
    );
    if (watched === undefined) throw new Error(`no worker ${options.worker}`);
    if ('silent' in watched) {
      const cause = `BuildKit at ${address} hangs: no sign of life for ${watched.silent} s, and no answer when asked`;
      return elsewhere(cause, options.logFile);
    }
    return await this.#withRoom(watched.result, request.target, options);
  }

  /**
   * A step that met a full disk looks like any that failed. Of a worker that is not ours its disk is asked for; but what the
   * step wrote may be gone by then, or it may have filled a file system of its own: then another worker tells, once.
   */
  async #withRoom(
    result: BuildResult,
    target: string,
    { worker, signal, logFile }: SetBuild,
  ): Promise<BuildResult> {
    if (result.status !== 'failed') return result;
    const { failure, retry } = result;
    if (retry === 'elsewhere') {
      if (NO_SPACE.test(failure.cause)) this.#full.add(worker);
      return result;
    }
    const suspect = failure.exitCode !== null && failure.tail.some((line) => NO_SPACE.test(line));
    if (!suspect || this.daemonRoot !== null) return result;
    const disk = await this.#diskOf(worker, signal);
    const another = this.#candidates.length > 1 && !this.#spaceless.has(target);
    this.#spaceless.add(target);
    if (!another && (disk === null || !isFullDisk(disk))) return result;
    this.#full.add(worker);
    return elsewhere(
      `a step found no space left on the disk of BuildKit at ${this.addressOf(worker)}`,
      logFile,
    );
  }

  #diskOf(worker: string, signal: AbortSignal) {
    const { address, facts } = this.#candidate(worker);
    if (!facts.platforms.includes('linux/amd64')) return Promise.resolve(null);
    const { env, state } = this.#options;
    return diskOf({ address, buildctl: this.buildctl, env, work: join(state.work, 'disk'), signal });
  }

  async revive(worker: string, signal: AbortSignal): Promise<boolean> {
    for (let wait = FIRST_WAIT_MS; !signal.aborted; wait = Math.min(LAST_WAIT_MS, wait * 1.5)) {
      try {
        const back = await this.#isBack(worker, signal);
        if (back !== 'not yet') return back;
        await setTimeout(wait, undefined, { signal });
      } catch (error) {
        if (signal.aborted) return false;
        throw error;
      }
    }
    return false;
  }

  async #isBack(worker: string, signal: AbortSignal): Promise<boolean | 'not yet'> {
    const candidate = this.#candidate(worker);
    const { address, facts, engine } = candidate;
    const { env, state, limits } = this.#options;
    try {
      if (this.#managed !== null && !(await this.#managed.ready(signal))) {
        this.#managed.close();
        this.#managed = await ensureManaged({ state: state.root, env, signal });
      }
      const ask = { buildctl: this.buildctl, env, signal };
      const now = await askDaemon(address, { ...ask, timeoutMs: PING_MS });
      if (now.workerId !== facts.workerId || now.version !== facts.version) {
        // Another root or another BuildKit has its place.
        this.#full.delete(worker);
        const { work } = state;
        const probe = { address, buildctl: this.buildctl, env, work, signal, limits };
        return (await probeEngine(now, { ...probe, goRelease: engine.goRelease })).engine.id === engine.id;
      }
      return this.#full.has(worker) ? await this.#hasRoomAgain(candidate, signal) : true;
    } catch (error) {
      if (error instanceof ProblemError) return 'not yet';
      throw error;
    }
  }

  /** Frees its cache where that was allowed. Others may be using a worker, so not otherwise. */
  async #hasRoomAgain(candidate: Candidate, signal: AbortSignal): Promise<true | 'not yet'> {
    const { address, facts, prune } = candidate;
    const { env } = this.#options;
    if (prune) {
      const { flags } = parseAddress(address, env);
      await capture(this.buildctl, [...flags, 'prune', '--all'], { env: buildctlEnvironment(env), signal });
    }
    const disk = await this.#diskOf(facts.workerId, signal);
    // Where nobody can tell, the next build will.
    if (disk !== null && !hasRoom(disk)) return 'not yet';
    this.#full.delete(facts.workerId);
    return true;
  }

  async close(): Promise<void> {
    this.#managed?.close();
  }
}

function isOwn({ code }: Problem): boolean {
  return !code.startsWith('canary-');
}

function elsewhere(cause: string, logFile: string, hint?: string): BuildResult {
  const failure: Failure = {
    kind: 'infrastructure',
    step: null,
    exitCode: null,
    file: null,
    line: null,
    cause,
    tail: [],
    logFile,
    hint,
  };
  return { status: 'failed', failure, retry: 'elsewhere' };
}

function notesOf(engine: Engine, limits: StepLimits): string[] {
  const notes: string[] = [];
  if (!engine.matchesPublished) notes.push('digests from this builder will not equal the published ones');
  if (limits.memory !== undefined) {
    notes.push('a memory limit can end a step’s child unseen: compare digests with a run without it');
  }
  if (limits.cpusetCpus !== undefined) notes.push('cpusetcpus changes what nproc says: digests can differ');
  return notes;
}
