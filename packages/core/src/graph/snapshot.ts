/**
 * The head of a loaded tree: what its targets are and what each of them needs, in few bytes. With a reader of each
 * recipe it is the whole tree: what else a target is made of is read when somebody asks for it, so a tree of ten
 * thousand targets costs little, and nobody who needs no target of it need read even that.
 *
 * Unaware of where it lies.
 */
import type { ResolvedContainerfile } from '../containerfile/model.ts';
import type { Problem } from '../errors.ts';
import { digestOf } from '../oci/digest.ts';
import type { Digest } from '../oci/model.ts';
import { byCodeUnit } from '../order.ts';
import { buildArgsOf } from '../recipe/build-args.ts';
import { FACTS_VERSION } from '../recipe/facts.ts';
import type { Recipe, Target } from '../recipe/model.ts';
import { orderTargets } from './build-order.ts';
import type { HashedFolder } from './cache.ts';
import type { LoadOptions } from './load.ts';
import type { Edge, GraphTarget, LoadedTree } from './model.ts';
import { edgesAgain } from './places.ts';
import type { RecipeReader } from './reader.ts';

/** Raised when the shape of the head changes; what recipes say is versioned by FACTS_VERSION. */
const SNAPSHOT_VERSION = 5;

/** The hash of all recipes a tree has, in any order. */
export function recipesKey(folders: readonly Omit<HashedFolder, 'read'>[]): Digest {
  const rows = folders
    .map(({ stage, name, dir, packageToml, containerfile }) =>
      JSON.stringify([dir, stage, name, packageToml, containerfile]),
    )
    .sort(byCodeUnit);
  return digestOf(rows.join('\n'));
}

/** Everything that decides what a tree loads to. `recipes`: its recipesKey; `program`: as for RecipeCache. */
export function treeKey(recipes: Digest, { platform, allowedImages }: LoadOptions, program = ''): string {
  const images = [...(allowedImages ?? [])].sort(byCodeUnit);
  return JSON.stringify([SNAPSHOT_VERSION, FACTS_VERSION, program, platform, images, recipes]);
}

/** How BuildKit asks, for which target. */
type Contexts = readonly (readonly [image: string, target: string])[];

/** Plain JSON. Targets and recipes are named by their places in the lists. */
export interface TreeHead {
  readonly warnings: readonly Problem[];
  /** Folders of the recipes that give targets, by id; the recipe itself where what its folder says was not all. */
  readonly recipes: readonly (readonly [dir: string, recipe?: Recipe])[];
  /** Sorted. */
  readonly names: readonly string[];
  /** Of each target: its recipe, what it needs. */
  readonly targets: readonly (readonly [recipe: number, dependencies: readonly number[]])[];
  /** Of targets whose contexts are not `stagex/<dependency>` alone. */
  readonly contexts: Readonly<Record<number, Contexts>>;
  readonly order: readonly number[];
}

/** What a head says of one target. */
export type LinkedTarget = Pick<GraphTarget, 'name' | 'dependencies' | 'contextNames'>;

/** @param targets sorted by name, with the place of their recipe */
export function headOf(
  recipes: TreeHead['recipes'],
  targets: readonly (LinkedTarget & { readonly recipe: number })[],
  order: readonly string[],
  warnings: readonly Problem[],
): TreeHead {
  const places = new Map(targets.map(({ name }, place) => [name, place]));
  const contexts: Record<number, Contexts> = {};
  for (const [place, target] of targets.entries()) {
    if (!hasUsualContexts(target)) contexts[place] = [...target.contextNames];
  }
  return {
    warnings,
    recipes,
    names: targets.map(({ name }) => name),
    targets: targets.map(({ recipe, dependencies }) => [recipe, placesOf(places, dependencies)]),
    contexts,
    order: placesOf(places, order),
  };
}

/** The head where these targets need something else, null where they then need each other. */
export function withLinks(
  head: TreeHead,
  links: readonly LinkedTarget[],
  warnings: readonly Problem[],
): TreeHead | null {
  const { names } = head;
  const places = new Map(names.map((name, place) => [name, place]));
  const targets = [...head.targets];
  const contexts: Record<number, Contexts> = { ...head.contexts };
  let { order } = head;
  let linksDiffer = false;
  for (const link of links) {
    const [place = 0] = placesOf(places, [link.name]);
    const [recipe, before] = targets[place] ?? [0, []];
    const needed = placesOf(places, link.dependencies);
    linksDiffer ||= needed.join() !== before.join();
    targets[place] = [recipe, needed];
    if (hasUsualContexts(link)) delete contexts[place];
    else contexts[place] = [...link.contextNames];
  }
  if (linksDiffer) {
    const needs = targets.map(([, needed], place): [string, string[]] => [
      names[place] ?? '',
      needed.map((at) => names[at] ?? ''),
    ]);
    order = placesOf(places, orderTargets(new Map(needs)).order);
    if (order.length < names.length) return null;
  }
  return { ...head, warnings, targets, contexts, order };
}

function placesOf(places: ReadonlyMap<string, number>, names: readonly string[]): number[] {
  return names.map((name) => {
    const place = places.get(name);
    if (place === undefined) throw new Error(`not of this tree: ${JSON.stringify(name)}`);
    return place;
  });
}

