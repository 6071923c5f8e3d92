/**
 * Reads stx-make.toml, strictly: a default that is misspelt and ignored would be noticed only by its absence.
 *
 * Unaware of options, the environment and which default counts in the end.
 */
import type { Problem } from '../errors.ts';
import { parseImage } from '../graph/image.ts';
import { isLintCode, LINT_CODES, LINT_LEVELS, type LintCode, type LintLevel } from '../lint/levels.ts';
import { Fields, FileProblems, type Placed } from '../recipe/fields.ts';
import { didYouMean, listed, nearestNames } from '../recipe/nearest.ts';
import { platformFault } from '../recipe/platform.ts';
import { parseToml } from '../recipe/toml.ts';
import { type Config, NO_CONFIG } from './model.ts';
import { workersIn } from './read-workers.ts';

const KEYS = ['platform', 'jobs', 'workers', 'registries', 'remote', 'allowed_images', 'lint'];

export interface ConfigResult {
  /** Null where there is any problem. */
  readonly config: Config | null;
  /** Errors, each with line and column. */
  readonly problems: readonly Problem[];
}

/**
 * Codes: `toml-encoding`, `toml-syntax`, `unknown-key`, `wrong-type`, `bad-platform`, `bad-registry`, `bad-image`,
 * `bad-worker-option`, `empty-entry`, `duplicate-entry`, `unknown-rule`, `bad-level`.
 * @param file for problems only
 */
export function readConfig(bytes: Uint8Array, file: string): ConfigResult {
  const { document, problems: syntax } = parseToml(bytes, file);
  if (document === null) return { config: null, problems: syntax };
  const problems = new FileProblems(file);
  const fields = new Fields(document, [], document.value, problems);
  refuseUnknown(fields, problems);
  const config: Config = {
    platform: readPlatform(fields, problems),
    jobs: fields.integer('jobs', 1)?.value ?? null,
    workers: workersIn(document, fields, problems),
    registries: readRegistries(fields, problems),
    remote: readRemote(fields, problems),
    allowedImages: readImages(fields, problems),
    lint: readLevels(fields.table('lint'), problems),
  };
  // Keys are asked for one by one; people read the file from above.
  const found = problems.list.toSorted(
    (a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  );
  return { config: found.length > 0 ? null : { ...NO_CONFIG, ...config }, problems: found };
}

function refuseUnknown(fields: Fields, problems: FileProblems): void {
  for (const key of fields.keys()) {
    if (KEYS.includes(key)) continue;
    const hint = didYouMean(nearestNames(key, KEYS)) ?? `known are ${listed(KEYS, 'and')}`;
    problems.add('unknown-key', fields.place(key), `there is no setting \`${key}\``, hint);
  }
}

function readPlatform(fields: Fields, problems: FileProblems): string | null {
  const platform = fields.string('platform');
  if (platform === null) return null;
  const fault = platformFault(platform.value);
  if (fault !== null) problems.add('bad-platform', platform.place, fault.text, fault.hint);
  return platform.value;
}

/** A list of distinct, non-empty strings. */
function list(fields: Fields, key: string, problems: FileProblems): Placed<string>[] {
  const seen = new Map<string, Placed<string>>();
  for (const entry of fields.strings(key)) {
    const before = seen.get(entry.value);
    if (entry.value.trim() === '')
      problems.add('empty-entry', entry.place, `an entry of \`${key}\` is empty`);
    else if (before === undefined) seen.set(entry.value, entry);
    else {
      const text = `${JSON.stringify(entry.value)} is twice in \`${key}\` (first in line ${before.place.line})`;
      problems.add('duplicate-entry', entry.place, text);
    }
  }
  return [...seen.values()];
}

function readRegistries(fields: Fields, problems: FileProblems): string[] {
  return list(fields, 'registries', problems).map(({ value, place }) => {
    // What a target's image would be called there must be a name.
    if (parseImage(`${value}/x`) === null) {
      const hint = value.includes('://')
        ? 'leave the scheme away: localhost:5000/stagex'
        : 'write HOST[:PORT][/NAMESPACE], e.g. docker.io/stagex';
      problems.add('bad-registry', place, `${JSON.stringify(value)} is no registry`, hint);
    }
    return value;
  });
}

function readRemote(fields: Fields, problems: FileProblems): string | null {
  const remote = fields.string('remote');
  if (remote === null) return null;
  const name = remote.value.replace(/^https?:\/\//, '');
  if (!name.includes('/') || parseImage(`${name}/x`) === null) {
    const hint = 'write HOST[:PORT]/PATH, e.g. ghcr.io/my-org/stagex-cache';
    problems.add('bad-registry', remote.place, `${JSON.stringify(remote.value)} is no remote`, hint);
  }
  return remote.value;
}

function readImages(fields: Fields, problems: FileProblems): string[] {
  return list(fields, 'allowed_images', problems).map(({ value, place }) => {
    if (parseImage(value) === null) {
      problems.add('bad-image', place, `${JSON.stringify(value)} is no image reference`);
    }
    return value;
  });
}

function readLevels(fields: Fields | null, problems: FileProblems): Map<LintCode, LintLevel> {
  const levels = new Map<LintCode, LintLevel>();
  for (const code of fields?.keys() ?? []) {
    const level = fields?.string(code) ?? null;
    const place = fields?.place(code) ?? null;
    if (!isLintCode(code)) {
      const hint = didYouMean(nearestNames(code, LINT_CODES)) ?? `rules are ${listed(LINT_CODES, 'and')}`;
      problems.add('unknown-rule', place, `lint has no rule \`${code}\``, hint);
    } else if (level !== null) {
      const known = LINT_LEVELS.find((name) => name === level.value);
      if (known !== undefined) levels.set(code, known);
      else {
        const text = `${JSON.stringify(level.value)} is no level`;
        problems.add('bad-level', place, text, `levels are ${listed(LINT_LEVELS, 'and')}`);
      }
    }
  }
  return levels;
}
