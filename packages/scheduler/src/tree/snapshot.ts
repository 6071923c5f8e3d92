/**
 * What is remembered of a tree between two commands: the stats and hashes of its files, the whole loaded tree, and
 * what was read out of each recipe. Only a cache: damaged or made by another stx-make, it is as if there were none.
 */
import type { Database } from '../state/database.ts';
import type { KnownFile } from './scan.ts';

/** Set by the bundler to a hash of the sources: what other code made is not used. */
declare const __STX_MAKE_BUILD__: string | undefined;

/** Which program reads: part of the keys of what is kept. */
export const PROGRAM = typeof __STX_MAKE_BUILD__ === 'string' ? __STX_MAKE_BUILD__ : 'sources';

/** Recipe folder, relative to the root -> its files. */
export type FilesByDir = ReadonlyMap<string, readonly KnownFile[]>;

type FileRow = readonly [path: string, mode: KnownFile['mode'], digest: string, stat: string, settled: 0 | 1];

export function readFiles(database: Database, tree: string): FilesByDir {
  const row = database.get<{ files: string }>('SELECT files FROM snapshot WHERE tree = ?', tree);
  const files = new Map<string, readonly KnownFile[]>();
  if (row === undefined) return files;
  try {
    for (const [dir, rows] of Object.entries(JSON.parse(row.files) as Record<string, FileRow[]>)) {
      files.set(
        dir,
        rows.map(([path, mode, digest, stat, settled]) => ({
          path,
          mode,
          digest: digest as KnownFile['digest'],
          stat,
          settled: settled === 1,
        })),
      );
    }
  } catch {
    files.clear();
  }
  return files;
}

/** The loaded tree as core froze it; null where there is none. */
export function readFrozen(database: Database, tree: string): string | null {
  return (
    database.get<{ frozen: string | null }>('SELECT frozen FROM snapshot WHERE tree = ?', tree)?.frozen ??
    null
  );
}

/** core's FactsCache as text; null where there is none. Read only when the frozen tree does not fit. */
export function readFacts(database: Database, tree: string): string | null {
  return (
    database.get<{ facts: string | null }>('SELECT facts FROM snapshot WHERE tree = ?', tree)?.facts ?? null
  );
}

/** `frozen` or `facts` null: keep what is there. */
export function writeSnapshot(
  database: Database,
  tree: string,
  files: FilesByDir,
  frozen: string | null,
  facts: string | null,
): void {
  const rows: Record<string, FileRow[]> = {};
  for (const [dir, list] of files) {
    rows[dir] = list.map((file) => [file.path, file.mode, file.digest, file.stat, file.settled ? 1 : 0]);
  }
  database.run(
    `INSERT INTO snapshot (tree, files, frozen, facts) VALUES (?1, ?2, ?3, ?4)
     ON CONFLICT (tree) DO UPDATE SET
       files = ?2, frozen = coalesce(?3, frozen), facts = coalesce(?4, facts)`,
    tree,
    JSON.stringify(rows),
    frozen,
    facts,
  );
}