function hasUsualContexts({ contextNames, dependencies }: LinkedTarget): boolean {
  const usual = usualContexts(dependencies);
  if (contextNames.size !== usual.length) return false;
  let place = 0;
  for (const [image, name] of contextNames) {
    const [usualImage, usualName] = usual[place] ?? [];
    if (image !== usualImage || name !== usualName) return false;
    place += 1;
  }
  return true;
}

function usualContexts(dependencies: readonly string[]): [string, string][] {
  return dependencies.map((name) => [`stagex/${name}`, name]);
}

/** The tree. `readerOf`: of a recipe folder, always the same one (RecipeCache.readers); `platform`: the user's. */
export function treeOf(
  head: TreeHead,
  readerOf: (dir: string) => RecipeReader,
  platform: string,
): LoadedTree {
  const { names } = head;
  const nameOf = (place: number): string => names[place] ?? '';
  const held = new HeldRecipes(head, readerOf, platform);
  const targets = new Map<string, GraphTarget>();
  const dependents = new Map<string, string[]>();
  for (const name of names) dependents.set(name, []);
  for (const [place, [recipe, needed]] of head.targets.entries()) {
    const name = nameOf(place);
    const dependencies = needed.map(nameOf);
    targets.set(name, new HeldTarget({ name, dependencies }, held, recipe, head.contexts[place]));
    for (const dependency of dependencies) dependents.get(dependency)?.push(name);
  }
  return {
    get recipes() {
      return head.recipes.map((_, place) => held.recipe(place));
    },
    graph: { targets, order: head.order.map(nameOf), dependents },
    warnings: head.warnings,
  };
}

/** What a target is made of, as far as others ask for it again and again. */
interface Made {
  readonly buildArgs: Target['buildArgs'];
  readonly resolved: readonly ResolvedContainerfile[];
  readonly contextNames: ReadonlyMap<string, string>;
}

/** The recipes of a tree, each read when it is asked for. */
class HeldRecipes {
  readonly platform: string;
  readonly #head: TreeHead;
  readonly #readerOf: (dir: string) => RecipeReader;
  #last: { readonly target: HeldTarget; readonly made: Made } | null = null;

  constructor(head: TreeHead, readerOf: (dir: string) => RecipeReader, platform: string) {
    this.platform = platform;
    this.#head = head;
    this.#readerOf = readerOf;
  }

  reader(place: number): RecipeReader {
    return this.#readerOf(this.dir(place));
  }

  dir(place: number): string {
    return this.#head.recipes[place]?.[0] ?? '';
  }

  recipe(place: number): Recipe {
    const recipe = this.#head.recipes[place]?.[1] ?? this.reader(place).facts().recipe;
    if (recipe === null) throw new Error(`${this.dir(place)} gives no target`);
    return recipe;
  }

  /** Who asks a target for one thing asks it for the others, too. */
  made(target: HeldTarget, make: () => Made): Made {
    if (this.#last?.target !== target) this.#last = { target, made: make() };
    return this.#last.made;
  }
}

/** A target of which only what nearly everybody asks for is there. The rest is made each time: of ten thousand targets
 * it would be 200 MB, and hardly anybody asks twice. */
class HeldTarget implements GraphTarget {
  readonly name: string;
  readonly dependencies: readonly string[];
  readonly #held: HeldRecipes;
  readonly #recipe: number;
  readonly #contexts: Contexts | undefined;

  constructor(
    { name, dependencies }: Pick<GraphTarget, 'name' | 'dependencies'>,
    held: HeldRecipes,
    recipe: number,
    contexts: Contexts | undefined,
  ) {
    this.name = name;
    this.dependencies = dependencies;
    this.#held = held;
    this.#recipe = recipe;
    this.#contexts = contexts;
  }

  get stage(): string {
    return this.#held.dir(this.#recipe).split('/').at(-2) ?? '';
  }

  get recipe(): Recipe {
    return this.#held.recipe(this.#recipe);
  }

  get tag(): string {
    return `stagex/${this.name}:${this.recipe.version ?? 'latest'}`;
  }

  get buildArgs(): Target['buildArgs'] {
    return this.#made.buildArgs;
  }

  get buildTarget(): string | null {
    const { stage, subpackages } = this.recipe;
    return subpackages.length === 0 ? null : `package-${this.name.slice(stage.length + 1)}`;
  }

  get platforms(): readonly string[] {
    const { platforms } = this.recipe;
    return platforms.length > 0 ? platforms : [this.#held.platform];
  }

  get resolved(): readonly ResolvedContainerfile[] {
    return this.#made.resolved;
  }

  get contextNames(): ReadonlyMap<string, string> {
    return this.#made.contextNames;
  }

  get edges(): readonly Edge[] {
    const file = `${this.#held.dir(this.#recipe)}/Containerfile`;
    return edgesAgain(this.name, file, this.resolved, this.contextNames);
  }
  get #made(): Made {
    return this.#held.made(this, () => this.#make());
  }

  #make(): Made {
    const { recipe, platforms, buildTarget: target } = this;
    const buildArgs = buildArgsOf(recipe);
    const reader = this.#held.reader(this.#recipe);
    const resolved = platforms.map((platform) => {
      const { resolved: one } = reader.resolve({ target, platform, version: recipe.version, buildArgs });
      if (one === null) throw new Error(`${this.name} has no Containerfile`);
      return one;
    });
    return { buildArgs, resolved, contextNames: new Map(this.#contexts ?? usualContexts(this.dependencies)) };
  }
}
