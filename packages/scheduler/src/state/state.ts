/**
 * The state folder, opened: database, records, history, ledgers and the engines last seen.
 */
import { type Problem, ProblemError } from '@stx-make/core/errors';
import type { Engine } from '../buildkit/model.ts';
import type { StatePaths } from '../paths.ts';
import { type Database, openDatabase } from './database.ts';
import { type History, openHistory } from './history.ts';
import { type Ledgers, openLedgers } from './ledgers.ts';
import { openPushed, type Pushed } from './pushed.ts';
import { openRecords, type Records } from './records.ts';
import { seal, unsealJson } from './seal.ts';

export interface State {
  readonly paths: StatePaths;
  readonly database: Database;
  readonly records: Records;
  readonly history: History;
  readonly ledgers: Ledgers;
  readonly pushed: Pushed;
  readonly warnings: readonly Problem[];
  /** The engine last seen at these addresses, null where none was. */
  engineAt(address: string): Engine | null;
  sawEngine(address: string, engine: Engine, workers?: readonly SeenWorker[]): void;
  /** The workers last seen at these addresses, null where that is not known. */
  workersAt(address: string): readonly SeenWorker[] | null;
  /** All engines ever seen, by address. */
  engines(): Engine[];
  /** Writes what is only remembered so far and closes. */
  close(): void;
}

/** A worker as it is remembered beside its engine. */
export interface SeenWorker {
  readonly name: string;
  readonly platforms: readonly string[];
}

type SeenEngine = Engine & { readonly workers?: readonly SeenWorker[] };

/** @throws ProblemError `state-newer`, `state-unusable` */
export function openState(paths: StatePaths, now: () => number): State {
  const { database, warnings } = openDatabase(paths.database, now);
  const ledgers = openLedgers(database);
  const records = openRecords(database, ledgers.flush);
  /** Null where none is known, or what is noted was changed by accident. */
  const seenAt = (address: string): SeenEngine | null => {
    const row = database.get<{ data: string }>('SELECT data FROM engine WHERE address = ?', address);
    return row === undefined ? null : unsealJson<SeenEngine>(row.data, address);
  };
  return {
    paths,
    database,
    records,
    history: openHistory(database),
    ledgers,
    pushed: openPushed(database),
    warnings,
    engineAt: seenAt,
    sawEngine: (address, engine, workers) =>
      database.run(
        'INSERT OR REPLACE INTO engine (address, data, seen) VALUES (?, ?, ?)',
        address,
        seal(
          JSON.stringify({
            ...engine,
            workers: workers?.map(({ name, platforms }) => ({ name, platforms })),
          }),
          address,
        ),
        now(),
      ),
    workersAt: (address) => seenAt(address)?.workers ?? null,
    engines: () =>
      database
        .all<{ address: string; data: string }>('SELECT address, data FROM engine ORDER BY address')
        .flatMap((row) => unsealJson<Engine>(row.data, row.address) ?? []),
    close: () => {
      try {
        if (ledgers.changed) database.transaction(ledgers.flush);
      } catch (error) {
        // A full disk: the next run reads what it does not know.
        if (!(error instanceof ProblemError)) throw error;
      } finally {
        database.close();
      }
    },
  };
}
