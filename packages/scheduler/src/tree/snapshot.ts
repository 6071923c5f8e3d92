/**
 * What is remembered of a tree between two commands: the stats and hashes of its files, the head of the loaded
 * tree, and what was read out of each recipe. Only a cache: damaged or made by another stx-make, it is as if there were none.
 */
import type { Problem } from '@stx-make/core/errors';
import type { LineStore } from '@stx-make/core/graph/cache';
import type { TreeHead } from '@stx-make/core/graph/snapshot';
import type { Digest } from '@stx-make/core/oci/model';
import { bootId } from '../files/boot.ts';
import type { Database } from '../state/database.ts';
import { seal, unseal } from '../state/seal.ts';
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

/** The warnings of the tree that was kept under this key; null where none was. */
export function headWarnings(database: Database, tree: string, key: string): readonly Problem[] | null {
  const row = database.get<{ warnings: string }>(
    'SELECT warnings FROM tree_head WHERE tree = ? AND key = ?',
    tree,
    key,
  );
  if (row === undefined) return null;
  const text = unseal(row.warnings, key);
  return text === null ? null : (JSON.parse(text) as Problem[]);
}

/** The head of the tree that was kept under this key; null where there is none. */
export function readHead(database: Database, tree: string, key: string): TreeHead | null {
  const sql = 'SELECT head FROM tree_head WHERE tree = ? AND key = ?';
  const row = database.get<{ head: string }>(sql, tree, key);
  const text = row === undefined ? null : unseal(row.head, key);
  return text === null ? null : (JSON.parse(text) as TreeHead);
}

export function writeHead(database: Database, tree: string, key: string, head: TreeHead): void {
  database.cache(
    'INSERT OR REPLACE INTO tree_head (tree, key, warnings, head) VALUES (?, ?, ?, ?)',
    tree,
    key,
    seal(JSON.stringify(head.warnings), key),
    seal(JSON.stringify(head), key),
  );
}

/** How many states of one recipe are kept: going back and forth between branches stays fast. */
const KEEP_STATES = 8;

/** How many times the folders that a tree has may be remembered. */
const MANY_DIRS = 4;

/** So many lines are written at once: together, and without all of a large tree being held in memory. */
const BATCH = 512;

/** The lines of a tree's recipes. Each is true of the files in its key, whatever else becomes of the tree. */
export class TreeLines implements LineStore {
  readonly #database: Database;
  readonly #tree: string;
  readonly #fresh = new Map<string, { readonly dir: string; readonly key: string; readonly line: string }>();

  constructor(database: Database, tree: string) {
    this.#database = database;
    this.#tree = tree;
  }

  get(dir: string, key: string): string | null {
    const fresh = this.#fresh.get(dir);
    if (fresh?.key === key) return fresh.line;
    const sql = 'SELECT line FROM recipe_line WHERE tree = ? AND dir = ? AND key = ?';
    const row = this.#database.get<{ line: string }>(sql, this.#tree, dir, key);
    return row === undefined ? null : unseal(row.line, dir, key);
  }

  put(dir: string, key: string, line: string): void {
    this.#fresh.set(dir, { dir, key, line });
    if (this.#fresh.size >= BATCH) this.write();
  }

  /** Those that are not written yet. */
  write(): void {
    if (this.#fresh.size > 0) this.#database.cached(() => this.#writeFresh());
    this.#fresh.clear();
  }

  /** Forgets recipes that are in none of these folders any more, once they are many: a run may still be using them, or
   * the branch they are on come back. */
  forgetOthers(dirs: readonly string[]): void {
    const sql = 'SELECT count(DISTINCT dir) AS dirs FROM recipe_line WHERE tree = ?';
    if ((this.#database.get<{ dirs: number }>(sql, this.#tree)?.dirs ?? 0) <= MANY_DIRS * dirs.length) return;
    this.#database.cache(
      'DELETE FROM recipe_line WHERE tree = ? AND dir NOT IN (SELECT value FROM json_each(?))',
      this.#tree,
      JSON.stringify(dirs),
    );
  }

  #writeFresh(): void {
    const tree = this.#tree;
    for (const { dir, key, line } of this.#fresh.values()) {
      const known = this.#database.all<{ number: number; key: string }>(
        'SELECT number, key FROM recipe_line WHERE tree = ? AND dir = ? ORDER BY number DESC',
        tree,
        dir,
      );
      for (const [place, { number, key: other }] of known.entries()) {
        if (other === key || place >= KEEP_STATES - 1) {
          this.#database.run('DELETE FROM recipe_line WHERE number = ?', number);
        }
      }
      this.#database.run(
        'INSERT INTO recipe_line (tree, dir, key, line) VALUES (?, ?, ?, ?)',
        tree,
        dir,
        key,
        seal(line, dir, key),
      );
    }
  }
}
