/**
 * What is remembered of a tree's files between two commands: their stats with their hashes, and what was read out
 * of them. Only a cache: damaged or of another stx-make, it is as if there were none.
 */
import type { Database } from '../state/database.ts';
import type { KnownFile } from './scan.ts';

/** Set by the bundler to a hash of the sources: facts read by other code are not used. */
declare const __STX_MAKE_BUILD__: string | undefined;

const BUILD = typeof __STX_MAKE_BUILD__ === 'string' ? __STX_MAKE_BUILD__ : 'sources';

export interface Snapshot {
  /** Recipe folder, relative to the root -> its files. */
  readonly files: ReadonlyMap<string, readonly KnownFile[]>;
  /** core's FactsCache as text; null where there is none. */
  readonly facts: string | null;
}

type FileRow = readonly [path: string, mode: KnownFile['mode'], digest: string, stat: string, settled: 0 | 1];

export function readSnapshot(database: Database, tree: string): Snapshot {
  const row = database.get<{ build: string; files: string; facts: string | null }>(
    'SELECT build, files, facts FROM snapshot WHERE tree = ?',
    tree,
  );
  const files = new Map<string, readonly KnownFile[]>();
  if (row === undefined) return { files, facts: null };
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
  return { files, facts: row.build === BUILD ? row.facts : null };
}

/** `facts` null: keep what is there. */
export function writeSnapshot(
  database: Database,
  tree: string,
  files: ReadonlyMap<string, readonly KnownFile[]>,
  facts: string | null,
): void {
  const rows: Record<string, FileRow[]> = {};
  for (const [dir, list] of files) {
    rows[dir] = list.map((file) => [file.path, file.mode, file.digest, file.stat, file.settled ? 1 : 0]);
  }
  database.run(
    `INSERT INTO snapshot (tree, build, files, facts) VALUES (?1, ?2, ?3, ?4)
     ON CONFLICT (tree) DO UPDATE SET
       build = CASE WHEN ?4 IS NULL THEN build ELSE ?2 END, files = ?3, facts = coalesce(?4, facts)`,
    tree,
    BUILD,
    JSON.stringify(rows),
    facts,
  );
}
