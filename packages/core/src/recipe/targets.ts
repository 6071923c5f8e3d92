/**
 * From recipes to targets: versions taken from elsewhere, names, tags, platforms and build args.
 *
 * The build args are exactly those of shared/stagex/README.md ("What upstream passes to each build"). Unaware of
 * Containerfiles and edges.
 */
import { inputProblem, type Problem } from '../errors.ts';
import { byCodeUnit } from '../order.ts';
import type { RecipeFacts } from './facts.ts';
import { FileProblems } from './fields.ts';
import type { Recipe, Target } from './model.ts';
import { givenBy } from './read.ts';
import { expandSources } from './sources.ts';
import { versionForms } from './version.ts';

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

/** Passed to every build. */
const FIXED_ARGS: Readonly<Record<string, string>> = {
  BUILDKIT_DOCKERFILE_CHECK: 'skip=FromPlatformFlagConstDisallowed;error=true',
  BUILDKIT_MULTI_PLATFORM: '1',
  SOURCE_DATE_EPOCH: '1',
};

/** Keys sorted by code unit. */
export function buildArgsOf({ version, sources }: Recipe): Record<string, string> {
  const args: [string, string][] = Object.entries(FIXED_ARGS);
  if (version !== null) {
    const forms = versionForms(version);
    args.push(
      ['VERSION', forms.version],
      ['VERSION_UNDER', forms.under],
      ['VERSION_DASH', forms.dash],
      ['VERSION_MAJOR', forms.major],
      ['VERSION_STRIP_SUFFIX', forms.stripSuffix],
    );
    // Upstream passes the word None for a version without a dot; no Containerfile reads it.
    if (forms.majorMinor !== null) args.push(['VERSION_MAJOR_MINOR', forms.majorMinor]);
  }
  for (const source of sources) {
    const prefix = source.name.toUpperCase();
    if (source.version !== null) {
      args.push([`${prefix}_VERSION`, source.version], [`${prefix}_SOURCE`, source.file]);
    }
    if (source.gitSha !== null) args.push([`${prefix}_GIT_SHA`, source.gitSha]);
  }
  return Object.fromEntries(args.sort(([a], [b]) => byCodeUnit(a, b)));
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
