/**
 * A tree as the property tests think of it: recipes as plain data, and the texts they are written as.
 *
 * Own rules for names, versions and build args (shared/stagex/README.md), written anew: shares no code with packages/.
 */
import type { MiniFile } from './mini-image.ts';
import { sha } from './mini-image.ts';

export interface ModelSource {
  readonly key: string;
  readonly version: string | null;
  readonly file: string;
  readonly content: string;
  readonly mirror: string;
  readonly gitSha: string | null;
}

export type Step =
  | {
      readonly kind: 'need';
      readonly target: string;
      readonly form: 'copy' | 'mount';
      readonly tag: '' | ':latest';
    }
  | { readonly kind: 'copy'; readonly pattern: string }
  | { readonly kind: 'add'; readonly file: string }
  | { readonly kind: 'mix'; readonly scope: string; readonly bits: number; readonly args: readonly string[] }
  | { readonly kind: 'fail' };

/** What one target is made of. */
export interface Part {
  /** Target name without its stage; the recipe's own where it has no subpackages. */
  readonly name: string;
  /** What the build stage and the package stage start from: a target, or null for scratch. */
  readonly buildBase: string | null;
  readonly base: string | null;
  readonly steps: readonly Step[];
  /** What the package stage takes of the build: results only, or everything. */
  readonly takes: '/out' | '.';
  readonly env: string | null;
}

export interface ModelRecipe {
  readonly stage: string;
  readonly name: string;
  /** Recipes need only such with a lower rank. */
  readonly rank: number;
  readonly version: string | null;
  /** A target's name. */
  readonly versionFrom: string | null;
  readonly platforms: readonly string[];
  readonly sources: readonly ModelSource[];
  readonly files: ReadonlyMap<string, MiniFile>;
  readonly parts: readonly Part[];
  /** Its parts are subpackages. */
  readonly split: boolean;
  /** A last build stage that only a build without `--target` takes. */
  readonly decoy: boolean;
  /** Words that no build can see. */
  readonly licence: string;
  readonly remark: string;
}

/** By `<stage>/<name>`. */
export type Model = ReadonlyMap<string, ModelRecipe>;

export function idOf(recipe: Pick<ModelRecipe, 'stage' | 'name'>): string {
  return `${recipe.stage}/${recipe.name}`;
}

export function targetOf(recipe: ModelRecipe, part: Part): string {
  return `${recipe.stage}-${part.name}`;
}

export function targetsOf(recipe: ModelRecipe): string[] {
  return recipe.parts.map((part) => targetOf(recipe, part));
}

/** The version that counts. */
export function versionOf(model: Model, recipe: ModelRecipe): string | null {
  if (recipe.versionFrom === null) return recipe.version;
  const from = [...model.values()].find((other) => targetsOf(other).includes(recipe.versionFrom ?? ''));
  return from?.version ?? null;
}

/** What a target starts from: all of that image is seen. A decoy is built instead of the package stage. */
export function basesOf(recipe: ModelRecipe, part: Part): string[] {
  const bases = recipe.decoy && !recipe.split ? [part.buildBase] : [part.buildBase, part.base];
  return [...new Set(bases.filter((base) => base !== null))];
}

/** All that a target needs, by target name. */
export function needsOf(recipe: ModelRecipe, part: Part): string[] {
  const needs = part.steps.flatMap((step) => (step.kind === 'need' ? [step.target] : []));
  return [...new Set([...needs, ...basesOf(recipe, part)])].sort();
}

/** Every file of the recipe's folder. */
export function filesOf(recipe: ModelRecipe): Map<string, MiniFile> {
  return new Map<string, MiniFile>([
    ...recipe.files,
    ['package.toml', { mode: '0644', content: packageToml(recipe) }],
    ['Containerfile', { mode: '0644', content: containerfile(recipe) }],
  ]);
}

