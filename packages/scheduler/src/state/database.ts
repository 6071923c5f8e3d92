/**
 * Opens the state database: the only importer of node:sqlite.
 *
 * A database that is damaged is set aside and begun anew (records are only a memory of work; losing them costs
 * builds, not truth). One of a newer format is refused. Unaware of what the tables mean.
 */
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { type Problem, ProblemError } from '@stx-make/core/errors';
import { FORMATS, tablesOf } from './schema.ts';
import {
  asProblem,
  isDamage,
  isDamageAtOpening,
  newerFormat,
  notOurs,
  setAsideWarning,
  unusable,
} from './trouble.ts';

/** How long a writer waits for another process's transaction, ms. Transactions take microseconds. */
const BUSY_TIMEOUT = 5_000;

/** No stx-make will ever have had so many formats: a number beyond it is damage. */
const MOST_FORMATS = 1_000;

/** All of it: @throws ProblemError `state-damaged`, `no-space`, `state-unusable` (environment) */
export interface Database {
  /** Runs a statement; prepared once and kept. */
  run(sql: string, ...values: SQLInputValue[]): void;
  /** As run, for what is only a cache: not synced to the disk, so a power cut may undo it (nothing else), and where
   * there is no room for it, it is not written. */
  cache(sql: string, ...values: SQLInputValue[]): void;
  /** Several of them in one transaction. */
  cached(work: () => void): void;
  all<Row>(sql: string, ...values: SQLInputValue[]): Row[];
  get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined;
  /** All or nothing, durable when it returns; inside another one, part of that. */
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
    return { database: open(path, now), warnings: [] };
  } catch (error) {
    if (error instanceof ProblemError) throw error;
    if (!isDamageAtOpening(error)) throw unusable(path, error);
  }
  let aside: string;
  try {
    aside = setAside(path, now());
  } catch (error) {
    throw unusable(path, error);
  }
  return { database: open(path, now), warnings: [setAsideWarning(path, aside)] };
}

function open(path: string, now: () => number): Database {
  const fresh = !existsSync(path) || statSync(path).size === 0;
  // Before sqlite has a hand on it: one of a newer format is not touched.
  if (!fresh) refuseNewer(path, formatInHeader(path));
  const handle = new DatabaseSync(path, { timeout: BUSY_TIMEOUT });
  try {
    handle.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    const format = handle.prepare('PRAGMA user_version').get()?.['user_version'];
    if (typeof format !== 'number') throw notOurs();
    refuseNewer(path, format);
    if (format < FORMATS.length) bringUp(handle);
    else checkShape(handle, format);
    if (fresh) chmodSync(path, 0o600);
    // A page may be broken where the header is not.
    handle.prepare('SELECT count(*) FROM current').get();
  } catch (error) {
    handle.close();
    throw error;
  }
  return wrap(handle, path, now);
}

/** @throws ProblemError `state-newer` (input); what means that it is damaged */
function refuseNewer(path: string, format: number): void {
  if (format > MOST_FORMATS) throw notOurs();
  if (format > FORMATS.length) throw newerFormat(path, format, FORMATS.length);
}

/** The user_version in a database file (https://www.sqlite.org/fileformat.html, 1.3); 0 where there is none. */
function formatInHeader(path: string): number {
  const header = Buffer.alloc(64);
  const fd = openSync(path, 'r');
  try {
    const length = readSync(fd, header, 0, header.length, 0);
    return length === header.length && header.toString('latin1', 0, 15) === 'SQLite format 3'
      ? header.readUInt32BE(60)
      : 0;
  } finally {
    closeSync(fd);
  }
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
  throw notOurs();
}

function wrap(handle: DatabaseSync, path: string, now: () => number): Database {
  let damaged = false;
  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      damaged ||= isDamage(error);
      throw asProblem(path, error);
    }
  };
  const prepared = new Map<string, StatementSync>();
  const statement = (sql: string): StatementSync => {
    let known = prepared.get(sql);
    if (known === undefined) {
      known = handle.prepare(sql);
      prepared.set(sql, known);
    }
    return known;
  };
  const transaction = <T>(work: () => T): T =>
    guarded(() => {
      if (handle.isTransaction) return work();
      handle.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        handle.exec('COMMIT');
        return result;
      } catch (error) {
        if (handle.isTransaction) handle.exec('ROLLBACK');
        throw error;
      }
    });
  const cached = (work: () => void): void => {
    try {
      guarded(() => {
        handle.exec('PRAGMA synchronous = NORMAL');
        try {
          work();
        } finally {
          handle.exec('PRAGMA synchronous = FULL');
        }
      });
    } catch (error) {
      if (damaged || !(error instanceof ProblemError)) throw error;
    }
  };
  return {
    run: (sql, ...values) => guarded(() => void statement(sql).run(...values)),
    cache: (sql, ...values) => cached(() => void statement(sql).run(...values)),
    cached: (work) => cached(() => transaction(work)),
    all: <Row>(sql: string, ...values: SQLInputValue[]) =>
      guarded(() => statement(sql).all(...values) as Row[]),
    get: <Row>(sql: string, ...values: SQLInputValue[]) =>
      guarded(() => statement(sql).get(...values) as Row | undefined),
    transaction,
    close: () => {
      if (!handle.isOpen) return;
      handle.close();
      // Found out in the middle: the next one to open it begins anew.
      if (damaged) setAside(path, now());
    },
  };
}

function setAside(path: string, now: number): string {
  const aside = `${path}.damaged-${now}`;
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  }
  return aside;
}
