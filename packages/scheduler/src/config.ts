/**
 * A tree's stx-make.toml: found, read, and weighed against options and environment.
 *
 * The order, everywhere: option, environment, stx-make.toml, default. What the file may say is core/config's.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CONFIG_FILE, type Config, NO_CONFIG } from '@stx-make/core/config/model';
import { inputProblem, ProblemError } from '@stx-make/core/errors';
import type { SessionOptions } from './api.ts';
import { errnoOf, fileProblem } from './files/problems.ts';
import { placedIn, workerFaults } from './workers.ts';

export { workersOf } from './workers.ts';
export type { Config };

const DEFAULT_PLATFORM = 'linux/amd64';

/** @param root of the tree @throws ProblemError with everything that is wrong in the file */
export async function readTreeConfig(root: string, env: NodeJS.ProcessEnv): Promise<Config> {
  let bytes: Buffer;
  try {
    bytes = readFileSync(join(root, CONFIG_FILE));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return NO_CONFIG;
    const problem = fileProblem(error, 'read the settings', CONFIG_FILE);
    if (problem === null) throw error;
    throw new ProblemError(problem, { cause: error });
  }
  const config = await parseTreeConfig(bytes, env);
  return { ...config, workers: config.workers.map((worker) => placedIn(root, worker)) };
}

/** The same from bytes, as another commit had them. */
export async function parseTreeConfig(
  bytes: Uint8Array,
  env: NodeJS.ProcessEnv,
  file: string = CONFIG_FILE,
): Promise<Config> {
  // Most trees have no such file, and TOML costs time to import.
  const { readConfig } = await import('@stx-make/core/config/read');
  const { config, problems } = readConfig(bytes, file);
  if (config === null) throw new ProblemError(problems);
  const faults = workerFaults(config.workers, env, file);
  if (faults.length > 0) throw new ProblemError(faults);
  return config;
}

/**
 * `--platform`, else PLATFORM, else the file's, else linux/amd64. One platform: several are a recipe's to ask for.
 * @throws ProblemError `several-platforms` (input)
 */
export function platformOf(options: Pick<SessionOptions, 'platform' | 'env'>, config: Config): string {
  const asked = options.platform || options.env['PLATFORM'] || config.platform || DEFAULT_PLATFORM;
  if (!asked.includes(',')) return asked;
  throw new ProblemError(
    inputProblem({
      code: 'several-platforms',
      text: `A tree is built for one platform at a time, not for ${asked}: its graph can be another one on each.`,
      hint: 'Run once for each; only a recipe may ask for several, with `platforms` in its package.toml.',
    }),
  );
}

/** The settings of the tree a session would be opened on; none where there is no tree.
 * @throws ProblemError with everything that is wrong in the file */
export async function settingsOf(options: SessionOptions): Promise<Config> {
  const { findTree } = await import('./tree/find.ts');
  let root: string;
  try {
    root = findTree(options).root;
  } catch (error) {
    // A machine can be looked at from anywhere; a root that was named and is none is another matter.
    if (error instanceof ProblemError && !options.root) return NO_CONFIG;
    throw error;
  }
  return await readTreeConfig(root, options.env);
}
