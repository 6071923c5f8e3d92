/**
 * Records: fingerprint -> output, kept for ever (gc aside), and what each tree last had.
 *
 * A record says what a build gave; whether its blobs are still here and whole is the pool's to say.
 */
import type { Digest, Origin, Output } from '@stx-make/core/oci/model';
import type { Database } from './database.ts';
import { seal, unsealJson, unsealOld } from './seal.ts';

export interface BuildRecord {
  readonly fingerprint: string;
  /** Manifest digest of the first image: what is published and signed. */
  readonly manifest: Digest;
  readonly output: Output;
  readonly origin: Origin;
  readonly target: string;
  readonly run: string;
  /** ms since the epoch. */
  readonly created: number;
}

/** What a tree last had for a target. */
export interface Current {
  readonly target: string;
  readonly fingerprint: string;
  readonly manifest: string;
}

/** How exactly the last use of a record is known, ms: gc needs days, and a no-op should write nothing. */
const DAY = 24 * 60 * 60 * 1_000;

/** A record that is kept, as it lies there. */
export interface RecordRow {
  readonly fingerprint: string;
  readonly manifest: string;
  readonly output: string;
  readonly origin: string;
  readonly target: string;
  readonly run: string;
  readonly created: number;
}

/** Null where the row was changed by accident: as if there were no record. */
export function outputOfRow(
  row: Pick<RecordRow, 'fingerprint' | 'manifest' | 'output' | 'origin' | 'target'>,
): Output | null {
  return unsealJson<Output>(row.output, row.fingerprint, row.manifest, row.origin, row.target);
}

export interface Records {
  /** All records of a fingerprint, newest first; more than one is a reproducibility finding. */
  find(fingerprint: string): BuildRecord[];
  /** What `find` says of all fingerprints that the tree last had, in one question: for who judges a whole tree now. */
  findCurrent(tree: string): Map<string, BuildRecord[]>;
  /** An output of this target with this manifest digest, whatever it was made from; null where none is known. */
  outputOf(target: string, manifest: string): Output | null;
  /** Writes a record, the facts behind its fingerprint and the tree's current state, durably and at once. */
  write(record: BuildRecord, facts: string, tree: string): void;
  /** The canonical facts of a fingerprint, null where unknown. */
  facts(fingerprint: string): string | null;
  /** target -> what the tree last had. */
  current(tree: string): Map<string, Current>;
  setCurrent(tree: string, rows: readonly Current[]): void;
  /** Notes that what the tree has is in use, for gc; only what was not noted for a day, so a no-op writes nothing. */
  touch(tree: string, now: number): void;
  /** Drops records that can not be used, e.g. because their blobs are lost. */
  drop(fingerprint: string, manifest: string): void;
}

/** @param alongside written in the same transaction as a record, e.g. the ledgers. */
export function openRecords(database: Database, alongside: () => void = () => {}): Records {
  const fromRow = (row: RecordRow): BuildRecord[] => {
    const output = outputOfRow(row);
    if (output === null) return [];
    return [
      {
        fingerprint: row.fingerprint,
        manifest: row.manifest as Digest,
        output,
        origin: row.origin as Origin,
        target: row.target,
        run: row.run,
        created: row.created,
      },
    ];
  };
  const setCurrent = (tree: string, row: Current): void =>
    database.run(
      'INSERT OR REPLACE INTO current (tree, target, fingerprint, manifest) VALUES (?, ?, ?, ?)',
      tree,
      row.target,
      row.fingerprint,
      row.manifest,
    );
  return {
    find: (fingerprint) =>
      database
        .all<RecordRow>(
          'SELECT * FROM record WHERE fingerprint = ? ORDER BY created DESC, manifest',
          fingerprint,
        )
        .flatMap(fromRow),
    findCurrent: (tree) => {
      const found = new Map<string, BuildRecord[]>();
      const rows = database.all<RecordRow>(
        `SELECT * FROM record WHERE fingerprint IN (SELECT fingerprint FROM current WHERE tree = ?)
         ORDER BY created DESC, manifest`,
        tree,
      );
      for (const row of rows) {
        const others = found.get(row.fingerprint);
        if (others === undefined) found.set(row.fingerprint, fromRow(row));
        else others.push(...fromRow(row));
      }
      return found;
    },
    outputOf: (target, manifest) => {
      const row = database.get<RecordRow>(
        'SELECT * FROM record WHERE target = ? AND manifest = ? ORDER BY created DESC',
        target,
        manifest,
      );
      return row === undefined ? null : outputOfRow(row);
    },
    write: (record, facts, tree) =>
      database.transaction(() => {
        database.run(
          'INSERT OR REPLACE INTO record (fingerprint, manifest, output, origin, target, run, created, used) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
          record.fingerprint,
          record.manifest,
          seal(
            JSON.stringify(record.output),
            record.fingerprint,
            record.manifest,
            record.origin,
            record.target,
          ),
          record.origin,
          record.target,
          record.run,
          record.created,
          record.created,
        );
        database.run(
          'INSERT OR REPLACE INTO facts (fingerprint, text) VALUES (?, ?)',
          record.fingerprint,
          seal(facts, record.fingerprint),
        );
        setCurrent(tree, {
          target: record.target,
          fingerprint: record.fingerprint,
          manifest: record.manifest,
        });
        alongside();
      }),
    facts: (fingerprint) => {
      const row = database.get<{ text: string }>('SELECT text FROM facts WHERE fingerprint = ?', fingerprint);
      return row === undefined ? null : unsealOld(row.text, fingerprint);
    },
    current: (tree) =>
      new Map(
        database
          .all<Current>('SELECT target, fingerprint, manifest FROM current WHERE tree = ?', tree)
          .map((row) => [row.target, row]),
      ),
    setCurrent: (tree, rows) => {
      if (rows.length > 0)
        database.transaction(() =>
          rows.forEach((row) => {
            setCurrent(tree, row);
          }),
        );
    },
    touch: (tree, now) => {
      const stale = database.all<{ fingerprint: string; manifest: string }>(
        'SELECT fingerprint, manifest FROM current JOIN record USING (fingerprint, manifest) WHERE tree = ? AND used < ?',
        tree,
        now - DAY,
      );
      if (stale.length === 0) return;
      database.transaction(() => {
        for (const { fingerprint, manifest } of stale) {
          database.run(
            'UPDATE record SET used = ? WHERE fingerprint = ? AND manifest = ?',
            now,
            fingerprint,
            manifest,
          );
        }
      });
    },
    drop: (fingerprint, manifest) =>
      database.run('DELETE FROM record WHERE fingerprint = ? AND manifest = ?', fingerprint, manifest),
  };
}
