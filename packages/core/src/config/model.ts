/**
 * What a tree's stx-make.toml can say: defaults for what options and environment leave open. Types and names only.
 */
import type { LintCode, LintLevel } from '../lint/levels.ts';
import type { PlacedWorker } from './read-workers.ts';

/** In the tree's root. */
export const CONFIG_FILE = 'stx-make.toml';

export interface Config {
  /** `os/arch[/variant]` for recipes that name none. */
  readonly platform: string | null;
  /** Builds at a time on each worker. */
  readonly jobs: number | null;
  readonly workers: readonly PlacedWorker[];
  /** `HOST[:PORT][/NAMESPACE]`, where published images are looked for. */
  readonly registries: readonly string[];
  /** `HOST[:PORT]/PATH`, where records are shared. */
  readonly remote: string | null;
  /** Images from outside that Containerfiles may use. */
  readonly allowedImages: readonly string[];
  /** Only what differs from the defaults. */
  readonly lint: ReadonlyMap<LintCode, LintLevel>;
}

/** What a tree without the file says. */
export const NO_CONFIG: Config = {
  platform: null,
  jobs: null,
  workers: [],
  registries: [],
  remote: null,
  allowedImages: [],
  lint: new Map(),
};
