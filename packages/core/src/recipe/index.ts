/**
 * Recipes: package.toml read and checked, versions resolved, targets and their build args.
 */
export { buildArgsOf } from './build-args.ts';
export { FACTS_VERSION, type RecipeFacts, type SourceDraft } from './facts.ts';
export type { Recipe, Source, Target } from './model.ts';
export { didYouMean, listed, nearestNames } from './nearest.ts';
export { platformFault, samePlatform } from './platform.ts';
export { readRecipe } from './read.ts';
export { completeRecipe, duplicateTargets, targetsOf } from './targets.ts';
export { parseToml, type TomlDocument, type TomlPath, type TomlResult } from './toml.ts';
export { decodeUtf8, Lines, type Place, placeAt } from './utf8.ts';
export { type VersionForms, versionForms } from './version.ts';
export { type ResolvedVersions, resolveVersions } from './versions.ts';
