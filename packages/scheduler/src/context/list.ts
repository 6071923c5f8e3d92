/**
 * The files of a recipe folder that belong to its build context.
 *
 * Names and kinds only: contents are read when they are staged. Unaware of fingerprints and .dockerignore,
 * which BuildKit itself applies to what it is given.
 */
import { type Dirent, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { inputProblem, type Problem, ProblemError } from '@stx-make/core/errors';
import { byCodeUnit } from '@stx-make/core/order';
import { throwFileProblem } from '../files/index.ts';

export interface ContextEntry {
  /** Relative to the recipe folder, with `/`. */
  readonly path: string;
  readonly kind: 'file' | 'link';
}

/**
 * All files and links below the folder, sorted by code unit; a top-level `fetch` is left by make and no part of
 * it, empty folders are nothing to git and so nothing here.
 * @param recipeDir absolute
 * @throws ProblemError input: every file that can not be sent to BuildKit; environment: unreadable folders
 */
export function listContextFiles(recipeDir: string): ContextEntry[] {
  const found: ContextEntry[] = [];
  const problems: Problem[] = [];
  const visit = (folder: string, prefix: string): void => {
    for (const entry of readFolder(folder)) {
      const path = prefix + entry.name;
      if (path === 'fetch') continue;
      const why = unusable(entry);
      if (why !== null) problems.push(unusableFile(join(recipeDir, path), why));
      else if (entry.isDirectory()) visit(join(folder, entry.name), `${path}/`);
      else found.push({ path, kind: entry.isSymbolicLink() ? 'link' : 'file' });
    }
  };
  visit(recipeDir, '');
  if (problems.length > 0) throw new ProblemError(problems);
  return found.sort((a, b) => byCodeUnit(a.path, b.path));
}

function readFolder(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    return throwFileProblem(error, 'read the recipe folder', folder);
  }
}

function unusable(entry: Dirent): string | null {
  // Node puts U+FFFD for bytes that are no UTF-8. A name that really holds that character is as unwelcome.
  if (entry.name.includes('\uFFFD')) return 'its name is not valid UTF-8';
  if (entry.isFile() || entry.isSymbolicLink() || entry.isDirectory()) return null;
  return 'it is neither a file, a link nor a folder';
}

function unusableFile(file: string, why: string): Problem {
  return inputProblem({
    code: 'unusable-file',
    text: `This file can not be part of a build context: ${why}.`,
    file,
    hint: 'Remove it from the recipe folder.',
  });
}
