/**
 * From a tree on disk to its graph, reading only what changed since the last time.
 */
import { readFileSync } from 'node:fs';
import { inputProblem, type Problem, ProblemError } from '@stx-make/core/errors';
import type { HashedFolder, RecipeCache } from '@stx-make/core/graph/cache';
import type { LoadedTree } from '@stx-make/core/graph/model';
import type { EditedRecipe } from '@stx-make/core/graph/patch';
import type { RecipeReader } from '@stx-make/core/graph/reader';
import { recipesKey, type TreeHead, treeKey, treeOf } from '@stx-make/core/graph/snapshot';
import { digestOf } from '@stx-make/core/oci/digest';
import type { Digest } from '@stx-make/core/oci/model';
import { byCodeUnit } from '@stx-make/core/order';
import { isGone } from '../files/index.ts';
import { boundNewObjects } from '../memory.ts';
import type { RecipeFiles } from '../plan/inputs.ts';
import type { Database } from '../state/database.ts';
import { type FoundTree, isRecipe, recipeCandidates } from './find.ts';
import { type KnownFile, type KnownFolder, scanFolder } from './scan.ts';
import {
  type FilesByDir,
  headWarnings,
  type KnownTree,
  PROGRAM,
  readFiles,
  readHead,
  TreeLines,
  writeFiles,
  writeHead,
} from './snapshot.ts';

export interface LoadRequest {
  readonly found: FoundTree;
  readonly platform: string;
  readonly allowedImages: ReadonlySet<string>;
  /** Where the snapshot is kept; null: load without one. */
  readonly database: Database | null;
  readonly now: () => number;
  /** Where nothing changed do not even read the head: its warnings are there, its recipes and graph are not. */
  readonly outline?: boolean;
}

export interface LoadedFiles {
  readonly tree: LoadedTree;
  /** By recipe id. */
  readonly files: ReadonlyMap<string, KnownFolder>;
  /** Equal for equal trees: every file, the platform and what is allowed are in it. */
  readonly content: string;
  /** Only the outline was asked for, and is there. */
  readonly outline: boolean;
  /** Of an outline: the whole tree from the same files, null where it can not be read any more. */
  readonly complete?: () => Promise<LoadedTree | null>;
}

/** How often a tree is read again that is written to while it is read. */
const MAX_READINGS = 10;

/** @throws ProblemError with every error of the tree */
export async function loadTreeFiles(request: LoadRequest): Promise<LoadedFiles> {
  for (let reading = 1; ; reading += 1) {
    const { tree, problems, sound, ...rest } = await readTree(request);
    // Hashes of one state and facts of another would give a fingerprint of something that never was.
    if (!sound && reading < MAX_READINGS) continue;
    if (!sound) throw new ProblemError(restless(request.found.root));
    if (tree === null || problems.some(({ level }) => level === 'error')) throw new ProblemError(problems);
    return { tree, ...rest };
  }
}

interface ReadTree extends Omit<LoadedFiles, 'tree'> {
  readonly tree: LoadedTree | null;
  readonly problems: readonly Problem[];
  /** All files were read as they had been hashed. */
  readonly sound: boolean;
}

async function readTree(request: LoadRequest): Promise<ReadTree> {
  const { database, platform, allowedImages } = request;
  const { root } = request.found;
  const scanned = scanTree(request);
  const options = { platform, allowedImages };
  const key = treeKey(scanned.recipes, options, PROGRAM);
  const common = { files: scanned.files, content: `${key} ${scanned.content}`, outline: false };
  if (!scanned.unchanged && database !== null) writeFiles(database, root, scanned);
  if (database !== null && scanned.problems.length === 0) {
    const kept = async (): Promise<LoadedTree | null> => {
      const head = readHead(database, root, key);
      return head && (await openTree(request, scanned)).whole(head);
    };
    const warnings = request.outline === true ? headWarnings(database, root, key) : null;
    if (warnings !== null) {
      const tree = outlineOf(warnings);
      return { ...common, tree, problems: [], sound: true, outline: true, complete: kept };
    }
    const tree = await kept();
    if (tree !== null) return { ...common, tree, problems: [], sound: true };
  }
  const { loadHead } = await import('@stx-make/core/graph/load');
  const opened = await openTree(request, scanned);
  const { cache, lines, readerOf } = opened;
  const patched = await patchedHead(request, scanned, opened);
  const { head, problems } = patched
    ? { head: patched, problems: patched.warnings }
    : await loadHead(
        scanned.folders.map(({ dir }) => readerOf(dir)),
        options,
      );
  const { sound } = cache;
  lines?.write();
  if (patched === null) lines?.forgetOthers(scanned.folders.map(({ dir }) => dir));
  if (database !== null && head !== null && sound) writeHead(database, root, key, head);
  const tree = head && opened.whole(head);
  return { ...common, tree, problems: [...scanned.problems, ...problems], sound };
}

/** What is read of a tree's recipes. */
interface OpenedTree {
  readonly cache: RecipeCache;
  /** Null where nothing is kept. */
  readonly lines: TreeLines | null;
  readonly readerOf: (dir: string) => RecipeReader;
  /** The tree of this head, from now on in use. */
  readonly whole: (head: TreeHead) => LoadedTree;
}

