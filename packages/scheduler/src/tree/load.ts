/**
 * From a tree on disk to its graph, reading only what changed since the last time.
 */
import { readFileSync } from 'node:fs';
import { inputProblem, type Problem, ProblemError } from '@stx-make/core/errors';
import type { HashedFolder } from '@stx-make/core/graph/cache';
import type { LoadedTree } from '@stx-make/core/graph/model';
import { freezeTree, recipesKey, thawTree, treeKey } from '@stx-make/core/graph/snapshot';
import { digestOf } from '@stx-make/core/oci/digest';
import type { Digest } from '@stx-make/core/oci/model';
import { byCodeUnit } from '@stx-make/core/order';
import { isGone } from '../files/index.ts';
import type { RecipeFiles } from '../plan/inputs.ts';
import type { Database } from '../state/database.ts';
import { type FoundTree, isRecipe, recipeCandidates } from './find.ts';
import { type KnownFile, type KnownFolder, scanFolder } from './scan.ts';
import {
  type FilesByDir,
  frozenWarnings,
  type KnownTree,
  PROGRAM,
  readFacts,
  readFiles,
  readFrozen,
  writeFacts,
  writeFiles,
  writeFrozen,
} from './snapshot.ts';

export interface LoadRequest {
  readonly found: FoundTree;
  readonly platform: string;
  readonly allowedImages: ReadonlySet<string>;
  /** Where the snapshot is kept; null: load without one. */
  readonly database: Database | null;
  readonly now: () => number;
  /** Where nothing changed do not even thaw the tree: its warnings are there, its recipes and graph are not. */
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
  readonly complete?: () => LoadedTree | null;
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
    const whole = (): LoadedTree | null => {
      const frozen = readFrozen(database, root, key);
      return frozen === null ? null : thawTree(frozen);
    };
    const warnings = request.outline === true ? frozenWarnings(database, root, key) : null;
    if (warnings !== null) {
      const tree = outlineOf(warnings);
      return { ...common, tree, problems: [], sound: true, outline: true, complete: whole };
    }
    const thawed = whole();
    if (thawed !== null) return { ...common, tree: thawed, problems: [], sound: true };
  }
  // Parsing is not imported where nothing has to be parsed.
  const [{ FactsCache }, { loadTreeFrom }] = await Promise.all([
    import('@stx-make/core/graph/cache'),
    import('@stx-make/core/graph/load'),
  ]);
  const cache = new FactsCache(database === null ? null : readFacts(database, root), PROGRAM);
  const readers = scanned.folders.map((folder) => cache.reader(folder));
  const { tree, problems } = await loadTreeFrom(readers, options);
  if (database !== null) {
    if (tree !== null && cache.sound) writeFrozen(database, root, key, tree.warnings, freezeTree(tree));
    const facts = cache.serialize();
    if (facts !== null) writeFacts(database, root, facts);
  }
  return { ...common, tree, problems: [...scanned.problems, ...problems], sound: cache.sound };
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
  /** All was as it was remembered. */
  readonly unchanged: boolean;
}

/** Looks at every recipe folder, hashing only what changed. */
function scanTree({ found: { root, base }, database, now }: LoadRequest): ScannedTree {
  const known = database === null ? null : readFiles(database, root);
  const files = new Map<string, KnownFolder>();
  const byDir = new Map<string, KnownFolder>();
  const problems: Problem[] = [];
  const folders: HashedFolder[] = [];
  let unchanged = true;
  for (const [stage, name] of recipeCandidates(root, base)) {
    const dir = base === '' ? `${stage}/${name}` : `${base}/${stage}/${name}`;
    const before = known?.byDir.get(dir);
    // Any folder may lie there; one of the two files makes it a recipe.
    if (before === undefined && !isRecipe(`${root}/${dir}`)) continue;
    const scanned = scanFolder(root, dir, before, now);
    const hashOf = (path: string) => scanned.files.find((file) => file.path === path)?.digest ?? null;
    const packageToml = hashOf('package.toml');
    const containerfile = hashOf('Containerfile');
    if (packageToml === null && containerfile === null) continue;
    unchanged &&= scanned.unchanged && before !== undefined;
    problems.push(...scanned.problems);
    byDir.set(dir, scanned);
    files.set(`${stage}/${name}`, scanned);
    const read = (file: string) => readIfThere(`${root}/${dir}/${file}`);
    folders.push({ stage, name, dir, packageToml, containerfile, read });
  }
  if (known !== null && unchanged && byDir.size === known.byDir.size) {
    return { ...known, folders, files, problems, unchanged };
  }
  const hashes = { content: contentOf(byDir), recipes: recipesKey(folders) };
  return { ...hashes, byDir, folders, files, problems, unchanged: false };
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
