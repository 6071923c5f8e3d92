/**
 * What of the state database goes when: records by their last use, facts nobody refers to, old runs.
 *
 * Decides nothing: gc/ says what. Unaware of blobs and files.
 */
import type { Output } from '@stx-make/core/oci/model';
import type { Database } from './database.ts';
import { outputOfRow, type RecordRow } from './records.ts';

/** A record as far as keeping it is concerned. */
export interface KeptRecord {
  readonly fingerprint: string;
  readonly manifest: string;
  readonly target: string;
  readonly output: Output;
  /** ms since the epoch, to the day. */
  readonly used: number;
}

/** What trees last had, for every tree. */
export interface TreeState {
  readonly tree: string;
  readonly fingerprint: string;
  readonly manifest: string;
}

/** How many of a target's builds are kept for estimates, whatever becomes of their runs. */
const KEPT_DURATIONS = 10;

export interface Retention {
  /** Least recently used first. */
  records(): KeptRecord[];
  current(): TreeState[];
  /** Ids of runs, newest first. */
  runs(): { readonly id: string; readonly started: number }[];
  /** Each in one transaction, durable when it returns. */
  dropTrees(trees: Iterable<string>): void;
  dropRecords(records: Iterable<Pick<KeptRecord, 'fingerprint' | 'manifest'>>): void;
  dropRuns(ids: Iterable<string>): void;
  dropLayers(digests: Iterable<string>): void;
  /** Facts that no record, tree or kept build refers to. */
  dropFacts(): void;
}

export function openRetention(database: Database): Retention {
  const forAll = <T>(items: Iterable<T>, work: (item: T) => void): void =>
    database.transaction(() => {
      for (const item of items) work(item);
    });
  return {
    records: () =>
      database
        .all<RecordRow & Pick<KeptRecord, 'used'>>(
          'SELECT * FROM record ORDER BY used, created, fingerprint, manifest',
        )
        .flatMap((row) => {
          const { fingerprint, manifest, target, used } = row;
          const output = outputOfRow(row);
          return output === null ? [] : [{ fingerprint, manifest, target, used, output }];
        }),
    current: () => database.all<TreeState>('SELECT tree, fingerprint, manifest FROM current'),
    runs: () =>
      database.all<{ id: string; started: number }>(
        'SELECT id, started FROM run ORDER BY started DESC, id DESC',
      ),
    dropTrees: (trees) =>
      forAll(trees, (tree) => {
        database.run('DELETE FROM current WHERE tree = ?', tree);
        database.run('DELETE FROM snapshot WHERE tree = ?', tree);
      }),
    dropRecords: (records) =>
      forAll(records, ({ fingerprint, manifest }) =>
        database.run('DELETE FROM record WHERE fingerprint = ? AND manifest = ?', fingerprint, manifest),
      ),
    dropRuns: (ids) => {
      forAll(ids, (id) => database.run('DELETE FROM run WHERE id = ?', id));
      database.run(
        `DELETE FROM built WHERE run NOT IN (SELECT id FROM run) AND (run, target) NOT IN (
           SELECT run, target FROM (
             SELECT run, target, row_number() OVER (PARTITION BY target ORDER BY finished DESC) AS place
             FROM built WHERE result <> 'failed')
           WHERE place <= ${KEPT_DURATIONS})`,
      );
    },
    dropLayers: (digests) =>
      forAll(digests, (digest) => database.run('DELETE FROM layer WHERE digest = ?', digest)),
    dropFacts: () =>
      database.run(
        `DELETE FROM facts WHERE fingerprint NOT IN (
           SELECT fingerprint FROM record UNION SELECT fingerprint FROM current
           UNION SELECT fingerprint FROM built UNION SELECT previous FROM built WHERE previous IS NOT NULL)`,
      ),
  };
}
