/**
 * What is remembered of a tree between two commands: the stats and hashes of its files, the whole loaded tree, and
 * what was read out of each recipe. Only a cache: damaged or made by another stx-make, it is as if there were none.
 */
import type { Problem } from '@stx-make/core/errors';
import type { Digest } from '@stx-make/core/oci/model';
import { bootId } from '../files/boot.ts';
import type { Database } from '../state/database.ts';
import { seal, unseal, unsealBytes } from '../state/seal.ts';
import type { KnownFile, KnownFolder, Stat } from './scan.ts';

/** Set by the bundler to a hash of the sources: what other code made is not used. */
declare const __STX_MAKE_BUILD__: string | undefined;

/** Which program reads: part of the keys of what is kept. */
export const PROGRAM = typeof __STX_MAKE_BUILD__ === 'string' ? __STX_MAKE_BUILD__ : 'sources';

/** Recipe folder, relative to the root -> its files. */
export type FilesByDir = ReadonlyMap<string, KnownFolder>;

/** A tree's files as they were last seen. */
export interface KnownTree {
  /** Hash of all files: path, mode and content. */
  readonly content: string;
  readonly recipes: Digest;
  readonly byDir: FilesByDir;
}

type FileRow = readonly [path: string, mode: KnownFile['mode'], digest: string, stat: Stat, settled: 0 | 1];
/** Nobody synced the tree's files: their stats tell nothing of what a power cut left (files/boot.ts). */
interface FilesText {
  readonly boot: string;
  readonly dirs: Readonly<Record<string, FolderRow>>;
}
type FolderRow = readonly [folders: KnownFolder['folders'], files: readonly FileRow[]];

/** null where nothing is known, or nothing that can be read. */
export function readFiles(database: Database, tree: string): KnownTree | null {
  const row = database.get<{ content: string; recipes: string; files: string }>(
    'SELECT content, recipes, files FROM snapshot WHERE tree = ?',
    tree,
  );
  if (row === undefined) return null;
  const byDir = new Map<string, KnownFolder>();
  try {
    const text = unseal(row.files, row.content, row.recipes);
    if (text === null) return null;
    const { boot, dirs } = JSON.parse(text) as FilesText;
    if (boot !== bootId()) return null;
    for (const [dir, [folders, rows]] of Object.entries(dirs)) {
      const files = rows.map(([path, mode, digest, stat, settled]) => ({
        path,
        mode,
        digest: digest as Digest,
        stat,
        settled: settled === 1,
      }));
      byDir.set(dir, { folders, files });
    }
  } catch {
    return null;
  }
  return { content: row.content, recipes: row.recipes as Digest, byDir };
}

export function writeFiles(database: Database, tree: string, known: KnownTree): void {
  const dirs: Record<string, FolderRow> = {};
  for (const [dir, { folders, files }] of known.byDir) {
    dirs[dir] = [
      folders,
      files.map((file) => [file.path, file.mode, file.digest, file.stat, file.settled ? 1 : 0]),
    ];
  }
  database.cache(
    'INSERT OR REPLACE INTO snapshot (tree, content, recipes, files) VALUES (?, ?, ?, ?)',
    tree,
    known.content,
    known.recipes,
    seal(JSON.stringify({ boot: bootId(), dirs } satisfies FilesText), known.content, known.recipes),
  );
}

/** The warnings of the tree that was frozen under this key; null where none was. */
export function frozenWarnings(database: Database, tree: string, key: string): readonly Problem[] | null {
  const row = database.get<{ warnings: string }>(
    'SELECT warnings FROM frozen WHERE tree = ? AND key = ?',
    tree,
    key,
  );
  if (row === undefined) return null;
  const text = unseal(row.warnings, key);
  return text === null ? null : (JSON.parse(text) as Problem[]);
}

/** The tree frozen under this key, as the bytes of core's text: making a string of all of it costs more than reading
 * it. Null where there is none. */
export function readFrozen(database: Database, tree: string, key: string): Uint8Array | null {
  const sql = 'SELECT CAST(text AS BLOB) AS bytes FROM frozen WHERE tree = ? AND key = ?';
  const row = database.get<{ bytes: Uint8Array }>(sql, tree, key);
  return row === undefined ? null : unsealBytes(row.bytes, key);
}

export function writeFrozen(
  database: Database,
  tree: string,
  key: string,
  warnings: readonly Problem[],
  text: string,
): void {
  database.cache(
    'INSERT OR REPLACE INTO frozen (tree, key, warnings, text) VALUES (?, ?, ?, ?)',
    tree,
    key,
    seal(JSON.stringify(warnings), key),
    seal(text, key),
  );
}

export function dropFrozen(database: Database, tree: string): void {
  database.cache('DELETE FROM frozen WHERE tree = ?', tree);
}

/** core's FactsCache as bytes; null where there is none. Read only when the frozen tree does not fit. */
export function readFacts(database: Database, tree: string): Uint8Array | null {
  const sql = 'SELECT CAST(text AS BLOB) AS bytes FROM facts_cache WHERE tree = ?';
  const row = database.get<{ bytes: Uint8Array }>(sql, tree);
  return row === undefined ? null : unsealBytes(row.bytes);
}

export function writeFacts(database: Database, tree: string, text: string): void {
  database.cache('INSERT OR REPLACE INTO facts_cache (tree, text) VALUES (?, ?)', tree, seal(text));
}