/** Reading recipes is not imported where none is asked for. */
async function openTree(
  { found: { root }, database, platform }: LoadRequest,
  { folders }: ScannedTree,
): Promise<OpenedTree> {
  const { memoryLines, RecipeCache } = await import('@stx-make/core/graph/cache');
  const lines = database === null ? null : new TreeLines(database, root);
  const cache = new RecipeCache(lines ?? memoryLines(), PROGRAM);
  const readerOf = cache.readers(folders);
  const whole = (head: TreeHead): LoadedTree => {
    cache.loaded();
    return treeOf(head, readerOf, platform);
  };
  return { cache, lines, readerOf, whole };
}

/** The head of a tree of the same recipes as before, some of them edited; null where it is to be loaded whole. */
async function patchedHead(
  { found: { root }, database, platform, allowedImages }: LoadRequest,
  { before, folders }: ScannedTree,
  { cache, readerOf }: OpenedTree,
): Promise<TreeHead | null> {
  if (database === null || before === null || before.byDir.size !== folders.length) return null;
  const options = { platform, allowedImages };
  const head = readHead(database, root, treeKey(before.recipes, options, PROGRAM));
  if (head === null) return null;
  const edited: EditedRecipe[] = [];
  for (const folder of folders) {
    const old = before.byDir.get(folder.dir);
    if (old === undefined) return null;
    const was = hashesOf(old);
    if (was.packageToml === folder.packageToml && was.containerfile === folder.containerfile) continue;
    const facts = cache.known({ ...folder, ...was });
    if (facts === null) return null;
    edited.push({ before: facts, reader: readerOf(folder.dir) });
  }
  const { patchHead } = await import('@stx-make/core/graph/patch');
  return patchHead(head, treeOf(head, readerOf, platform), edited, options);
}

/** A tree of which only the warnings are known. */
function outlineOf(warnings: readonly Problem[]): LoadedTree {
  const refuse = (): never => {
    throw new Error('only the outline of this tree was loaded');
  };
  return {
    warnings,
    get recipes() {
      return refuse();
    },
    get graph() {
      return refuse();
    },
  };
}

function restless(root: string): Problem {
  return inputProblem({
    code: 'tree-changes',
    text: 'Recipes are being written faster than they can be read.',
    file: root,
    hint: 'Run again when nothing writes to the tree.',
  });
}

interface ScannedTree extends KnownTree {
  readonly folders: readonly HashedFolder[];
  /** By recipe id. */
  readonly files: ReadonlyMap<string, KnownFolder>;
  readonly problems: readonly Problem[];
  /** What was remembered; null where nothing was. */
  readonly before: KnownTree | null;
  /** All was as it was remembered. */
  readonly unchanged: boolean;
}

/** Looks at every recipe folder, hashing only what changed. */
function scanTree({ found: { root, base }, database, now }: LoadRequest): ScannedTree {
  const known = database === null ? null : readFiles(database, root);
  // All of it will be read, and it may be a large one.
  if (known === null) boundNewObjects();
  const files = new Map<string, KnownFolder>();
  const byDir = new Map<string, KnownFolder>();
  const problems: Problem[] = [];
  const folders: HashedFolder[] = [];
  // What was hashed just now need not be read once more to be parsed.
  const taken = new Map<string, Uint8Array>();
  const take = (path: string, bytes: Uint8Array): void => {
    if (path.endsWith('/package.toml') || path.endsWith('/Containerfile')) taken.set(path, bytes);
  };
  let unchanged = true;
  for (const [stage, name] of recipeCandidates(root, base)) {
    const dir = base === '' ? `${stage}/${name}` : `${base}/${stage}/${name}`;
    const before = known?.byDir.get(dir);
    // Any folder may lie there; one of the two files makes it a recipe.
    if (before === undefined && !isRecipe(`${root}/${dir}`)) continue;
    const scanned = scanFolder(root, dir, before, now, take);
    const hashes = hashesOf(scanned);
    if (hashes.packageToml === null && hashes.containerfile === null) continue;
    unchanged &&= scanned.unchanged && before !== undefined;
    problems.push(...scanned.problems);
    byDir.set(dir, scanned);
    files.set(`${stage}/${name}`, scanned);
    const read = (file: string) => {
      const path = `${root}/${dir}/${file}`;
      const bytes = taken.get(path);
      taken.delete(path);
      return bytes ?? readIfThere(path);
    };
    folders.push({ stage, name, dir, ...hashes, read });
  }
  if (known !== null && unchanged && byDir.size === known.byDir.size) {
    return { ...known, folders, files, problems, before: known, unchanged };
  }
  const hashes = { content: contentOf(byDir), recipes: recipesKey(folders) };
  return { ...hashes, byDir, folders, files, problems, before: known, unchanged: false };
}

function hashesOf({ files }: KnownFolder): Pick<HashedFolder, 'packageToml' | 'containerfile'> {
  const hashOf = (path: string) => files.find((file) => file.path === path)?.digest ?? null;
  return { packageToml: hashOf('package.toml'), containerfile: hashOf('Containerfile') };
}

/** Independent of the order in which folders are listed. */
function contentOf(byDir: FilesByDir): Digest {
  const rows = [...byDir].map(([dir, { files }]) =>
    JSON.stringify([dir, files.map(({ path, mode, digest }) => [path, mode, digest])]),
  );
  return digestOf(rows.sort(byCodeUnit).join('\n'));
}

/** A file that went away since it was hashed reads as empty: not as it had been hashed, so the tree is read again. */
function readIfThere(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    if (isGone(error)) return new Uint8Array();
    throw error;
  }
}

/** The files of a recipe by path. */
export function recipeFiles({ files }: { readonly files: readonly KnownFile[] }): RecipeFiles {
  return new Map(files.map((file) => [file.path, file]));
}
