/**
 * From a tree on disk to its graph, reading only what changed since the last time.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Problem, ProblemError } from '@stx-make/core/errors';
import { FactsCache } from '@stx-make/core/graph/cache';
import { loadTreeFrom } from '@stx-make/core/graph/load';
import type { LoadedTree } from '@stx-make/core/graph/model';
import type { RecipeFiles } from '../plan/inputs.ts';
import type { Database } from '../state/database.ts';
import { type FoundTree, isRecipe, recipeCandidates } from './find.ts';
import { type KnownFile, scanFolder } from './scan.ts';
import { readSnapshot, writeSnapshot } from './snapshot.ts';

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

/** @throws ProblemError with every error of the tree */
export async function loadTreeFiles(request: LoadRequest): Promise<LoadedFiles> {
  const { root, base } = request.found;
  const snapshot =
    request.database === null ? { files: new Map(), facts: null } : readSnapshot(request.database, root);
  const cache = new FactsCache(snapshot.facts);
  const files = new Map<string, readonly KnownFile[]>();
  const byDir = new Map<string, readonly KnownFile[]>();
  const problems: Problem[] = [];
  const readers = [];
  let same = true;
  for (const [stage, name] of recipeCandidates(root, base)) {
    const dir = base === '' ? `${stage}/${name}` : `${base}/${stage}/${name}`;
    // Any folder may lie there; one of the two files makes it a recipe.
    if (!snapshot.files.has(dir) && !isRecipe(join(root, dir))) continue;
    const scanned = scanFolder(root, dir, snapshot.files.get(dir), request.now);
    const digestOf = (path: string) => scanned.files.find((file) => file.path === path)?.digest ?? null;
    const packageToml = digestOf('package.toml');
    const containerfile = digestOf('Containerfile');
    if (packageToml === null && containerfile === null) continue;
    same &&= scanned.unchanged;
    problems.push(...scanned.problems);
    byDir.set(dir, scanned.files);
    files.set(`${stage}/${name}`, scanned.files);
    readers.push(
      cache.reader({
        stage,
        name,
        dir,
        packageToml,
        containerfile,
        read: (file) => readFileSync(join(root, dir, file)),
      }),
    );
  }
  const { tree, problems: more } = await loadTreeFrom(readers, {
    platform: request.platform,
    allowedImages: request.allowedImages,
  });
  const facts = cache.serialize();
  if (request.database !== null && (!same || facts !== null || byDir.size !== snapshot.files.size)) {
    writeSnapshot(request.database, root, byDir, facts);
  }
  problems.push(...more);
  if (tree === null || problems.some(({ level }) => level === 'error')) throw new ProblemError(problems);
  return { tree, files };
}

/** The files of a recipe by path. */
export function recipeFiles(files: readonly KnownFile[]): RecipeFiles {
  return new Map(files.map((file) => [file.path, file]));
}
