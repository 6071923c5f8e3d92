/**
 * The head of a tree of which a few recipes were edited, from the head it had: nothing else is read.
 *
 * Only for edits that no other recipe can see. All else, and whatever is wrong, is for load.ts: it looks at the whole
 * tree and says so.
 */
import type { Problem } from '../errors.ts';
import type { RecipeFacts } from '../recipe/facts.ts';
import { targetsOf } from '../recipe/targets.ts';
import type { TreeNames } from './edges.ts';
import { type LoadOptions, linksOf, sortProblems } from './load.ts';
import type { LoadedTree } from './model.ts';
import type { RecipeReader } from './reader.ts';
import { type LinkedTarget, type TreeHead, withLinks } from './snapshot.ts';

export interface EditedRecipe {
  /** What its folder said before. */
  readonly before: RecipeFacts;
  readonly reader: RecipeReader;
}

/** `tree`: that of the head, for what its targets are built for. Null where the whole tree must be looked at. */
export function patchHead(
  head: TreeHead,
  tree: LoadedTree,
  edited: readonly EditedRecipe[],
  options: LoadOptions,
): TreeHead | null {
  const names: TreeNames = {
    targets: tree.graph.targets,
    split: new Map(),
    skipped: new Map(),
    broken: new Set(),
    allowedImages: options.allowedImages ?? new Set(),
    meanings: new Map(),
  };
  const problems: Problem[] = [];
  const links: LinkedTarget[] = [];
  for (const { before, reader } of edited) {
    const facts = reader.facts();
    const visible = visibleIn(facts);
    if (facts.recipe === null || visible === null || visible !== visibleIn(before)) return null;
    problems.push(...facts.problems);
    for (const target of targetsOf(facts.recipe, options.platform)) {
      links.push(linksOf(target, reader, names, problems));
    }
    reader.settle();
  }
  if (problems.some(({ level }) => level === 'error')) return null;
  const files = new Set(
    edited.flatMap(({ reader: { dir } }) => RECIPE_FILES.map((file) => `${dir}/${file}`)),
  );
  const others = head.warnings.filter(({ file }) => !files.has(file ?? ''));
  return withLinks(head, links, sortProblems([...others, ...problems]));
}

const RECIPE_FILES = ['package.toml', 'Containerfile'];

/** All that others can see of a recipe; null where it sees others itself: it takes its version from one of them. */
function visibleIn({ recipe, gives }: RecipeFacts): string | null {
  if (recipe === null || recipe.versionFrom !== null) return null;
  return JSON.stringify([gives, recipe.version, recipe.platforms, recipe.subpackages]);
}
