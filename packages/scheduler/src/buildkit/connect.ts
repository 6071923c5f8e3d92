/**
 * The workers of a run: the given addresses or the managed daemon, asked, compared, kept.
 *
 * One run uses workers of one engine; those that differ are set aside with a warning. Unaware of targets.
 */
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { environmentProblem, type Problem, ProblemError } from '@stx-make/core/errors';
import type { StatePaths } from '../paths.ts';
import { findBuildKit } from '../process/index.ts';
import { parseAddress } from './address.ts';
import { writeSourcePolicy } from './build.ts';
import { type ProbeOptions, probeEngine } from './canary.ts';
import { cachedEngine, cacheEngine } from './engine-cache.ts';
import { goReleaseOf } from './go-release.ts';
import { ensureManaged, type ManagedDaemon } from './managed.ts';
import type { Engine, StepLimits, Worker } from './model.ts';
import { writePolicyFor } from './policy.ts';
import { askDaemon, type DaemonFacts, defaultJobs, workerInfo } from './worker.ts';

export interface ConnectOptions {
  /** Empty: the managed one. */
  readonly addresses: readonly string[];
  /** Builds at once on each; undefined: by the machine. */
  readonly jobs?: number | undefined;
  readonly limits: StepLimits;
  readonly state: StatePaths;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  /** Images from outside that builds may take. */
  readonly allowedImages?: readonly string[] | undefined;
  /** Told what takes long: starting the daemon, waiting for an address. */
  readonly onActivity?: ((text: string) => void) | undefined;
}

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
  /** Waits for a lost worker to answer again, up to 30 s; false when it does not, or is another engine now. */
  revive(worker: string, signal: AbortSignal): Promise<boolean>;
  close(): Promise<void>;
}

/** A daemon that is just being started gets this long. */
const WAIT_MS = 3_000;
const REVIVE_MS = 30_000;
const POLL_MS = 250;

interface Candidate {
  readonly address: string;
  readonly name: string;
  readonly facts: DaemonFacts;
  readonly engine: Engine;
  readonly warnings: readonly Problem[];
}

/** Connects to all addresses at once.
 * @throws ProblemError when no worker is left, with everything that is wrong; a bad address at once */
export async function connectWorkers(options: ConnectOptions): Promise<WorkerSet> {
  const { buildctl } = findBuildKit(options.env);
  const policyFile = await policyFor(options);
  const addresses = [...new Set(options.addresses.filter((address) => address !== ''))];
  for (const address of addresses) parseAddress(address, options.env);
  if (addresses.length === 0) return await connectManaged(options, buildctl, policyFile);

  const problems: Problem[] = [];
  const found = await Promise.all(
    addresses.map(async (address) => {
      try {
        return await connectOne(address, address, options, buildctl, null);
      } catch (error) {
        options.signal.throwIfAborted();
        if (!(error instanceof ProblemError)) throw error;
        problems.push(...error.problems);
        return null;
      }
    }),
  );
  const candidates = found.filter((candidate) => candidate !== null);
  if (candidates.length === 0) throw new ProblemError(problems);
  const warnings: Problem[] = problems.map((problem) => ({ ...problem, level: 'warning' }));
  const chosen = ofOneEngine(candidates, warnings);
  return new Workers(chosen, warnings, options, buildctl, policyFile, null);
}

/** Denies all that is not local, less what the tree allows by name. */
async function policyFor({ allowedImages = [], state }: ConnectOptions): Promise<string> {
  if (allowedImages.length > 0) return await writePolicyFor(allowedImages, state.root);
  const path = join(state.root, 'source-policy.json');
  await writeSourcePolicy(path);
  return path;
}

async function connectManaged(
  options: ConnectOptions,
  buildctl: string,
  policyFile: string,
): Promise<WorkerSet> {
  const { env, signal, onActivity: onStarting } = options;
  const managed = await ensureManaged({ state: options.state.root, env, signal, onStarting });
  try {
    const connect = () => connectOne(managed.address, 'managed BuildKit', options, buildctl, managed);
    const candidate = await connect().catch(async (error: unknown) => {
      // A root kept from an earlier start can be damaged in a way that shows only when it builds.
      const broken =
        error instanceof ProblemError && error.problems.some(({ code }) => code === 'canary-failed');
      if (!broken || !(await managed.reset(signal))) throw error;
      return await connect();
    });
    return new Workers([candidate], [...managed.warnings], options, buildctl, policyFile, managed);
  } catch (error) {
    managed.close();
    throw error;
  }
}

