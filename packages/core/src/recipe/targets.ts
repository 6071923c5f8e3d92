/**
 * From recipes to targets: versions taken from elsewhere, names, tags, platforms and build args.
 *
 * Unaware of Containerfiles and edges.
 */
import { inputProblem, type Problem } from '../errors.ts';
import { buildArgsOf } from './build-args.ts';
import type { RecipeFacts } from './facts.ts';
import { FileProblems } from './fields.ts';
import type { Recipe, Target } from './model.ts';
import { givenBy } from './read.ts';
import { expandSources } from './sources.ts';

/** Fills in what waited for the version of another recipe. `version`: what `version_from` gave. */
export function completeRecipe(
  facts: RecipeFacts,
  version: string | null,
): { readonly recipe: Recipe | null; readonly problems: readonly Problem[] } {
  const { recipe, pending } = facts;
  if (recipe === null || recipe.versionFrom === null) return { recipe, problems: [] };
  const problems = new FileProblems(`${recipe.dir}/package.toml`);
  const sources = expandSources(pending, version, problems);
  return { recipe: problems.failed ? null : { ...recipe, version, sources }, problems: problems.list };
}

/** The targets of a complete recipe, in the order of its subpackages. `platform`: the user's. */
export function targetsOf(recipe: Recipe, platform: string): Target[] {
  const { stage, name, subpackages } = recipe;
  const buildArgs = buildArgsOf(recipe);
  const platforms = recipe.platforms.length > 0 ? recipe.platforms : [platform];
  return givenBy(stage, name, subpackages).map((target, index) => {
    const subpackage = subpackages[index];
    return {
      name: target,
      stage,
      recipe,
      buildTarget: subpackage === undefined ? null : `package-${subpackage}`,
      platforms,
      tag: `stagex/${target}:${recipe.version ?? 'latest'}`,
      buildArgs,
    };
  });
}

/** Targets that more than one recipe gives: an error at the second and every further place, naming the first.
 * Recipes count in the order of their ids. */
export function duplicateTargets(all: readonly RecipeFacts[]): Problem[] {
  const first = new Map<string, string>();
  const problems: Problem[] = [];
  for (const { recipe, gives, places } of all) {
    if (recipe === null) continue;
    const file = `${recipe.dir}/package.toml`;
    for (const [index, name] of gives.entries()) {
      const place = places.gives[index] ?? null;
      const here = place === null ? file : `${file}:${place.line}`;
      const other = first.get(name);
      if (other === undefined) first.set(name, here);
      else {
        const text = `target ${name} is given here and by ${other}`;
        problems.push(inputProblem({ code: 'duplicate-target', text, file, ...place }));
      }
    }
  }
  return problems;
}
