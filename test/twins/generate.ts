/**
 * Makes a shape twin of the StageX tree: the same recipes, targets and edges, with payloads of a few bytes.
 *
 * `plain`: dependencies reach only the build stage, so an output depends on its own payload alone and a change
 * stops one level above. `through`: package stages start from what the real ones start from and pallets carry their
 * dependencies, so changes carry through. Facts of the tree are data; no build step of it is here.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type TwinShape = 'plain' | 'through';

export interface TwinTarget {
  readonly deps: readonly string[];
  readonly base?: string;
}

export interface TwinRecipe {
  readonly stage: string;
  readonly name: string;
  readonly version?: string;
  readonly version_from?: string;
  readonly platforms?: readonly string[];
  readonly subpackages?: readonly string[];
  /** By target name without its stage. */
  readonly targets: Readonly<Record<string, TwinTarget>>;
}

/** The facts of release 2026.03.0: 443 recipes, 513 targets, 3,569 edges. */
export function stagexShape(): readonly TwinRecipe[] {
  const file = new URL('./stagex-2026.03.0.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { recipes: TwinRecipe[] }).recipes;
}

export interface ShapedTarget {
  readonly name: string;
  readonly stage: string;
  readonly dependencies: readonly string[];
}

/** The targets of the shape with what each needs, sorted: 513, with 3,569 links. */
export function stagexTargets(): readonly ShapedTarget[] {
  return stagexShape()
    .flatMap(({ stage, targets }) =>
      Object.entries(targets).map(([name, { deps }]) => ({
        name: `${stage}-${name}`,
        stage,
        dependencies: [...new Set(deps)].sort(),
      })),
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Writes the twin to `root` (as `packages/<stage>/<name>/`), which must not hold one yet. */
export function writeTwin(
  root: string,
  shape: TwinShape,
  recipes: readonly TwinRecipe[] = stagexShape(),
): void {
  for (const recipe of recipes) {
    const folder = join(root, 'packages', recipe.stage, recipe.name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.toml'), packageToml(recipe));
    writeFileSync(join(folder, 'Containerfile'), containerfile(recipe, shape));
    writeFileSync(join(folder, 'payload'), `${recipe.stage}-${recipe.name}\n`);
  }
}

function packageToml(recipe: TwinRecipe): string {
  const lines = ['[package]', `name = "${recipe.name}"`];
  if (recipe.version !== undefined) lines.push(`version = "${recipe.version}"`);
  if (recipe.version_from !== undefined) lines.push(`version_from = "${recipe.version_from}"`);
  lines.push(`description = "Shape twin of ${recipe.stage}/${recipe.name}"`, 'license = "0BSD"');
  if (recipe.platforms !== undefined) lines.push(`platforms = ${JSON.stringify(recipe.platforms)}`);
  if (recipe.subpackages !== undefined) lines.push(`subpackages = ${JSON.stringify(recipe.subpackages)}`);
  return `${lines.join('\n')}\n`;
}

function containerfile(recipe: TwinRecipe, shape: TwinShape): string {
  return Object.entries(recipe.targets)
    .map(([name, target]) => buildStages(recipe, name, target, shape))
    .join('\n');
}

function buildStages(recipe: TwinRecipe, name: string, target: TwinTarget, shape: TwinShape): string {
  const base = shape === 'through' ? target.base : undefined;
  const copies = target.deps
    .filter((dependency) => dependency !== base)
    .map((dependency) => `COPY --from=stagex/${dependency} . /`);
  const own = `/${recipe.stage}-${name}`;
  const from = base === undefined ? 'scratch' : `stagex/${base}`;
  if (shape === 'through' && recipe.stage === 'pallet') {
    return [`FROM ${from}`, ...copies, `COPY payload ${own}`, ''].join('\n');
  }
  const suffix = recipe.subpackages === undefined ? '' : `-${name}`;
  return [
    `FROM scratch AS build${suffix}`,
    ...copies,
    `COPY payload /rootfs${own}`,
    `FROM ${from} AS package${suffix}`,
    `COPY --from=build${suffix} /rootfs/ /`,
    '',
  ].join('\n');
}

/**
 * What must be built when the payload of `recipe` changes, by a model of what each output holds: a target is
 * rebuilt when it changed itself or when what it sees of a dependency did; its output changes when its payload
 * did, or what it starts from, or (a pallet of the through twin) what it carries.
 */
export function expectedBuilds(
  changed: string,
  shape: TwinShape,
  recipes: readonly TwinRecipe[] = stagexShape(),
): Set<string> {
  const targets = recipes.flatMap((recipe) =>
    Object.entries(recipe.targets).map(([name, target]) => ({
      recipe,
      name: `${recipe.stage}-${name}`,
      target,
    })),
  );
  const built = new Set<string>();
  const differs = new Set<string>();
  // Passes until nothing is added: simple, and shares no code with what it judges.
  for (let before = -1; before !== built.size + differs.size; ) {
    before = built.size + differs.size;
    for (const { recipe, name, target } of targets) {
      const own = `${recipe.stage}/${recipe.name}` === changed;
      if (own || target.deps.some((dependency) => differs.has(dependency))) built.add(name);
      const carries = shape === 'through' && recipe.stage === 'pallet' ? target.deps : [];
      const starts = shape === 'through' && target.base !== undefined ? [target.base] : [];
      if (own || [...carries, ...starts].some((dependency) => differs.has(dependency))) differs.add(name);
    }
  }
  return built;
}
