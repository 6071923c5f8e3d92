/**
 * Asking a daemon what it is: version, platforms, identity. Small questions with a time limit; no builds.
 *
 * Unaware of engines (canary.ts) and of the managed daemon.
 */
import { cpus, totalmem } from 'node:os';
import { environmentProblem, type Problem, ProblemError } from '@stx-make/core/errors';
import type { WorkerInfo } from '@stx-make/core/events';
import { sortedUnique } from '@stx-make/core/order';
import { type Captured, capture } from '../process/index.ts';
import { type Address, parseAddress } from './address.ts';
import { buildctlEnvironment } from './arguments.ts';

/** Older daemons have known escapes, CVE-2026-33747 and CVE-2026-33748 (BUILDKIT.md 10), and no
 * `sharedkey:localdir` (BUILDKIT.md 3). */
export const VERSION_FLOOR = 'v0.28.1';

/** A daemon that starts needs 0.3 s, 2.8 s with a long history (BUILDKIT.md 6); ssh and kubectl need longer. */
const ANSWER_MS = 15_000;

/** What a daemon said of itself. */
export interface DaemonFacts {
  readonly version: string;
  /** Of its default worker, stable per root folder. */
  readonly workerId: string;
  /** Sorted, without variants of the same architecture's baseline. */
  readonly platforms: readonly string[];
  /** The garbage-collection policy it runs with: bytes; 0 where it sets none. */
  readonly gc: readonly {
    readonly maxUsedSpace: number;
    readonly minFreeSpace: number;
    readonly keepSeconds: number;
  }[];
}

export interface AskOptions {
  readonly buildctl: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
  /** Default 15 s. */
  readonly timeoutMs?: number | undefined;
}

/** Asks the daemon at an address for its facts and refuses one that is too old.
 * @throws ProblemError `worker-unreachable`, `worker-too-old`, `worker-answer` (environment),
 * `bad-worker-address` (input) */
export async function askDaemon(text: string, options: AskOptions): Promise<DaemonFacts> {
  const address = parseAddress(text, options.env);
  const answer = await buildctl(address, ['debug', 'workers', '--format', '{{json .}}'], options);
  if (answer.code !== 0) throw new ProblemError(unreachable(address, answer, options));
  const facts = parseWorkers(answer.stdout);
  if (facts === null) {
    throw new ProblemError(
      environmentProblem({
        code: 'worker-answer',
        text: `BuildKit at ${text} answered something unknown: ${answer.stdout.slice(0, 200)}`,
        hint: 'Use BuildKit v0.32.x.',
      }),
    );
  }
  const old = versionProblem(text, facts.version);
  if (old !== null) throw new ProblemError(old);
  return facts;
}

/** True when the daemon answers within the time; never throws. */
export async function pingWorker(text: string, options: AskOptions): Promise<boolean> {
  const address = parseAddress(text, options.env);
  const answer = await buildctl(address, ['debug', 'info', '--format', '{{json .}}'], options);
  return answer.code === 0;
}

async function buildctl(address: Address, args: readonly string[], options: AskOptions): Promise<Captured> {
  return await capture(options.buildctl, [...address.flags, ...args], {
    env: buildctlEnvironment(options.env),
    signal: options.signal,
    timeoutMs: options.timeoutMs ?? ANSWER_MS,
    graceMs: 500,
  });
}

function unreachable(address: Address, answer: Captured, options: AskOptions): Problem {
  if (answer.startError !== null) {
    return environmentProblem({
      code: 'buildkit-not-found',
      text: `${options.buildctl} could not be started: ${answer.startError.message}`,
    });
  }
  const seconds = (options.timeoutMs ?? ANSWER_MS) / 1000;
  const said = answer.stderr
    .split('\n')
    .filter((line) => line.startsWith('error: '))
    .at(-1)
    ?.slice('error: '.length);
  const why = answer.timedOut
    ? `no answer within ${seconds} s`
    : (said ?? `buildctl ended with ${answer.code}`);
  return environmentProblem({
    code: 'worker-unreachable',
    text: `BuildKit at ${address.text} can not be reached: ${why}`,
    hint: unreachableHint(address, why),
  });
}

