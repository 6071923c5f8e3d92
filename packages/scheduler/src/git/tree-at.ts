/**
 * A tree of recipes as it was in a commit, out of git's objects: nothing is checked out.
 *
 * Files are what scan.ts would find in a clean checkout of the commit: modes as git knows them, links by their target,
 * `fetch/` left out. Filters and line ends are not applied: where a checkout does, files differ and count as edited.
 */
import type { ContextFile } from '@stx-make/core/fingerprint/encode';
import { type LoadResult, loadTree } from '@stx-make/core/graph/load';
import type { RecipeFolder } from '@stx-make/core/graph/model';
import { digestOf } from '@stx-make/core/oci/digest';
import type { RecipeFiles } from '../plan/inputs.ts';
import { isStageName } from '../tree/find.ts';
import { type GitTree, readObjects } from './command.ts';

export interface TreeAt {
  readonly commit: string;
  /** Of the graph; its `tree` is null where the commit's recipes have errors. */
  readonly loaded: LoadResult;
  /** By recipe id, as `Workspace.filesOf`. */
  readonly files: ReadonlyMap<string, RecipeFiles>;
  /** git's object id by path, relative to the tree's root, of all files of recipes. */
  readonly ids: ReadonlyMap<string, string>;
  /** Files of recipes whose contents this clone does not have; relative to the tree's root. */
  readonly missing: readonly string[];
}

/** What is kept between commits: most of their files are the same. By git's object id. */
export type ObjectCache = Map<string, { readonly digest: ContextFile['digest']; readonly bytes: Buffer }>;

export interface TreeAtOptions {
  readonly platform: string;
  readonly allowedImages?: ReadonlySet<string> | undefined;
  readonly cache?: ObjectCache | undefined;
  /** Where the commit had the tree, as `GitTree.prefix`; where it is now when left out. */
  readonly prefix?: string | undefined;
}

/** @param commit a full id @throws ProblemError `git-failed` */
export async function loadTreeAt(git: GitTree, commit: string, options: TreeAtOptions): Promise<TreeAt> {
  const cache = options.cache ?? new Map();
  const entries = recipeEntries(await listFiles(git, commit, options.prefix));
  const missing = new Set(entries.map(({ id }) => id).filter((id) => !cache.has(id)));
  for (const [id, bytes] of await readObjects(git, [...missing])) {
    if (bytes !== null) cache.set(id, { digest: digestOf(bytes), bytes });
  }
  const ids = new Map<string, string>();
  const lost: string[] = [];
  const files = new Map<string, Map<string, ContextFile>>();
  const folders = new Map<string, { -readonly [K in keyof RecipeFolder]: RecipeFolder[K] }>();
  for (const { stage, name, dir, path, mode, id } of entries) {
    const object = cache.get(id);
    // Missing in a partial clone: the recipe is then another one than in the work tree, and counts as edited.
    if (object === undefined) {
      lost.push(`${dir}/${path}`);
      continue;
    }
    ids.set(`${dir}/${path}`, id);
    const recipe = `${stage}/${name}`;
    const known = files.get(recipe) ?? new Map<string, ContextFile>();
    files.set(recipe, known);
    known.set(path, { path, mode, digest: object.digest });
    const folder = folders.get(recipe) ?? { stage, name, dir, packageToml: null, containerfile: null };
    folders.set(recipe, folder);
    if (path === 'package.toml') folder.packageToml = object.bytes;
    else if (path === 'Containerfile') folder.containerfile = object.bytes;
  }
  const recipes = [...folders.values()].filter(
    ({ packageToml, containerfile }) => packageToml !== null || containerfile !== null,
  );
  const loaded = await loadTree(recipes, options);
  return { commit, loaded, files, ids, missing: lost };
}

export interface ListedFile {
  /** Relative to the tree's root. */
  readonly path: string;
  readonly mode: ContextFile['mode'];
  readonly id: string;
}

/** All files below a prefix, where the tree is now when left out; paths relative to it. Submodules are no files. */
export async function listFiles(
  git: GitTree,
  commit: string,
  prefix: string = git.prefix,
): Promise<ListedFile[]> {
  const scope = prefix === '' ? [] : ['--', prefix];
  const text = (await git.run(['ls-tree', '-r', '-z', '--full-tree', commit, ...scope])).toString('utf8');
  const files: ListedFile[] = [];
  for (const row of text.split('\0')) {
    const [, bits, id, path] = /^([0-7]{6}) blob ([0-9a-f]+)\t(.+)$/s.exec(row) ?? [];
    if (bits === undefined || id === undefined || path === undefined) continue;
    files.push({
      path: path.slice(prefix.length),
      id,
      mode: bits === '120000' ? 'link' : bits === '100755' ? '0755' : '0644',
    });
  }
  return files;
}

export interface RecipeEntry extends ListedFile {
  readonly stage: string;
  readonly name: string;
  readonly dir: string;
}

/** The files of recipe folders, wherever this commit had them: `packages/<stage>/<name>/` or `<stage>/<name>/`. */
export function recipeEntries(files: readonly ListedFile[]): RecipeEntry[] {
  const isRecipeFile = /^packages\/[^./][^/]*\/[^./][^/]*\/(package\.toml|Containerfile)$/;
  const base = files.some(({ path }) => isRecipeFile.test(path)) ? 'packages/' : '';
  return files.flatMap((file) => {
    if (!file.path.startsWith(base)) return [];
    const [stage = '', name = '', ...rest] = file.path.slice(base.length).split('/');
    const path = rest.join('/');
    if (path === '' || rest[0] === 'fetch' || stage.startsWith('.') || name.startsWith('.')) return [];
    if (base === '' && !isStageName(stage)) return [];
    return [{ ...file, stage, name, dir: `${base}${stage}/${name}`, path }];
  });
}
