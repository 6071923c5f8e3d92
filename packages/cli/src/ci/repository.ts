/** The repository a tree is in, as far as its workflows have to know it: found on disk. */
import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';

/** The nearest folder upwards with a `.git`; null where there is none. */
export function repositoryOf(folder: string): string | null {
  for (let at = resolve(folder); ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) return at;
    if (dirname(at) === at) return null;
  }
}

/** A clone of stx-make itself: it brings its own command. */
export function isOwnClone(repository: string): boolean {
  return ['run', 'tools/setup.sh', 'packages/cli/package.json'].every((name) =>
    existsSync(join(repository, name)),
  );
}

/** A folder as a path in the repository, with slashes; empty for the repository itself. Null where it is outside. */
export function pathIn(repository: string, folder: string): string | null {
  const path = relative(repository, folder);
  return path === '..' || path.startsWith(`..${sep}`) ? null : path.split(sep).join('/');
}
