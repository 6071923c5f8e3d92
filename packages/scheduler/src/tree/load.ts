/**
 * From a tree on disk to its graph, reading only what changed since the last time.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inputProblem, type Problem, ProblemError } from '@stx-make/core/errors';
import type { HashedFolder } from '@stx-make/core/graph/cache';
import type { LoadedTree } from '@stx-make/core/graph/model';
import { freezeTree, thawTree, treeKey } from '@stx-make/core/graph/snapshot';
import { isGone } from '../files/index.ts';
import type { RecipeFiles } from '../plan/inputs.ts';
import type { Database } from '../state/database.ts';
import { type FoundTree, isRecipe, recipeCandidates } from './find.ts';
import { type KnownFile, scanFolder } from './scan.ts';
import { type FilesByDir, PROGRAM, readFacts, readFiles, readFrozen, writeSnapshot } from './snapshot.ts';

export interface LoadRequest {
  readonly found: FoundTree;
  readonly platform: string;
  readonly allowedImages: ReadonlySet<string>;
  /** Where the snapshot is kept; null: load without one. */
  readonly database: Database | null;
  readonly now: () => number;
}

export interface LoadedFiles {
  readonly tree: LoadedTree;
  /** By recipe id. */
  readonly files: ReadonlyMap<string, readonly KnownFile[]>;
}

/** How often a tree is read again that is written to while it is read. */
const MAX_READINGS = 10;

/** @throws ProblemError with every error of the tree */
export async function loadTreeFiles(request: LoadRequest): Promise<LoadedFiles> {
  for (let reading = 1; ; reading += 1) {
    const { tree, files, problems, sound } = await readTree(request);
    // Hashes of one state and facts of another would give a fingerprint of something that never was.
    if (!sound && reading < MAX_READINGS) continue;
    if (!sound) throw new ProblemError(restless(request.found.root));
    if (tree === null || problems.some(({ level }) => level === 'error')) throw new ProblemError(problems);
    return { tree, files };
  }
}

interface ReadTree {
  readonly tree: LoadedTree | null;
  readonly files: LoadedFiles['files'];
  readonly problems: readonly Problem[];
  /** All files were read as they had been hashed. */
  readonly sound: boolean;
}

async function readTree(request: LoadRequest): Promise<ReadTree> {
  const { database, platform, allowedImages } = request;
  const { root } = request.found;
  const scanned = scanTree(request);
  const { files } = scanned;
  const options = { platform, allowedImages };
  const key = treeKey(scanned.folders, options, PROGRAM);
  const frozen = database === null ? null : readFrozen(database, root);
  const thawed = frozen === null ? null : thawTree(frozen, key);
  if (thawed !== null && scanned.problems.length === 0) {
    if (!scanned.unchanged && database !== null) writeSnapshot(database, root, scanned.byDir, null, null);
    return { tree: thawed, files, problems: [], sound: true };
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
    const text = tree !== null && cache.sound ? freezeTree(key, tree) : null;
    writeSnapshot(database, root, scanned.byDir, text, cache.serialize());
  }
  return { tree, files, problems: [...scanned.problems, ...problems], sound: cache.sound };
}

function restless(root: string): Problem {
  return inputProblem({
    code: 'tree-changes',
    text: 'Recipes are being written faster than they can be read.',
    file: root,
    hint: 'Run again when nothing writes to the tree.',
  });
}

interface ScannedTree {
  readonly folders: readonly HashedFolder[];
  /** By recipe id. */
  readonly files: ReadonlyMap<string, readonly KnownFile[]>;
  readonly byDir: FilesByDir;
  readonly problems: readonly Problem[];
  /** All was as it was remembered. */
  readonly unchanged: boolean;
}

/** Looks at every recipe folder, hashing only what changed. */
function scanTree({ found: { root, base }, database, now }: LoadRequest): ScannedTree {
  const known: FilesByDir = database === null ? new Map() : readFiles(database, root);
  const files = new Map<string, readonly KnownFile[]>();
  const byDir = new Map<string, readonly KnownFile[]>();
  const problems: Problem[] = [];
  const folders: HashedFolder[] = [];
  let unchanged = true;
  for (const [stage, name] of recipeCandidates(root, base)) {
    const dir = base === '' ? `${stage}/${name}` : `${base}/${stage}/${name}`;
    const before = known.get(dir);
    // Any folder may lie there; one of the two files makes it a recipe.
    if (before === undefined && !isRecipe(join(root, dir))) continue;
    const scanned = scanFolder(root, dir, before, now);
    const digestOf = (path: string) => scanned.files.find((file) => file.path === path)?.digest ?? null;
    const packageToml = digestOf('package.toml');
    const containerfile = digestOf('Containerfile');
    if (packageToml === null && containerfile === null) continue;
    unchanged &&= scanned.unchanged && before !== undefined;
    problems.push(...scanned.problems);
    byDir.set(dir, scanned.files);
    files.set(`${stage}/${name}`, scanned.files);
    const read = (file: string) => readIfThere(join(root, dir, file));
    folders.push({ stage, name, dir, packageToml, containerfile, read });
  }
  return { folders, files, byDir, problems, unchanged: unchanged && byDir.size === known.size };
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
export function recipeFiles(files: readonly KnownFile[]): RecipeFiles {
  return new Map(files.map((file) => [file.path, file]));
}
