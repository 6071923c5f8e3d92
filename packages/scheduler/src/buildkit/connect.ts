/**
 * The workers of a run: the given addresses or the managed daemon, asked, compared, kept.
 *
 * One run uses workers of one engine; those that differ are set aside with a warning. Unaware of targets.
 */
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { environmentProblem, type Problem, ProblemError } from '@stx-make/core/errors';
import type { WorkerInfo } from '@stx-make/core/events';
import { canonicalPlatform } from '@stx-make/core/graph/platforms';
import type { WorkerSettings } from '../api.ts';
import type { StatePaths } from '../paths.ts';
import { findBuildKit } from '../process/index.ts';
import { parseAddress } from './address.ts';
import { writeSourcePolicy } from './build.ts';
import { type ProbeOptions, probeEngine } from './canary.ts';
import { cachedEngine, cacheEngine, daemonProcess, type ProbedEngine } from './engine-cache.ts';
import { goReleaseOf } from './go-release.ts';
import { ensureManaged, type ManagedDaemon } from './managed.ts';
import type { Engine, StepLimits } from './model.ts';
import { writePolicyFor } from './policy.ts';
import { askDaemon, type DaemonFacts, defaultJobs, workerInfo } from './worker.ts';
import { type WorkerSet, Workers } from './worker-set.ts';

export interface ConnectOptions {
  /** Empty: the managed one. */
  readonly addresses: readonly string[];
  /** Builds at once on each; undefined: by the machine. */
  readonly jobs?: number | undefined;
  /** By address, what was said of a worker. */
  readonly settings?: ReadonlyMap<string, WorkerSettings> | undefined;
  readonly limits: StepLimits;
  readonly state: StatePaths;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  /** Images from outside that builds may take. */
  readonly allowedImages?: readonly string[] | undefined;
  /** Ask what each builds like even where an earlier run asked the same process. */
  readonly anew?: boolean | undefined;
  /** Told what takes long: starting the daemon, waiting for an address. */
  readonly onActivity?: ((text: string) => void) | undefined;
}

/** A daemon that is just being started gets this long. */
const WAIT_MS = 3_000;
const POLL_MS = 250;

/** A worker that answered, and what it builds like. */
export interface Candidate {
  readonly address: string;
  readonly facts: DaemonFacts;
  readonly engine: Engine;
  readonly warnings: readonly Problem[];
  /** As views are told, what was said of it applied. */
  readonly info: WorkerInfo;
  /** Bytes for its builds in all; null: no matter. */
  readonly memory: number | null;
  /** Seconds; null: the default. */
  readonly patience: number | null;
  readonly prune: boolean;
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
        const name = options.settings?.get(address)?.name ?? address;
        return await connectOne(address, name, options, buildctl, null);
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

export async function connectOne(
  address: string,
  name: string,
  options: ConnectOptions,
  buildctl: string,
  managed: ManagedDaemon | null,
): Promise<Candidate> {
  const facts = await askPatiently(address, options, buildctl, WAIT_MS);
  const daemon = daemonProcess(address, facts, managed, options.state);
  const known =
    daemon === null || options.anew === true ? null : await cachedEngine(daemon, options.limits, facts);
  const made = (probed: ProbedEngine) => candidateOf(address, name, facts, probed, options);
  if (known !== null) return made(known);
  options.onActivity?.(`asking ${name} what it builds like`);
  const goRelease = managed === null ? null : await goReleaseOf(managed.buildkitd);
  const probed = await probeEngine(facts, probeOptions(address, options, buildctl, goRelease));
  if (daemon !== null) await cacheEngine(daemon, options.limits, probed);
  return made(probed);
}

/** The worker as it is to be used: what was said of it beside what it says of itself. */
function candidateOf(
  address: string,
  name: string,
  facts: DaemonFacts,
  probed: ProbedEngine,
  { settings, jobs, limits }: Pick<ConnectOptions, 'settings' | 'jobs' | 'limits'>,
): Candidate {
  const said = settings?.get(address);
  const memory = said?.memory ?? null;
  const warnings = [...probed.warnings];
  const wanted = said?.platforms?.map(canonicalPlatform) ?? null;
  const platforms = facts.platforms.filter(
    (platform) => wanted?.includes(canonicalPlatform(platform)) ?? true,
  );
  const known = new Set(facts.platforms.map(canonicalPlatform));
  const lacking = wanted?.filter((platform) => !known.has(platform)) ?? [];
  if (lacking.length > 0) {
    warnings.push(
      environmentProblem({
        code: 'worker-platform',
        level: 'warning',
        text: `${name} is said to build for ${lacking.join(', ')}; its BuildKit can not, it can ${facts.platforms.join(', ')}.`,
        hint: 'Install emulators there (binfmt_misc) and start its BuildKit again, or take it out of platforms=.',
      }),
    );
  }
  if (platforms.length === 0)
    throw new ProblemError(warnings.map((problem) => ({ ...problem, level: 'error' })));
  if (memory !== null && limits.memory !== undefined && limits.memory > memory) {
    throw new ProblemError(
      environmentProblem({
        code: 'worker-memory',
        text: `${name} may give its builds ${memory} bytes of memory in all, and --limit-memory allows each ${limits.memory}.`,
        hint: 'Lower --limit-memory, or raise memory= of the worker.',
      }),
    );
  }
  const info = workerInfo(name, address, { ...facts, platforms }, said?.jobs ?? jobs ?? defaultJobs());
  return {
    ...{ address, facts, info, memory, warnings, engine: probed.engine },
    patience: said?.patience ?? null,
    prune: said?.prune ?? false,
  };
}

function probeOptions(
  address: string,
  options: Pick<ConnectOptions, 'env' | 'state' | 'signal' | 'limits'>,
  buildctl: string,
  goRelease: string | null,
): ProbeOptions {
  const { env, signal, limits, state } = options;
  return { address, buildctl, env, work: state.work, signal, limits, goRelease };
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
export function ofOneEngine(candidates: readonly Candidate[], warnings: Problem[]): Candidate[] {
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