async function connectOne(
  address: string,
  name: string,
  options: ConnectOptions,
  buildctl: string,
  managed: ManagedDaemon | null,
): Promise<Candidate> {
  const facts = await askPatiently(address, options, buildctl, WAIT_MS);
  const known = managed === null ? null : await cachedEngine(managed, options, facts);
  if (known !== null) return { address, name, facts, ...known };
  options.onActivity?.(`asking ${name} what it builds like`);
  const goRelease = managed === null ? null : await goReleaseOf(managed.buildkitd);
  const probed = await probeEngine(facts, probeOptions(address, options, buildctl, goRelease));
  if (managed !== null) await cacheEngine(managed, options, probed);
  return { address, name, facts, ...probed };
}

function probeOptions(
  address: string,
  options: Pick<ConnectOptions, 'env' | 'state' | 'signal' | 'limits'>,
  buildctl: string,
  goRelease: string | null,
): ProbeOptions {
  const { env, signal, limits, state } = options;
  return { address, buildctl, env, work: join(state.work, 'canary'), signal, limits, goRelease };
}

/** Asks again for a while where nobody listens yet. */
async function askPatiently(
  address: string,
  options: Pick<ConnectOptions, 'env' | 'signal'>,
  buildctl: string,
  patienceMs: number,
): Promise<DaemonFacts> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    try {
      return await askDaemon(address, { buildctl, env: options.env, signal: options.signal });
    } catch (error) {
      options.signal.throwIfAborted();
      const temporary =
        error instanceof ProblemError &&
        error.problems.every(
          ({ code, text }) =>
            code === 'worker-unreachable' && !/permission denied|certificate|no answer within/.test(text),
        );
      if (!temporary || performance.now() + POLL_MS > deadline) throw error;
      await setTimeout(POLL_MS, undefined, { signal: options.signal });
    }
  }
}

/** The workers of the engine that can reach the published digests, else of the first one's. */
function ofOneEngine(candidates: readonly Candidate[], warnings: Problem[]): Candidate[] {
  const wanted = candidates.find(({ engine }) => engine.matchesPublished) ?? candidates[0];
  const chosen: Candidate[] = [];
  for (const candidate of candidates) {
    const { address, facts, engine } = candidate;
    const twin = chosen.find((other) => other.facts.workerId === facts.workerId);
    if (twin !== undefined) {
      warnings.push(
        environmentProblem({
          code: 'worker-twice',
          level: 'warning',
          text: `${address} and ${twin.address} are the same BuildKit: the second is left aside.`,
        }),
      );
    } else if (engine.id !== wanted?.engine.id) {
      warnings.push(
        environmentProblem({
          code: 'worker-other-engine',
          level: 'warning',
          text: `BuildKit ${facts.version} at ${address} gives other bytes than the one at ${wanted?.address}: it is left aside, or digests would depend on who built what.`,
          hint: 'Use the same BuildKit, compiled by the same Go release and run alike (root or rootless), everywhere.',
        }),
      );
    } else {
      chosen.push(candidate);
    }
  }
  return chosen;
}

class Workers implements WorkerSet {
  readonly workers: readonly Worker[];
  readonly engine: Engine;
  readonly warnings: readonly Problem[];
  readonly notes: readonly string[];
  readonly buildctl: string;
  readonly policyFile: string;
  readonly daemonRoot: string | null;
  readonly #candidates: readonly Candidate[];
  readonly #options: ConnectOptions;
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
    const jobs = options.jobs ?? defaultJobs();
    this.#candidates = candidates;
    this.#options = options;
    this.#managed = managed;
    this.engine = first.engine;
    this.workers = candidates.map(({ name, address, facts, engine }) => ({
      info: workerInfo(name, address, facts, jobs),
      engine,
    }));
    // What the canary found is the same for all of one engine: said once.
    this.warnings = [...warnings, ...first.warnings];
    this.notes = notesOf(first.engine, options.limits);
    this.buildctl = buildctl;
    this.policyFile = policyFile;
    this.daemonRoot = managed?.root ?? null;
  }

  #candidate(worker: string): Candidate {
    const found = this.#candidates.find(({ facts }) => facts.workerId === worker);
    if (found === undefined) throw new Error(`no worker ${worker}`);
    return found;
  }

  addressOf(worker: string): string {
    return this.#candidate(worker).address;
  }

  async revive(worker: string, signal: AbortSignal): Promise<boolean> {
    const { address, facts, engine } = this.#candidate(worker);
    const options = { ...this.#options, signal };
    try {
      if (this.#managed !== null && !(await this.#managed.ready(signal))) {
        this.#managed.close();
        const { env, state } = this.#options;
        this.#managed = await ensureManaged({ state: state.root, env, signal });
      }
      const now = await askPatiently(address, options, this.buildctl, REVIVE_MS);
      if (now.workerId === facts.workerId && now.version === facts.version) return true;
      // Another root or another BuildKit has its place.
      const probe = probeOptions(address, options, this.buildctl, engine.goRelease);
      return (await probeEngine(now, probe)).engine.id === engine.id;
    } catch (error) {
      if (error instanceof ProblemError || signal.aborted) return false;
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#managed?.close();
  }
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
