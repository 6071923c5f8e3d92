/**
 * The tree as a commit has it, out of git's objects. Where the commit had the tree in another folder of the repository
 * it is found there.
 */
import { allowedImagesOf } from '@stx-make/core/config/allowed';
import { CONFIG_FILE, NO_CONFIG } from '@stx-make/core/config/model';
import { environmentProblem, inputProblem, type Problem, ProblemError } from '@stx-make/core/errors';
import type { SessionOptions } from '../api.ts';
import { parseTreeConfig, platformOf } from '../config.ts';
import {
  GitError,
  type GitTree,
  type ListedFile,
  listFiles,
  loadTreeAt,
  type ObjectCache,
  readObjects,
  recipeEntries,
  resolveCommit,
} from '../git/index.ts';
import { digestsOfTexts } from './digest-texts.ts';
import type { End } from './end.ts';

export interface CommitEnd extends End {
  readonly commit: string;
  /** git's object id by path, relative to the tree's root, of all files of recipes. */
  readonly ids: ReadonlyMap<string, string>;
}

/**
 * @param name a branch, tag or commit, as the user wrote it
 * @throws ProblemError `unknown-commit`, `no-tree-in-commit`, `submodule-in-recipe` (input), `missing-objects`
 *   (environment), and every error the tree had in that commit, with files as `<name>:<path>`
 */
export async function loadCommitEnd(
  git: GitTree,
  name: string,
  options: SessionOptions,
  cache: ObjectCache,
): Promise<CommitEnd> {
  const commit = await resolveCommit(git, name);
  try {
    return await loadEnd(git, commit, name, options, cache);
  } catch (error) {
    // What a partial clone lacks git would fetch, one by one and without a word; it is told not to, and says so.
    if (!(error instanceof GitError) || !/promisor|lazy fetch/i.test(error.message)) throw error;
    throw new ProblemError(missingObjects(name), { cause: error });
  }
}

async function loadEnd(
  git: GitTree,
  commit: string,
  name: string,
  options: SessionOptions,
  cache: ObjectCache,
): Promise<CommitEnd> {
  const { prefix, files } = await locate(git, commit, name);
  const config = await readConfigAt(git, commit, prefix, name, options);
  const at = await loadTreeAt(git, commit, {
    platform: platformOf(options, config),
    allowedImages: allowedImagesOf(config),
    cache,
    prefix,
  });
  if (at.missing.length > 0) throw new ProblemError(missingObjects(name));
  await refuseSubmodules(git, commit, prefix, name);
  const { tree, problems } = at.loaded;
  if (tree === null) {
    throw new ProblemError(
      problems.filter(({ level }) => level === 'error').map((each) => placed(each, name)),
    );
  }
  if (tree.graph.targets.size === 0) throw new ProblemError(noTree(name, prefix));
  const texts = new Map<string, string>();
  for (const { path, id } of files) {
    const file = /^digests\/([^/.][^/]*\.txt)$/.exec(path)?.[1];
    const text = file === undefined ? null : (await readObjects(git, [id])).get(id);
    if (file !== undefined && text != null) texts.set(file, text.toString('utf8'));
  }
  return {
    label: name,
    commit,
    config,
    tree,
    files: at.files,
    ids: at.ids,
    digests: digestsOfTexts(texts),
    read: async (path) => {
      const id = at.ids.get(path);
      return id === undefined ? null : (cache.get(id)?.bytes ?? null);
    },
  };
}

interface Located {
  /** As `GitTree.prefix`. */
  readonly prefix: string;
  /** All below it, paths relative to it. */
  readonly files: readonly ListedFile[];
}

/** What is before `packages/<stage>/<name>/`, or before a known stage where there is no packages/. */
const IN_PACKAGES = /^((?:.+\/)?)packages\/[^/]+\/[^/]+\/package\.toml$/;
const IN_STAGE = /^((?:.+\/)?)(?:bootstrap|core|pallet|user)\/[^/]+\/package\.toml$/;