function unreachableHint({ kind }: Address, why: string): string {
  if (kind === 'tcp' && /tls: |x509: |certificate/.test(why)) {
    return 'The daemon takes no client without a certificate of its CA (cert=, key=), and its own must be of the CA in cacert= and name the host, or servername=.';
  }
  return kind === 'unix'
    ? 'Is the daemon running, and may this user open its socket? Without --worker and BUILDKIT_HOST the managed one is used.'
    : 'Is the daemon running, and is the address right?';
}

/** The answer of `buildctl debug workers`; the first is the one BuildKit uses. Null where it is not that. */
export function parseWorkers(text: string): DaemonFacts | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const first: unknown = Array.isArray(value) ? value[0] : undefined;
  if (typeof first !== 'object' || first === null) return null;
  const id: unknown = Reflect.get(first, 'id');
  const platforms: unknown = Reflect.get(first, 'platforms');
  const version: unknown = Reflect.get(Object(Reflect.get(first, 'buildkitVersion')), 'version');
  const gc: unknown = Reflect.get(first, 'gcPolicy');
  if (typeof id !== 'string' || !Array.isArray(platforms) || typeof version !== 'string') return null;
  return {
    version,
    workerId: id,
    platforms: sortedUnique(platforms.map(platformText).filter((platform) => platform !== null)),
    gc: (Array.isArray(gc) ? gc : []).map((rule: unknown) => ({
      maxUsedSpace: numberOf(rule, 'maxUsedSpace'),
      minFreeSpace: numberOf(rule, 'minFreeSpace'),
      keepSeconds: numberOf(rule, 'keepDuration') / 1e9,
    })),
  };
}

function numberOf(value: unknown, key: string): number {
  const number: unknown = Reflect.get(Object(value), key);
  return typeof number === 'number' ? number : 0;
}

function platformText(value: unknown): string | null {
  const part = (key: string): unknown => Reflect.get(Object(value), key);
  const [os, architecture, variant] = [part('os'), part('architecture'), part('variant')];
  if (typeof os !== 'string' || typeof architecture !== 'string') return null;
  return [os, architecture, ...(typeof variant === 'string' && variant !== '' ? [variant] : [])].join('/');
}

/** Null where the version is new enough. One that can not be read is let through where it is no release:
 * development builds call themselves by a commit. */
export function versionProblem(address: string, version: string): Problem | null {
  const found = version.match(/^v?(\d+)\.(\d+)\.(\d+)/);
  if (found === null) return null;
  const floor = [0, 28, 1];
  const parts = found.slice(1, 4).map(Number);
  for (const [index, least] of floor.entries()) {
    const part = parts[index] ?? 0;
    if (part > least) return null;
    if (part < least) {
      return environmentProblem({
        code: 'worker-too-old',
        text: `BuildKit at ${address} is ${version}; ${VERSION_FLOOR} is the oldest one used: older daemons let a build escape (CVE-2026-33747, CVE-2026-33748) and mix up sources of recipes.`,
        hint: 'Upgrade it to v0.32.x, or leave --worker and BUILDKIT_HOST away to use the managed one.',
      });
    }
  }
  // A pre-release of the floor is older than the floor.
  return /^v?0\.28\.1-/.test(version)
    ? environmentProblem({
        code: 'worker-too-old',
        text: `BuildKit at ${address} is ${version}, older than ${VERSION_FLOOR}.`,
        hint: 'Upgrade it to v0.32.x.',
      })
    : null;
}

const GIB = 1024 ** 3;

/** Builds at once on one worker, from the machine we run on: min(cores / 4, memory / 8 GiB), at least 2. Four were
 * enough on 2 cores (BUILDKIT.md 6); real packages bring their own `make -j`. */
export function defaultJobs(cores: number = cpus().length, memory: number = totalmem()): number {
  return Math.max(2, Math.floor(Math.min(cores / 4, memory / (8 * GIB))));
}

/** What views show of a worker. */
export function workerInfo(name: string, address: string, facts: DaemonFacts, jobs: number): WorkerInfo {
  return { id: facts.workerId, name, address, platforms: facts.platforms, jobs, version: facts.version };
}
