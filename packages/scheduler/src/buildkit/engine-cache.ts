/**
 * The engine of the managed daemon, remembered as long as the same buildkitd process runs, so that not every
 * run builds a canary.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Problem } from '@stx-make/core/errors';
import type { StatePaths } from '../paths.ts';
import { isEngine } from './canary.ts';
import type { ManagedDaemon } from './managed.ts';
import type { Engine, StepLimits } from './model.ts';
import type { DaemonFacts } from './worker.ts';

export interface ProbedEngine {
  readonly engine: Engine;
  readonly warnings: readonly Problem[];
}

/** What the engine was probed for, beside the buildkitd process. */
export interface CacheKey {
  readonly state: StatePaths;
  readonly limits: StepLimits;
}

function engineFile(where: CacheKey): string {
  return join(where.state.daemon, 'engine.json');
}

/** The engine of this very buildkitd process and these limits, probed by an earlier run. */
export async function cachedEngine(
  managed: ManagedDaemon,
  where: CacheKey,
  facts: DaemonFacts,
): Promise<ProbedEngine | null> {
  try {
    const value: unknown = JSON.parse(await readFile(engineFile(where), 'utf8'));
    const field = (key: string): unknown => Reflect.get(Object(value), key);
    const engine = field('engine');
    const warnings = field('warnings');
    const same =
      field('instance') === managed.instance() && field('cpuset') === (where.limits.cpusetCpus ?? '');
    if (!same || !isEngine(engine) || engine.version !== facts.version || !Array.isArray(warnings))
      return null;
    return { engine, warnings };
  } catch {
    return null;
  }
}

export async function cacheEngine(
  managed: ManagedDaemon,
  where: CacheKey,
  probed: ProbedEngine,
): Promise<void> {
  const file = engineFile(where);
  const draft = `${file}.${process.pid}`;
  const text = JSON.stringify({
    instance: managed.instance(),
    cpuset: where.limits.cpusetCpus ?? '',
    ...probed,
  });
  // A cache: a full disk shows elsewhere.
  await writeFile(draft, text)
    .then(() => rename(draft, file))
    .catch(() => undefined);
}
