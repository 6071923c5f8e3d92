/**
 * Opens the state database: the only importer of node:sqlite.
 *
 * A database that is damaged is set aside and begun anew (records are only a memory of work; losing them costs
 * builds, not truth). One of a newer format is refused. Unaware of what the tables mean.
 */
import { chmodSync, existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { environmentProblem, inputProblem, type Problem, ProblemError } from '@stx-make/core/errors';
import { FORMATS, tablesOf } from './schema.ts';

/** How long a writer waits for another process's transaction, ms. Transactions take microseconds. */
const BUSY_TIMEOUT = 5_000;

const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

export interface Database {
  /** Runs a statement; prepared once and kept. */
  run(sql: string, ...values: SQLInputValue[]): void;
  /** As run, for what is only a cache: not synced to the disk, so a power cut may undo it (nothing else). */
  cache(sql: string, ...values: SQLInputValue[]): void;
  all<Row>(sql: string, ...values: SQLInputValue[]): Row[];
  get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined;
  /** All or nothing, durable when it returns. */
  transaction<T>(work: () => T): T;
  close(): void;
}

export interface OpenedDatabase {
  readonly database: Database;
  /** Said to the user: a damaged database was set aside. */
  readonly warnings: readonly Problem[];
}

/**
 * Opens or creates the database at `path`.
 * @throws ProblemError `state-newer` (input), `state-unusable` (environment)
 */
export function openDatabase(path: string, now: () => number): OpenedDatabase {
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (error) {
    throw unusable(path, error);
  }
  try {
    return { database: open(path), warnings: [] };
  } catch (error) {
    if (error instanceof ProblemError || !isDamage(error)) throw asProblem(path, error);
  }
  const aside = setAside(path, now());
  return {
    database: open(path),
    warnings: [
      environmentProblem({
        code: 'state-damaged',
        level: 'warning',
        text: `The state database was damaged and is begun anew; records of earlier builds are lost, outputs are not.`,
        file: path,
        hint: `The damaged file is kept as ${aside}; remove it when you do not want to look at it.`,
      }),
    ],
  };
}

function open(path: string): Database {
  const fresh = !existsSync(path) || statSync(path).size === 0;
  const handle = new DatabaseSync(path, { timeout: BUSY_TIMEOUT });
  try {
    handle.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    const format = handle.prepare('PRAGMA user_version').get()?.['user_version'];
    if (typeof format !== 'number' || format > FORMATS.length) {
      throw new ProblemError(
        inputProblem({
          code: 'state-newer',
          text: `The state database has format ${String(format)}; this stx-make knows ${FORMATS.length}.`,
          file: path,
          hint: 'Use the newer stx-make that wrote it, or another state folder with --state DIR.',
        }),
      );
    }
    if (format < FORMATS.length) bringUp(handle);
    else checkShape(handle, format);
    if (fresh) chmodSync(path, 0o600);
    // A page may be broken where the header is not.
    handle.prepare('SELECT count(*) FROM current').get();
  } catch (error) {
    handle.close();
    throw error;
  }
  return wrap(handle);
}

/** Makes what the database's format lacks, all or nothing; two processes may come here at once. */
function bringUp(handle: DatabaseSync): void {
  handle.exec('BEGIN IMMEDIATE');
  const format = Number(handle.prepare('PRAGMA user_version').get()?.['user_version']);
  if (format > 0) checkShape(handle, format);
  for (const text of FORMATS.slice(format)) handle.exec(text);
  handle.exec(`PRAGMA user_version = ${FORMATS.length}`);
  handle.prepare('INSERT OR REPLACE INTO made (only, tables) VALUES (1, ?)').run(tablesOf(FORMATS.length));
  handle.exec('COMMIT');
}

/** Tables of another shape under our own format number are as good as damaged. */
function checkShape(handle: DatabaseSync, format: number): void {
  if (handle.prepare('SELECT tables FROM made').get()?.['tables'] === tablesOf(format)) return;
  throw Object.assign(new Error('its tables are not ours'), { errcode: SQLITE_NOTADB });
}

function wrap(handle: DatabaseSync): Database {
  const prepared = new Map<string, StatementSync>();
  const statement = (sql: string): StatementSync => {
    let known = prepared.get(sql);
    if (known === undefined) {
      known = handle.prepare(sql);
      prepared.set(sql, known);
    }
    return known;
  };
  return {
    run: (sql, ...values) => void statement(sql).run(...values),
    cache: (sql, ...values) => {
      handle.exec('PRAGMA synchronous = NORMAL');
      try {
        statement(sql).run(...values);
      } finally {
        handle.exec('PRAGMA synchronous = FULL');
      }
    },
    all: <Row>(sql: string, ...values: SQLInputValue[]) => statement(sql).all(...values) as Row[],
    get: <Row>(sql: string, ...values: SQLInputValue[]) => statement(sql).get(...values) as Row | undefined,
    transaction: (work) => {
      handle.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        handle.exec('COMMIT');
        return result;
      } catch (error) {
        if (handle.isTransaction) handle.exec('ROLLBACK');
        throw error;
      }
    },
    close: () => {
      if (handle.isOpen) handle.close();
    },
  };
}

/** SQLITE_ERROR (1) while opening is a table or column that is not there. */
function isDamage(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB || code === 1;
}

function sqliteCode(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
    ? error.errcode & 0xff
    : undefined;
}

function setAside(path: string, now: number): string {
  const aside = `${path}.damaged-${now}`;
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  }
  return aside;
}

function asProblem(path: string, error: unknown): unknown {
  return error instanceof ProblemError ? error : unusable(path, error);
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
