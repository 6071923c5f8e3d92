/**
 * Errors of the file system as problems: which of them the machine's owner has to act on, and how.
 *
 * Unaware of what the files mean; the caller says what it was doing.
 */
import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import { environmentProblem, type Problem, ProblemError } from '@stx-make/core/errors';

/** What to do about an errno; codes that are not here are shown with the system's own words. */
const HINTS: Readonly<Record<string, { readonly code: string; readonly hint: string }>> = {
  ENOSPC: { code: 'no-space', hint: 'free some space (stx-make gc) or move the state with --state DIR' },
  EDQUOT: { code: 'no-space', hint: 'your disk quota is used up: free some space or use --state DIR' },
  EROFS: { code: 'read-only', hint: 'the file system is mounted read-only: use --state DIR or --out DIR' },
  EACCES: {
    code: 'no-permission',
    hint: 'check the owner and mode of this path, or use another --state DIR',
  },
  EPERM: { code: 'no-permission', hint: 'check the owner and attributes of this path' },
  EMFILE: { code: 'too-many-files', hint: 'raise the limit of open files (ulimit -n)' },
  ENFILE: { code: 'too-many-files', hint: 'the system has no file handles left: raise fs.file-max' },
  EIO: { code: 'disk-error', hint: 'the disk reports an error: check it (dmesg)' },
  ENOTDIR: { code: 'not-a-folder', hint: 'something that is no folder stands in the way: move it away' },
  ENAMETOOLONG: { code: 'name-too-long', hint: 'use a shorter path' },
};

/** The errno name of a system error (`ENOSPC`), else null. */
export function errnoOf(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}

/** There is nothing at this path (any more). */
export function isGone(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === 'ENOENT' || errno === 'ENOTDIR';
}

/**
 * A system error as an environment problem; null where it is none (then it is a bug of ours or already a
 * ProblemError).
 * @param doing what was tried, as `write the record`
 */
export function fileProblem(error: unknown, doing: string, path: string): Problem | null {
  const errno = errnoOf(error);
  if (errno === null || !(error instanceof Error)) return null;
  const known = HINTS[errno === 'ENOENT' ? reasonOfMissing(path) : errno];
  return environmentProblem({
    code: known?.code ?? 'file-error',
    text: `could not ${doing}: ${error.message}`,
    file: path,
    hint: known?.hint,
  });
}

/** Node's recursive mkdir says ENOENT where it is the file system that is read-only: what the nearest folder that is
 * there says to a writer. */
function reasonOfMissing(path: string): string {
  const above = dirname(path);
  try {
    accessSync(above, constants.W_OK);
    return 'ENOENT';
  } catch (error) {
    const errno = errnoOf(error) ?? 'ENOENT';
    return errno === 'ENOENT' && above !== path ? reasonOfMissing(above) : errno;
  }
}

/** Throws the error as a ProblemError where it is the machine's fault, else as it is. */
export function throwFileProblem(error: unknown, doing: string, path: string): never {
  const problem = fileProblem(error, doing, path);
  if (problem === null) throw error;
  throw new ProblemError(problem, { cause: error });
}

/** Runs `work`; system errors become environment problems. */
export function withFileProblems<T>(doing: string, path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    return throwFileProblem(error, doing, path);
  }
}
