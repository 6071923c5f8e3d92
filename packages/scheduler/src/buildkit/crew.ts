/**
 * The driver that builds with BuildKit: finds the daemons, learns their engine, sets aside those of another one,
 * and gives builds to them.
 *
 * One run uses workers of one engine: the first address's. Unaware of the graph and the store.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { environmentProblem, type Problem, ProblemError } from '@stx-make/core/errors';
import type { WorkerInfo } from '@stx-make/core/events';
import { findBuildKit } from '../process/index.ts';
import type { ConnectOptions, Crew, Driver } from '../run/driver.ts';
import { runBuild, writeSourcePolicy } from './build.ts';
import { probeEngine } from './canary.ts';
import type { Engine } from './model.ts';
import { askDaemon, defaultJobs, pingWorker, workerInfo } from './worker.ts';

/** A lost worker is asked again after these pauses, ms; then it is given up. */
const REVIVE_AFTER = [200, 500, 1_000, 2_000, 4_000, 8_000, 15_000];

export const buildkitDriver: Driver = { connect };

/** One daemon of the crew. */
interface Member {
  readonly info: WorkerInfo;
  readonly engine: Engine;
  address: string;
  /** Has the managed daemon started again where it is the managed one; gives its address. */
  readonly restart: (() => Promise<string>) | null;
}

async function connect(options: ConnectOptions): Promise<Crew> {
  const { env, state, signal } = options;
  const { buildctl } = findBuildKit(env);
  if (buildctl === null) throw new ProblemError(noBuildctl());
  const policyFile = join(state.work, 'policy.json');
  mkdirSync(state.work, { recursive: true });
  await writeSourcePolicy(policyFile);
  const addresses = options.addresses.length > 0 ? options.addresses : [];
  const managed = addresses.length === 0 ? await managedDaemon(options) : null;
  const warnings: Problem[] = [];
  const failures: Problem[] = [];
  const members: Member[] = [];
  const ask = async (address: string, index: number): Promise<Member | null> => {
    try {
      const facts = await askDaemon(address, { buildctl, env, signal });
      const known = managed?.engine ?? null;
      const probe = { address, buildctl, env, work: state.work, signal, limits: options.limits };
      const goRelease = managed?.goRelease ?? null;
      const probed =
        known === null ? await probeEngine(facts, { ...probe, goRelease }) : { engine: known, warnings: [] };
      warnings.push(...probed.warnings);
      const name = managed === null ? `worker-${index + 1}` : 'managed';
      const info = workerInfo(name, address, facts, options.jobs ?? defaultJobs());
      return { info, engine: probed.engine, address, restart: managed?.restart ?? null };
    } catch (error) {
      if (!(error instanceof ProblemError) || signal.aborted) throw error;
      failures.push(...error.problems);
      return null;
    }
  };
  const all = managed === null ? addresses : [managed.address];
  for (const member of await Promise.all(all.map(ask))) if (member !== null) members.push(member);
  const [first] = members;
  if (first === undefined) {
    await managed?.close();
    throw new ProblemError(failures);
  }
  for (const failure of failures) warnings.push({ ...failure, level: 'warning' });
  const crew = members.filter((member) => member.engine.id === first.engine.id);
  for (const member of members) {
    if (!crew.includes(member)) warnings.push(otherEngine(member, first));
  }
  const byId = new Map(crew.map((member) => [member.info.id, member]));
  const memberOf = (worker: string): Member => {
    const member = byId.get(worker);
    if (member === undefined) throw new Error(`no worker ${worker}`);
    return member;
  };
  return {
    workers: crew.map(({ info }) => info),
    engine: first.engine,
    warnings,
    notes: first.engine.matchesPublished
      ? []
      : ['digests from this builder will not equal the published ones'],
    build: (request, build) =>
      runBuild(request, { ...build, address: memberOf(build.worker).address, buildctl, env, policyFile }),
    revive: (worker, stop) => revive(memberOf(worker), { buildctl, env, signal: stop }),
    close: async () => {
      await managed?.close();
    },
  };
}

async function revive(
  member: Member,
  options: { readonly buildctl: string; readonly env: NodeJS.ProcessEnv; readonly signal: AbortSignal },
): Promise<boolean> {
  for (const wait of REVIVE_AFTER) {
    await pause(wait, options.signal);
    if (options.signal.aborted) return false;
    try {
      if (member.restart !== null) member.address = await member.restart();
      if (await pingWorker(member.address, options)) return true;
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
    }
  }
  return false;
}

/** The managed BuildKit, running and leased to us. */
interface Managed {
  readonly address: string;
  readonly engine: Engine | null;
  readonly goRelease: string | null;
  restart(): Promise<string>;
  close(): Promise<void>;
}

async function managedDaemon(_options: ConnectOptions): Promise<Managed> {
  throw new ProblemError(
    environmentProblem({ code: 'no-managed', text: 'the managed BuildKit is not there yet' }),
  );
}

function noBuildctl(): Problem {
  return environmentProblem({
    code: 'buildkit-not-found',
    text: 'buildctl was not found: neither in STX_MAKE_BUILDKIT_BIN nor in PATH.',
    hint: 'Run through ./run of a clone, which compiles it, or install BuildKit v0.32.x.',
  });
}

function otherEngine(member: Member, first: Member): Problem {
  return environmentProblem({
    code: 'other-engine',
    level: 'warning',
    text: `BuildKit ${member.info.version} at ${member.address} gives other bytes than ${first.address}; it is set aside, for one run uses workers of one engine.`,
    hint: 'Use the same BuildKit, compiled by the same Go release, everywhere; stx-make doctor shows each.',
  });
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}
