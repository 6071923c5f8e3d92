/**
 * Looking up programs: by PATH as execvp does, and BuildKit's own two where `./run` or the user put them.
 *
 * Unaware of versions and daemons.
 */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { environmentProblem, ProblemError } from '@stx-make/core/errors';

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Where the system's own tools are when PATH does not say so: mount, unshare and runc are often in sbin,
 * which an ordinary user's PATH leaves out. */
const SYSTEM = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** The absolute path of a program in PATH, then in the system's folders; null where there is none. */
export function findProgram(name: string, env: NodeJS.ProcessEnv): string | null {
  if (name.includes('/')) return isProgram(name) ? resolve(name) : null;
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => isAbsolute(folder));
  for (const folder of [...folders, ...SYSTEM]) {
    const path = join(folder, name);
    if (isProgram(path)) return path;
  }
  return null;
}

export interface BuildKitPrograms {
  readonly buildctl: string;
  /** Needed for the managed daemon only. */
  readonly buildkitd: string | null;
}

/** buildctl and buildkitd: in the folder STX_MAKE_BUILDKIT_BIN (set by `./run`) first, then in PATH. A
 * folder that was named and does not hold buildctl is an error: falling back in silence would use a
 * BuildKit compiled by another Go, whose digests can differ (BUILDKIT.md 1).
 * @throws ProblemError `buildkit-not-found` (environment) */
export function findBuildKit(env: NodeJS.ProcessEnv): BuildKitPrograms {
  const folder = env['STX_MAKE_BUILDKIT_BIN'];
  if (folder) {
    const buildctl = resolve(folder, 'buildctl');
    if (!isProgram(buildctl)) {
      throw new ProblemError(
        environmentProblem({
          code: 'buildkit-not-found',
          text: `STX_MAKE_BUILDKIT_BIN names ${folder}, where there is no program buildctl.`,
          hint: 'Unset STX_MAKE_BUILDKIT_BIN to use the one in PATH, or run ./run, which compiles BuildKit.',
        }),
      );
    }
    const buildkitd = resolve(folder, 'buildkitd');
    return { buildctl, buildkitd: isProgram(buildkitd) ? buildkitd : findProgram('buildkitd', env) };
  }
  const buildctl = findProgram('buildctl', env);
  if (buildctl === null) {
    throw new ProblemError(
      environmentProblem({
        code: 'buildkit-not-found',
        text: 'BuildKit is missing: there is no program buildctl in PATH.',
        hint: 'Install BuildKit v0.28.1 or later (buildctl, and buildkitd for the managed daemon), or use ./run of a clone, which compiles it. STX_MAKE_BUILDKIT_BIN names its folder.',
      }),
    );
  }
  return { buildctl, buildkitd: findProgram('buildkitd', env) };
}
