/**
 * The tree as it lies on disk, untracked and uncommitted files included: what a build would take.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { allowedImagesOf } from '@stx-make/core/config/allowed';
import type { SessionOptions } from '../api.ts';
import { platformOf, readTreeConfig } from '../config.ts';
import { GitError, type GitTree } from '../git/index.ts';
import type { RecipeFiles } from '../plan/inputs.ts';
import type { Database } from '../state/database.ts';
import type { FoundTree } from '../tree/find.ts';
import { loadTreeFiles, recipeFiles } from '../tree/load.ts';
import type { CommitEnd } from './commit-end.ts';
import { digestsOfTexts } from './digest-texts.ts';
import type { End } from './end.ts';

/** @throws ProblemError with every error of the tree */
export async function loadWorkingEnd(
  found: FoundTree,
  options: SessionOptions,
  database: Database | null,
): Promise<End> {
  const { root } = found;
  const config = await readTreeConfig(root, options.env);
  const { tree, files } = await loadTreeFiles({
    found,
    platform: platformOf(options, config),
    allowedImages: allowedImagesOf(config),
    database,
    now: Date.now,
  });
  return {
    label: 'the working tree',
    commit: null,
    config,
    tree,
    files: new Map([...files].map(([recipe, list]) => [recipe, recipeFiles(list)])),
    digests: digestsOfTexts(digestTexts(root)),
    read: async (path) => orNull(() => readFileSync(join(root, path))),
  };
}

function digestTexts(root: string): Map<string, string> {
  const folder = join(root, 'digests');
  const names = orNull(() => readdirSync(folder)) ?? [];
  const texts = new Map<string, string>();
  for (const name of names.filter((each) => /^[^.].*\.txt$/.test(each))) {
    const text = orNull(() => readFileSync(join(folder, name), 'utf8'));
    if (text !== null) texts.set(name, text);
  }
  return texts;
}

/** Null for what is not there. */
function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && 'code' in error) return null;
    throw error;
  }
}

/**
 * Files that a checkout writes otherwise than git keeps them (line ends, large files in a store of their own) differ
 * from the commit without having been touched. Where git itself would keep the file under the commit's id, it counts as
 * the commit's.
 * @returns the end with such files as the commit has them
 */
export async function asGitSees(end: End, before: CommitEnd, git: GitTree): Promise<End> {
  const differing: { readonly recipe: string; readonly path: string; readonly full: string }[] = [];
  for (const { id, dir } of end.tree.recipes) {
    const old = before.files.get(id);
    for (const [path, file] of end.files.get(id) ?? []) {
      const was = old?.get(path);
      if (was === undefined || was.digest === file.digest) continue;
      if (file.mode === 'link' || was.mode === 'link' || path.includes('\n')) continue;
      differing.push({ recipe: id, path, full: `${dir}/${path}` });
    }
  }
  if (differing.length === 0) return end;
  let ids: string[];
  try {
    const input = differing.map(({ full }) => `${full}\n`).join('');
    ids = (await git.run(['hash-object', '--stdin-paths'], input)).toString('utf8').trim().split('\n');
  } catch (error) {
    // A filter that is not installed: the files are then what they look like.
    if (error instanceof GitError) return end;
    throw error;
  }
  const files = new Map<string, RecipeFiles>(end.files);
  for (const [index, { recipe, path, full }] of differing.entries()) {
    const was = before.files.get(recipe)?.get(path);
    const now = files.get(recipe)?.get(path);
    if (was === undefined || now === undefined || ids[index] !== before.ids.get(full)) continue;
    files.set(recipe, new Map(files.get(recipe)).set(path, { ...now, digest: was.digest }));
  }
  return { ...end, files };
}
