/**
 * What sqlite says when the disk or the file is at fault, as problems. Errors that only a mistake of ours can be the
 * reason of are none.
 */
import { environmentProblem, inputProblem, type Problem, ProblemError } from '@stx-make/core/errors';

const SQLITE_ERROR = 1;
const BUSY = new Set([5, 6]);
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;
/** Extended: the file ends where there should be more of it. */
const SHORT_READ = 522;

/** sqlite's result code, extended; undefined for other errors. */
function codeOf(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
    ? error.errcode
    : undefined;
}

/** Tables that are not ours: as good as damaged. */
export function notOurs(): Error {
  return Object.assign(new Error('its tables are not ours'), { errcode: SQLITE_NOTADB });
}

/** The bytes are not those of a sound database. */
export function isDamage(error: unknown): boolean {
  const code = codeOf(error);
  if (code === undefined) return false;
  return code === SHORT_READ || (code & 0xff) === SQLITE_CORRUPT || (code & 0xff) === SQLITE_NOTADB;
}

/** While opening, a table or column that is not there is damage, too. */
export function isDamageAtOpening(error: unknown): boolean {
  return isDamage(error) || codeOf(error) === SQLITE_ERROR;
}

/** Another process's transaction. */
export function isBusy(error: unknown): boolean {
  return BUSY.has((codeOf(error) ?? 0) & 0xff);
}

/** The error as a problem of the environment where it is one, else as it is. */
export function asProblem(path: string, error: unknown): unknown {
  const code = codeOf(error);
  if (code === undefined) return error;
  if (isDamage(error)) return new ProblemError(foundDamaged(path, error), { cause: error });
  switch (code & 0xff) {
    case SQLITE_FULL:
      return new ProblemError(
        environmentProblem({
          code: 'no-space',
          text: 'The state database can not be written: the disk is full.',
          file: path,
          hint: 'Free some space (stx-make gc) or move the state with --state DIR.',
        }),
        { cause: error },
      );
    case SQLITE_READONLY:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      return unusable(path, error);
    default:
      return isBusy(error) ? unusable(path, error) : error;
  }
}

/** What sqlite or the file system says, as a problem of the environment. */
export function unusable(path: string, error: unknown): ProblemError {
  const text = error instanceof Error ? error.message : String(error);
  return new ProblemError(
    environmentProblem({
      code: 'state-unusable',
      text: `The state folder can not be used: ${text}.`,
      file: path,
      hint: 'Check that its folder exists, is writable and has space, or name another with --state DIR.',
    }),
    { cause: error },
  );
}

/** In the middle of something: what comes next begins anew. */
function foundDamaged(path: string, error: unknown): Problem {
  return environmentProblem({
    code: 'state-damaged',
    text: `The state database is damaged: ${error instanceof Error ? error.message : String(error)}.`,
    file: path,
    hint: 'It is set aside. Run the command again: the database is begun anew, only records of earlier builds are lost.',
  });
}

export function setAsideWarning(path: string, aside: string): Problem {
  return environmentProblem({
    code: 'state-damaged',
    level: 'warning',
    text: `The state database was damaged and is begun anew; records of earlier builds are lost, outputs are not.`,
    file: path,
    hint: `The damaged file is kept as ${aside}; remove it when you do not want to look at it.`,
  });
}

export function newerFormat(path: string, format: unknown, known: number): ProblemError {
  return new ProblemError(
    inputProblem({
      code: 'state-newer',
      text: `The state database has format ${String(format)}; this stx-make knows ${known}.`,
      file: path,
      hint: 'Use the newer stx-make that wrote it, or another state folder with --state DIR.',
    }),
  );
}
