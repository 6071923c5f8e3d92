/**
 * The engine of a daemon, remembered as long as the same process runs, so that not every run builds a canary.
 *
 * Which process runs is known of the managed daemon, and of one that listens on a socket of this machine: it makes the
 * socket when it starts. One that a service manager made for it outlives it, so there the answer is worth a day only;
 * of what is far away nothing is known, and it is asked each time.
 */
import { statSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Problem } from '@stx-make/core/errors';
import { type StatePaths, shortName } from '../paths.ts';
import { isEngine } from './canary.ts';
import type { ManagedDaemon } from './managed.ts';
import type { Engine, StepLimits } from './model.ts';
import type { DaemonFacts } from './worker.ts';

export interface ProbedEngine {
  readonly engine: Engine;
  readonly warnings: readonly Problem[];
}

/** A running daemon, and where its engine is remembered. */
export interface DaemonProcess {
  readonly file: string;
  /** Another one for each process. */
  readonly instance: string;
}

/** What the engine was probed for, beside the process. */
type Asked = Pick<StepLimits, 'cpusetCpus'>;

const WORTH_MS = 24 * 60 * 60 * 1000;
const UNIX = 'unix://';

/** Null where nothing tells one process from the next. */
export function daemonProcess(
  address: string,
  facts: DaemonFacts,
  managed: ManagedDaemon | null,
  state: Pick<StatePaths, 'daemon'>,
): DaemonProcess | null {
  if (managed !== null) {
    return { file: join(state.daemon, 'engine.json'), instance: managed.instance() };
  }
  if (!address.startsWith(UNIX)) return null;
  const stat = statSync(address.slice(UNIX.length), { bigint: true, throwIfNoEntry: false });
  if (stat?.isSocket() !== true) return null;
  return {
    file: join(state.daemon, `engine-${shortName(facts.workerId)}.json`),
    instance: `${facts.workerId} ${stat.dev}:${stat.ino}:${stat.ctimeNs}`,
  };
}

/** The engine of this very process and these limits, probed by an earlier run. */
export async function cachedEngine(
  daemon: DaemonProcess,
  asked: Asked,
  facts: DaemonFacts,
): Promise<ProbedEngine | null> {
  try {
    const value: unknown = JSON.parse(await readFile(daemon.file, 'utf8'));
    const field = (key: string): unknown => Reflect.get(Object(value), key);
    const engine = field('engine');
    const warnings = field('warnings');
    const age = Date.now() - Number(field('at'));
    const same =
      field('instance') === daemon.instance &&
      field('cpuset') === (asked.cpusetCpus ?? '') &&
      age >= 0 &&
      age < WORTH_MS;
    if (!same || !isEngine(engine) || engine.version !== facts.version || !Array.isArray(warnings))
      return null;
    return { engine, warnings };
  } catch {
    return null;
  }
}

export async function cacheEngine(daemon: DaemonProcess, asked: Asked, probed: ProbedEngine): Promise<void> {
  const draft = `${daemon.file}.${process.pid}`;
  const text = JSON.stringify({
    instance: daemon.instance,
    cpuset: asked.cpusetCpus ?? '',
    at: Date.now(),
    ...probed,
  });
  // A cache: a full disk shows elsewhere.
  await mkdir(dirname(daemon.file), { recursive: true })
    .then(() => writeFile(draft, text))
    .then(() => rename(draft, daemon.file))
    .catch(() => undefined);
}
