/**
 * Which workers a command is to use: options, a workers file, environment, stx-make.toml, weighed against each other.
 *
 * Contacts none. What can be written of a worker is core/config's, what an address may be is buildkit/address.ts's.
 */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Config } from '@stx-make/core/config/model';
import type { PlacedWorker } from '@stx-make/core/config/read-workers';
import { plainWorker, readWorker, TLS_OPTIONS, type WorkerSpec } from '@stx-make/core/config/worker';
import { inputProblem, type Problem, ProblemError } from '@stx-make/core/errors';
import type { WorkerOptions, WorkerSettings } from './api.ts';
import { parseAddress } from './buildkit/address.ts';

/** What the command line says of workers. */
export interface WorkerWords {
  readonly worker: readonly string[];
  /** A file. */
  readonly workers?: string | undefined;
  readonly jobs: number | undefined;
}

/** `--worker`, `--workers` and `-j`, else BUILDKIT_HOST, else the file's, else the managed one. @param cwd of relative paths
 * @throws ProblemError with everything that is wrong with what was said */
export async function workersOf(
  options: WorkerWords,
  env: NodeJS.ProcessEnv,
  config: Config,
  cwd: string,
): Promise<WorkerOptions> {
  const specs = await specsOf(options, env, config, cwd);
  const addresses = new Map<string, WorkerSettings | null>();
  for (const spec of specs) {
    const address = addressOf(spec);
    if (addresses.get(address) == null) addresses.set(address, settingsOf(spec));
  }
  refuseTwins(addresses);
  const settings = new Map([...addresses].flatMap(([key, value]) => (value === null ? [] : [[key, value]])));
  return {
    addresses: [...addresses.keys()],
    jobs: options.jobs ?? config.jobs ?? undefined,
    ...(settings.size === 0 ? {} : { settings }),
  };
}

async function specsOf(
  { worker, workers }: WorkerWords,
  env: NodeJS.ProcessEnv,
  config: Config,
  cwd: string,
): Promise<readonly WorkerSpec[]> {
  const named = worker.filter((text) => text !== '');
  if (named.length > 0 || workers) {
    const problems: Problem[] = [];
    const specs = named.map((text) => {
      const { spec, faults } = readWorker(text);
      for (const { code, text: what, hint } of faults) {
        problems.push(inputProblem({ code, text: `--worker ${text}: ${what}`, hint }));
      }
      return withTls(cwd, spec);
    });
    if (problems.length > 0) throw new ProblemError(problems);
    return workers ? [...specs, ...(await readFile(resolve(cwd, workers), workers, env))] : specs;
  }
  const host = env['BUILDKIT_HOST'];
  return host ? [plainWorker(host)] : config.workers.map(({ spec }) => spec);
}

async function readFile(path: string, shown: string, env: NodeJS.ProcessEnv): Promise<WorkerSpec[]> {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const text = `--workers ${shown} can not be read: ${error instanceof Error ? error.message : String(error)}`;
    throw new ProblemError(inputProblem({ code: 'unreadable-file', text }), { cause: error });
  }
  // Few have such a file, and TOML costs time to import.
  const { readWorkersFile } = await import('@stx-make/core/config/read-workers');
  const { workers, problems } = readWorkersFile(bytes, shown);
  const wrong = problems.length > 0 ? problems : workerFaults(workers, env, shown);
  if (wrong.length > 0) throw new ProblemError(wrong);
  return workers.map((worker) => placedIn(dirname(path), worker).spec);
}

/** A worker of a file in this folder: paths are relative to the file. */
export function placedIn(folder: string, worker: PlacedWorker): PlacedWorker {
  return { ...worker, spec: withTls(folder, worker.spec) };
}

function withTls(folder: string, spec: WorkerSpec): WorkerSpec {
  const tls = Object.entries(spec.tls).map(([name, value]) => [
    name,
    name === 'servername' ? value : resolve(folder, value),
  ]);
  return { ...spec, tls: Object.fromEntries(tls) };
}

/** The address with its TLS files in the query, where buildkit/address.ts looks for them. */
function addressOf({ address, tls }: WorkerSpec): string {
  const query = new URLSearchParams();
  for (const name of TLS_OPTIONS) {
    const value = tls[name];
    if (value !== undefined) query.set(name, value);
  }
  if (query.size === 0) return address;
  return `${address}${address.includes('?') ? '&' : '?'}${query}`;
}

/** What was said of it; null where nothing was. */
function settingsOf({ address: _, tls: __, ...settings }: WorkerSpec): WorkerSettings | null {
  const said = settings.prune || Object.values(settings).some((value) => value !== null && value !== false);
  return said ? settings : null;
}

/** Two workers of one name could not be told apart. */
function refuseTwins(workers: ReadonlyMap<string, WorkerSettings | null>): void {
  const known = new Map<string, string>();
  for (const [address, settings] of workers) {
    const name = settings?.name ?? address;
    const twin = known.get(name);
    if (twin !== undefined) {
      const text = `Two workers are called ${name}: ${twin} and ${address}.`;
      throw new ProblemError(inputProblem({ code: 'worker-name-twice', text }));
    }
    known.set(name, address);
  }
}

/** What only the reader of addresses sees, each with its place. */
export function workerFaults(
  workers: readonly PlacedWorker[],
  env: NodeJS.ProcessEnv,
  file: string,
): Problem[] {
  return workers.flatMap(({ spec, place }) => {
    try {
      parseAddress(addressOf(spec), env);
      return [];
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      return error.problems.map((problem) => ({ ...problem, file, ...place }));
    }
  });
}
