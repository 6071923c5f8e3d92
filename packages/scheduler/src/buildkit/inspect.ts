/**
 * Looks at each worker by itself: whether it can be used, what it is, how it builds, how full its disk is.
 *
 * Builds nothing but the canary and a question about the disk. Unaware of trees.
 */
import { join } from 'node:path';
import { type Problem, ProblemError } from '@stx-make/core/errors';
import { findBuildKit } from '../process/index.ts';
import { parseAddress } from './address.ts';
import { type Candidate, type ConnectOptions, connectOne, ofOneEngine } from './connect.ts';
import { type DiskFacts, diskOf } from './disk.ts';
import { ensureManaged } from './managed.ts';
import type { Engine } from './model.ts';
import type { DaemonFacts } from './worker.ts';

export interface WorkerReport {
  readonly name: string;
  readonly address: string;
  /** A run with these workers would use it. */
  readonly usable: boolean;
  /** What is wrong with it, and what is to be known. */
  readonly problems: readonly Problem[];
  /** Null where it could not be asked. */
  readonly facts: WorkerFacts | null;
}

export interface WorkerFacts {
  readonly id: string;
  readonly version: string;
  /** What it gets builds for. */
  readonly platforms: readonly string[];
  readonly jobs: number;
  /** Bytes for its builds in all; null: no matter. */
  readonly memory: number | null;
  readonly engine: Engine;
  readonly disk: DiskFacts | null;
  readonly gc: DaemonFacts['gc'];
}

/** One report a worker, in the order in which they were named. @throws ProblemError where buildctl is missing or an address
 * is none */
export async function inspectWorkers(wanted: ConnectOptions): Promise<WorkerReport[]> {
  const options = { ...wanted, anew: true };
  const { buildctl } = findBuildKit(options.env);
  const addresses = [...new Set(options.addresses.filter((address) => address !== ''))];
  for (const address of addresses) parseAddress(address, options.env);
  if (addresses.length === 0) {
    const { state, env, signal, onActivity: onStarting } = options;
    const managed = await ensureManaged({ state: state.root, env, signal, onStarting });
    try {
      const connect = () => connectOne(managed.address, 'managed BuildKit', options, buildctl, managed);
      const asked = [await askedOf('managed BuildKit', managed.address, connect, options)];
      return await reportsOf(asked, managed.warnings, buildctl, options);
    } finally {
      managed.close();
    }
  }
  const asked = await Promise.all(
    addresses.map((address) => {
      const name = options.settings?.get(address)?.name ?? address;
      return askedOf(name, address, () => connectOne(address, name, options, buildctl, null), options);
    }),
  );
  return await reportsOf(asked, [], buildctl, options);
}

interface Asked {
  readonly name: string;
  readonly address: string;
  readonly candidate: Candidate | null;
  readonly problems: readonly Problem[];
}

async function askedOf(
  name: string,
  address: string,
  connect: () => Promise<Candidate>,
  options: ConnectOptions,
): Promise<Asked> {
  try {
    const candidate = await connect();
    return { name, address, candidate, problems: candidate.warnings };
  } catch (error) {
    options.signal.throwIfAborted();
    if (!(error instanceof ProblemError)) throw error;
    return { name, address, candidate: null, problems: error.problems };
  }
}

async function reportsOf(
  asked: readonly Asked[],
  more: readonly Problem[],
  buildctl: string,
  options: ConnectOptions,
): Promise<WorkerReport[]> {
  const candidates = asked.flatMap(({ candidate }) => (candidate === null ? [] : [candidate]));
  const apart: Problem[] = [];
  const chosen = ofOneEngine(candidates, apart);
  return await Promise.all(
    asked.map(async ({ name, address, candidate, problems }): Promise<WorkerReport> => {
      if (candidate === null) return { name, address, usable: false, problems, facts: null };
      const usable = chosen.includes(candidate);
      const why = usable ? [] : apart.filter(({ text }) => text.includes(address));
      const { facts, info, memory, engine } = candidate;
      return {
        ...{ name, address, usable },
        problems: [...problems, ...why.map((problem) => ({ ...problem, level: 'error' as const })), ...more],
        facts: {
          id: facts.workerId,
          version: facts.version,
          platforms: info.platforms,
          jobs: info.jobs,
          memory,
          engine,
          disk: await spaceOf(candidate, buildctl, options),
          gc: facts.gc,
        },
      };
    }),
  );
}

function spaceOf({ address, facts }: Candidate, buildctl: string, options: ConnectOptions) {
  if (!facts.platforms.includes('linux/amd64')) return Promise.resolve(null);
  const { env, signal, state } = options;
  return diskOf({ address, buildctl, env, work: join(state.work, 'disk'), signal });
}
