/**
 * Makes `fetch/<stage>/<name>/<file>` show what is in the store: hard links, read-only; copies where the tree lies on
 * another file system. Files that nobody wants are left alone.
 */
import { type BigIntStats, lstatSync, mkdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { environmentProblem, ProblemError } from '@stx-make/core/errors';
import {
  errnoOf,
  linkOrCopy,
  removeDeadTemporaries,
  temporaryBeside,
  throwFileProblem,
  unlinkIfThere,
} from '../../files/index.ts';
import type { WantedSource } from '../model.ts';
import { notInStore, type SourceStore } from '../store/store.ts';
import { type FetchPlace, fetchPlaces } from '../wanted.ts';

export interface Materialised {
  /** Places that were right already. */
  readonly kept: number;
  /** Places that were made or put right. */
  readonly made: number;
  /** Of these, copies: the store is on another file system. */
  readonly copied: number;
}

/**
 * Everything wanted must be in the store (`ensure`), which is not read again here.
 * @param root absolute
 * @throws ProblemError `source-file-collision` (input), `source-not-in-store`, environment
 */
export function materialise(root: string, wanted: readonly WantedSource[], store: SourceStore): Materialised {
  const { places, problems } = fetchPlaces(wanted);
  if (problems.length > 0) throw new ProblemError(problems);
  const counts = { kept: 0, made: 0, copied: 0 };
  for (const place of places) {
    const how = put(root, place, store);
    if (how === 'kept') counts.kept += 1;
    else counts.made += 1;
    if (how === 'copy') counts.copied += 1;
  }
  return counts;
}

function put(root: string, place: FetchPlace, store: SourceStore): 'kept' | 'link' | 'copy' {
  const path = join(root, 'fetch', place.stage, place.name, place.file);
  try {
    const original = look(store.path(place.sha256));
    if (original === null) throw notInStore(place.sha256, place.file);
    const there = look(path);
    if (there !== null && isSame(there, original)) return 'kept';
    if (there?.isDirectory() === true) throw inTheWay(path);
    mkdirSync(dirname(path), { recursive: true });
    removeDeadTemporaries(dirname(path));
    return replace(store.path(place.sha256), path);
  } catch (error) {
    return throwFileProblem(error, 'put a source into fetch/', path);
  }
}

function replace(from: string, path: string): 'link' | 'copy' {
  const temporary = temporaryBeside(path);
  try {
    const how = linkOrCopy(from, temporary);
    renameSync(temporary, path);
    return how;
  } finally {
    // Renaming onto another name of the same file does nothing (POSIX), and leaves this one.
    unlinkIfThere(temporary);
  }
}

/** The store's own file, or a copy of it on another file system that still has the mtime derived from its hash. */
function isSame(there: BigIntStats, original: BigIntStats): boolean {
  if (there.dev === original.dev) return there.ino === original.ino;
  return (
    there.isFile() &&
    there.size === original.size &&
    there.mode === original.mode &&
    there.mtimeNs === original.mtimeNs
  );
}

function look(path: string): BigIntStats | null {
  try {
    return lstatSync(path, { bigint: true });
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
}

function inTheWay(path: string): ProblemError {
  return new ProblemError(
    environmentProblem({
      code: 'fetch-folder-in-the-way',
      text: 'A folder stands where a source belongs.',
      file: path,
      hint: 'Move it away.',
    }),
  );
}