function packageToml(recipe: ModelRecipe): string {
  const lines = ['[package]', `name = "${recipe.name}"`, `license = "${recipe.licence}"`];
  if (recipe.version !== null) lines.push(`version = "${recipe.version}"`);
  if (recipe.versionFrom !== null) lines.push(`version_from = "${recipe.versionFrom}"`);
  if (recipe.platforms.length > 0) lines.push(`platforms = ${JSON.stringify(recipe.platforms)}`);
  if (recipe.split) lines.push(`subpackages = ${JSON.stringify(recipe.parts.map(({ name }) => name))}`);
  for (const source of recipe.sources) {
    lines.push(`[sources.${source.key}]`, `hash = "${sha(source.content).slice(7)}"`);
    if (source.version !== null) lines.push(`version = "${source.version}"`);
    if (source.gitSha !== null) lines.push(`git_sha = "${source.gitSha}"`);
    lines.push(`file = "${source.file}"`, `mirrors = ["https://${source.mirror}/{file}"]`);
  }
  return `${lines.join('\n')}\n`;
}

function containerfile(recipe: ModelRecipe): string {
  const stages = recipe.parts.map((part, place) => buildStages(recipe, part, place));
  const [first] = recipe.parts;
  if (recipe.decoy && first !== undefined) stages.push(`FROM build-${first.name} AS package\nENV LAST=yes`);
  return `${recipe.remark === '' ? '' : `# ${recipe.remark}\n`}${stages.join('\n')}\n`;
}

function buildStages(recipe: ModelRecipe, part: Part, place: number): string {
  const image = (target: string | null): string => (target === null ? 'scratch' : `stagex/${target}`);
  const args = new Set(part.steps.flatMap((step) => (step.kind === 'mix' ? step.args : [])));
  const lines = [`FROM ${image(part.buildBase)} AS build-${part.name}`];
  for (const arg of [...args].sort()) lines.push(`ARG ${arg}`);
  for (const [at, step] of part.steps.entries()) lines.push(...stepLines(recipe, step, `${place}-${at}`));
  lines.push(`FROM ${image(part.base)} AS package-${part.name}`);
  lines.push(`COPY --from=build-${part.name} ${part.takes} /`);
  if (part.env !== null) lines.push(`ENV E=${part.env}`);
  return lines.join('\n');
}

function stepLines(recipe: ModelRecipe, step: Step, place: string): string[] {
  switch (step.kind) {
    case 'need': {
      const image = `stagex/${step.target}${step.tag}`;
      if (step.form === 'copy') return [`COPY --from=${image} . /`];
      return [`RUN --mount=type=bind,from=${image},target=/mnt mix m${place} / 64`];
    }
    case 'copy':
      return [`COPY ${step.pattern} /src/`];
    case 'add':
      return recipe.sources.some(({ file }) => file === step.file) ? [`ADD fetch/${step.file} /fetch/`] : [];
    case 'mix':
      return [['RUN mix', `${recipe.name}-${place}`, step.scope, step.bits, ...step.args].join(' ')];
    case 'fail':
      return ['RUN false'];
    default:
      return step satisfies never;
  }
}

export function buildArgsOf(model: Model, recipe: ModelRecipe): Record<string, string> {
  const args: Record<string, string> = {
    SOURCE_DATE_EPOCH: '1',
    BUILDKIT_MULTI_PLATFORM: '1',
    BUILDKIT_DOCKERFILE_CHECK: 'skip=FromPlatformFlagConstDisallowed;error=true',
  };
  const version = versionOf(model, recipe);
  if (version !== null) {
    const [major = '', minor] = version.split('.');
    args['VERSION'] = version;
    args['VERSION_UNDER'] = version.split('.').join('_');
    args['VERSION_DASH'] = version.split('.').join('-');
    args['VERSION_MAJOR'] = major;
    args['VERSION_STRIP_SUFFIX'] = version.replace(/-.*$/, '');
    if (minor !== undefined) args['VERSION_MAJOR_MINOR'] = `${major}.${minor}`;
  }
  for (const source of recipe.sources) {
    const name = source.key.toUpperCase();
    if (source.version !== null) {
      args[`${name}_VERSION`] = source.version;
      args[`${name}_SOURCE`] = source.file;
    }
    if (source.gitSha !== null) args[`${name}_GIT_SHA`] = source.gitSha;
  }
  return args;
}