/** Where the tree was: where it is now, else the only folder that holds whole recipes. */
async function locate(git: GitTree, commit: string, name: string): Promise<Located> {
  const here = await listFiles(git, commit);
  if (hasWholeRecipe(here)) return { prefix: git.prefix, files: here };
  const all = git.prefix === '' ? here : await listFiles(git, commit, '');
  const roots = new Set<string>();
  for (const { path } of all) {
    const root = IN_PACKAGES.exec(path)?.[1] ?? IN_STAGE.exec(path)?.[1];
    if (root !== undefined) roots.add(root);
  }
  const found = [...roots].filter((prefix) => hasWholeRecipe(below(all, prefix)));
  const [only] = found;
  if (only !== undefined && found.length === 1) return { prefix: only, files: below(all, only) };
  throw new ProblemError(noTree(name, git.prefix, found));
}

function below(files: readonly ListedFile[], prefix: string): ListedFile[] {
  return files.flatMap((file) =>
    file.path.startsWith(prefix) ? [{ ...file, path: file.path.slice(prefix.length) }] : [],
  );
}

function hasWholeRecipe(files: readonly ListedFile[]): boolean {
  const seen = new Set<string>();
  for (const { dir, path } of recipeEntries(files)) {
    const other =
      path === 'package.toml' ? 'Containerfile' : path === 'Containerfile' ? 'package.toml' : null;
    if (other === null) continue;
    if (seen.has(`${dir}/${other}`)) return true;
    seen.add(`${dir}/${path}`);
  }
  return false;
}

function noTree(name: string, prefix: string, elsewhere: readonly string[] = []): Problem {
  const where = prefix === '' ? '' : ` in ${prefix}`;
  const more = elsewhere.length > 1 ? `; there are several elsewhere: ${elsewhere.join(', ')}` : '';
  return inputProblem({
    code: 'no-tree-in-commit',
    text: `${name} has no tree of recipes${where}${more}.`,
    hint: 'A recipe is a folder <stage>/<name>/ with package.toml and Containerfile. Name a commit that has some.',
  });
}

async function readConfigAt(
  git: GitTree,
  commit: string,
  prefix: string,
  name: string,
  { env }: SessionOptions,
): Promise<End['config']> {
  const object = `${commit}:${prefix}${CONFIG_FILE}`;
  const bytes = (await readObjects(git, [object])).get(object) ?? null;
  return bytes === null ? NO_CONFIG : await parseTreeConfig(bytes, env, `${name}:${prefix}${CONFIG_FILE}`);
}

/** A submodule's files are in another repository; without them nothing can be said of the recipe. */
async function refuseSubmodules(git: GitTree, commit: string, prefix: string, name: string): Promise<void> {
  const scope = prefix === '' ? [] : ['--', prefix];
  const text = (await git.run(['ls-tree', '-r', '-z', '--full-tree', commit, ...scope])).toString('utf8');
  const links = text.split('\0').flatMap((row) => {
    const path = /^160000 commit [0-9a-f]+\t(.+)$/s.exec(row)?.[1];
    return path === undefined ? [] : [{ path: path.slice(prefix.length), mode: '0644' as const, id: '' }];
  });
  // The same question as for files, asked with the files: which layout it is depends on them.
  const inRecipes = recipeEntries([...(await listFiles(git, commit, prefix)), ...links]).filter(
    ({ id }) => id === '',
  );
  if (inRecipes.length === 0) return;
  throw new ProblemError(
    inRecipes.map(({ dir, path }) =>
      inputProblem({
        code: 'submodule-in-recipe',
        text: `${dir}/${path} is a submodule in ${name}: its files are not in this repository, so the recipe can not be compared.`,
        file: `${name}:${prefix}${dir}/${path}`,
      }),
    ),
  );
}

function missingObjects(name: string): Problem {
  return environmentProblem({
    code: 'missing-objects',
    text: `This clone does not have the contents of all recipes of ${name}.`,
    hint: 'It is a partial clone: bring them with `git fetch --refetch --no-filter`, or clone without --filter.',
  });
}

/** `v1:packages/core/a/Containerfile`, as git writes it. */
function placed(problem: Problem, name: string): Problem {
  return problem.file === undefined
    ? { ...problem, text: `In ${name}: ${problem.text}` }
    : { ...problem, file: `${name}:${problem.file}` };
}
