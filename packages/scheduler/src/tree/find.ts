/**
 * Finds the root of a tree: a folder with recipes `packages/<stage>/<name>/` in it, or `<stage>/<name>/`
 * directly in it, or one whose `recipes/` is such a folder.
 *
 * Looks at names only; reads no recipe.
 */
import { readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { inputProblem, ProblemError } from '@stx-make/core/errors';
import { byCodeUnit } from '@stx-make/core/order';

/** Folders of a tree's root that are never a stage. */
const NOT_STAGES = new Set([
  'out',
  'fetch',
  'digests',
  'signatures',
  'sources',
  'node_modules',
  'src',
  'dist',
]);

/** Whether a folder of the root can be a stage where there is no packages/. */
export function isStageName(name: string): boolean {
  return !name.startsWith('.') && !NOT_STAGES.has(name);
}

/** Either file makes a folder a recipe's; whether both are there is checked when it is read. */
const RECIPE_FILES = ['package.toml', 'Containerfile'] as const;

export interface FoundTree {
  /** Real path. */
  readonly root: string;
  /** The folder of the stages, relative to the root: `packages` or the empty string. */
  readonly base: string;
  readonly fellBack: boolean;
}

export interface FindOptions {
  readonly cwd: string;
  readonly root?: string | undefined;
  readonly fallbackRoot?: string | undefined;
}

/**
 * `root` where given, else upwards from `cwd`, else `fallbackRoot`.
 * @throws ProblemError `no-tree` (input)
 */
export function findTree(options: FindOptions): FoundTree {
  if (options.root !== undefined && options.root !== '') {
    const asked = resolve(options.cwd, options.root);
    const found = treeAt(asked, () => true) ?? treeAt(join(asked, 'recipes'), () => true);
    if (found !== null) return found;
    throw new ProblemError(
      inputProblem({
        code: 'no-tree',
        text: `${asked} holds no recipes.`,
        hint: 'A tree is a folder with packages/<stage>/<name>/{package.toml,Containerfile} or <stage>/<name>/{...} in it.',
      }),
    );
  }
  for (let folder = resolve(options.cwd); ; folder = dirname(folder)) {
    // `packages` itself looks like a root of the second kind; its parent is meant.
    if (basename(folder) !== 'packages') {
      const found = treeAt(folder, isKnownStage) ?? treeAt(join(folder, 'recipes'), isKnownStage);
      if (found !== null) return found;
    }
    if (dirname(folder) === folder) break;
  }
  const fallback = options.fallbackRoot ? treeAt(resolve(options.fallbackRoot), () => true) : null;
  if (fallback !== null) return { ...fallback, fellBack: true };
  throw new ProblemError(
    inputProblem({
      code: 'no-tree',
      text: `${options.cwd} is not inside a tree of recipes.`,
      hint: 'Go into a StageX checkout, or name one with --root DIR.',
    }),
  );
}

/** The stages there are (DESIGN.md); only they make a folder without packages/ a tree when walking upwards. */
function isKnownStage(name: string): boolean {
  return name === 'bootstrap' || name === 'core' || name === 'pallet' || name === 'user';
}

function treeAt(folder: string, isStage: (name: string) => boolean): FoundTree | null {
  // Under packages/ any stage name will do: nothing else has that shape.
  if (hasRecipes(join(folder, 'packages'), () => true)) {
    return { root: realpathSync(folder), base: 'packages', fellBack: false };
  }
  if (hasRecipes(folder, isStage)) return { root: realpathSync(folder), base: '', fellBack: false };
  return null;
}

function hasRecipes(folder: string, isStage: (name: string) => boolean): boolean {
  return subfolders(folder).some(
    (stage) =>
      isStage(stage) &&
      !NOT_STAGES.has(stage) &&
      subfolders(join(folder, stage)).some((name) => isRecipe(join(folder, stage, name))),
  );
}

/** Whether a folder holds a recipe, or half of one. */
export function isRecipe(folder: string): boolean {
  return RECIPE_FILES.some((file) => isFile(join(folder, file)));
}

/** `[stage, name]` of every folder two levels below `base`, sorted by code unit. Hidden ones and those that are
 * never a stage are left out; whether they are recipes is not looked at. */
export function recipeCandidates(root: string, base: string): [stage: string, name: string][] {
  const folder = join(root, base);
  const found: [string, string][] = [];
  for (const stage of subfolders(folder)) {
    if (base === '' && NOT_STAGES.has(stage)) continue;
    for (const name of subfolders(join(folder, stage))) found.push([stage, name]);
  }
  return found;
}

/** Names of real subfolders (links to folders too), sorted, hidden ones left out; empty where it can not be read. */
function subfolders(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter(
        (entry) =>
          !entry.name.startsWith('.') &&
          (entry.isDirectory() || (entry.isSymbolicLink() && isFolder(join(folder, entry.name)))),
      )
      .map((entry) => entry.name)
      .sort(byCodeUnit);
  } catch {
    return [];
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
