/**
 * What rules look at: one recipe folder with everything that can be read out of it, also where the tree has errors
 * elsewhere. A folder that is no recipe for want of a package.toml is a subject, too.
 *
 * Unaware of rules.
 */
import { parseContainerfile, resolveContainerfile } from '../containerfile/index.ts';
import type { ParsedContainerfile } from '../containerfile/instructions.ts';
import type { ResolvedContainerfile } from '../containerfile/model.ts';
import { ProblemError } from '../errors.ts';
import type { RecipeFolder } from '../graph/model.ts';
import { GIVEN_CONTEXTS } from '../graph/reader.ts';
import {
  completeRecipe,
  parseToml,
  type Recipe,
  type RecipeFacts,
  readRecipe,
  resolveVersions,
  type TomlDocument,
  targetsOf,
} from '../recipe/index.ts';

export interface Subject {
  readonly folder: RecipeFolder;
  readonly facts: RecipeFacts;
  /** With its version and sources; null where the folder is skipped or package.toml has errors. */
  readonly recipe: Recipe | null;
  /** Null where package.toml is missing or no TOML. */
  readonly document: TomlDocument | null;
  /** Null where it is missing or BuildKit's parser would refuse it. */
  readonly parsed: ParsedContainerfile | null;
  /** For every target of the recipe and every platform it could be built for; of a folder without targets, once for
   * its last build stage. Empty where it can not be told. */
  readonly resolved: readonly ResolvedContainerfile[];
  /** Those among them for platforms that the tree as it stands is built for. */
  readonly asked: readonly ResolvedContainerfile[];
  /** Some target and platform could not be resolved: what nobody reaches can not be told. */
  readonly partial: boolean;
}

/** Containerfiles that ask for the platform are looked at for each of these: what one platform does not reach
 * another may. The architectures BuildKit's own binaries are released for. */
const PLATFORMS = [
  'linux/386',
  'linux/amd64',
  'linux/arm/v7',
  'linux/arm64',
  'linux/ppc64le',
  'linux/riscv64',
  'linux/s390x',
];

const ASKS_PLATFORM = /(TARGET|BUILD)(PLATFORM|ARCH|OS|VARIANT)/;

/** The subjects of a tree, in the order of the folders. `platform`: the user's. */
export function subjectsOf(folders: readonly RecipeFolder[], platform: string): Subject[] {
  const read = folders.map((folder) => ({ folder, facts: readRecipe(folder) }));
  const { versions } = resolveVersions(read.map(({ facts }) => facts));
  return read.map(({ folder, facts }) => {
    const version = facts.recipe === null ? undefined : versions.get(facts.recipe.id);
    const recipe = version === undefined ? null : completeRecipe(facts, version).recipe;
    const parsed = parse(folder);
    return {
      folder,
      facts,
      recipe,
      document: documentOf(folder),
      parsed,
      ...resolveAll(folder, recipe, parsed, platform),
    };
  });
}

function documentOf({ packageToml, dir }: RecipeFolder): TomlDocument | null {
  return packageToml === null ? null : parseToml(packageToml, `${dir}/package.toml`).document;
}

function parse({ containerfile, dir }: RecipeFolder): ParsedContainerfile | null {
  return containerfile === null
    ? null
    : orNull(() => parseContainerfile(containerfile, `${dir}/Containerfile`));
}

function resolveAll(
  { containerfile }: RecipeFolder,
  recipe: Recipe | null,
  parsed: ParsedContainerfile | null,
  platform: string,
): Pick<Subject, 'resolved' | 'asked' | 'partial'> {
  if (parsed === null || containerfile === null) return { resolved: [], asked: [], partial: true };
  const asks = ASKS_PLATFORM.test(new TextDecoder().decode(containerfile));
  const wanted =
    recipe === null
      ? [{ buildTarget: null, platforms: [platform], buildArgs: {} }]
      : targetsOf(recipe, platform).map((target) => ({
          ...target,
          // Where the recipe names its platforms nobody else can choose.
          platforms: asks && recipe.platforms.length === 0 ? [platform, ...PLATFORMS] : target.platforms,
        }));
  const resolved: ResolvedContainerfile[] = [];
  const own: ResolvedContainerfile[] = [];
  let partial = false;
  for (const { buildTarget, platforms, buildArgs } of wanted) {
    for (const each of new Set(platforms)) {
      const one = orNull(() =>
        resolveContainerfile(parsed, {
          target: buildTarget,
          platform: each,
          buildArgs,
          contexts: GIVEN_CONTEXTS,
        }),
      );
      if (one === null) partial = true;
      else resolved.push(one);
      const given = recipe === null || recipe.platforms.length === 0 ? [platform] : recipe.platforms;
      if (one !== null && given.includes(each)) own.push(one);
    }
  }
  return { resolved, asked: own, partial };
}

/** Null for what loading the tree reports as a problem. */
function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof ProblemError) return null;
    throw error;
  }
}
