/**
 * A whole loaded tree as text, for the run that finds nothing changed: thawing costs little and no look at any
 * reference. Names and what needs what come first; the rest of a target lies in a line of its own that is read when
 * somebody asks for it, so ten thousand targets thaw in well under 0.1 s. Its key lies apart, so that a run which
 * needs no target of the tree need not even thaw it.
 *
 * The text is only a cache: what can not be read is no tree. Unaware of where it lies.
 */
import type { ResolvedContainerfile } from '../containerfile/model.ts';
import type { Problem } from '../errors.ts';
import { digestOf } from '../oci/digest.ts';
import type { Digest } from '../oci/model.ts';
import { byCodeUnit } from '../order.ts';
import { buildArgsOf } from '../recipe/build-args.ts';
import { FACTS_VERSION } from '../recipe/facts.ts';
import type { Recipe, Target } from '../recipe/model.ts';
import type { HashedFolder } from './cache.ts';
import type { LoadOptions } from './load.ts';
import type { Edge, GraphTarget, LoadedTree } from './model.ts';
import { type PackedContainerfile, Packer, type Row, unpackContainerfile } from './packed.ts';
import { edgesAgain } from './places.ts';
import { type Sealed, seal, unseal } from './sealed.ts';

/** Raised when the shape of the text changes; what it holds is versioned by FACTS_VERSION. */
const SNAPSHOT_VERSION = 4;

/** The hash of all recipes a tree has, in any order. */
export function recipesKey(folders: readonly Omit<HashedFolder, 'read'>[]): Digest {
  const rows = folders
    .map(({ stage, name, dir, packageToml, containerfile }) =>
      JSON.stringify([dir, stage, name, packageToml, containerfile]),
    )
    .sort(byCodeUnit);
  return digestOf(rows.join('\n'));
}

/** Everything that decides what a tree loads to. `recipes`: its recipesKey; `program`: as for FactsCache. */
export function treeKey(recipes: Digest, { platform, allowedImages }: LoadOptions, program = ''): string {
  const images = [...(allowedImages ?? [])].sort(byCodeUnit);
  return JSON.stringify([SNAPSHOT_VERSION, FACTS_VERSION, program, platform, images, recipes]);
}

/** The first line. Targets and recipes are named by their places in the lists. */
interface Head {
  readonly warnings: readonly Problem[];
  readonly recipes: number;
  readonly names: readonly string[];
  readonly stages: readonly string[];
  /** Of each target: its stage, its recipe, what it needs. */
  readonly targets: readonly (readonly [stage: number, recipe: number, dependencies: readonly number[]])[];
  readonly order: readonly number[];
}

/** A line of a recipe. */
type RecipeLine = readonly [recipe: Recipe, rows: readonly Row[]];

/** A line of a target; rows are its recipe's. `contexts`: null where they are `stagex/<dependency>` alone. */
type Details = readonly [
  buildTarget: string | null,
  platforms: readonly string[],
  resolved: readonly PackedContainerfile[],
  contexts: readonly (readonly [string, string])[] | null,
];

/** The text of a tree: the head, a line for each recipe, a line for each target. */
export function freezeTree({ recipes, graph, warnings }: LoadedTree): string {
  const targets = [...graph.targets.values()];
  const places = new Map(targets.map(({ name }, place) => [name, place]));
  const recipePlaces = new Map(recipes.map((recipe, place) => [recipe, place]));
  const stages = [...new Set(targets.map(({ stage }) => stage))];
  const placeOf = <Key>(map: ReadonlyMap<Key, number>, key: Key): number => {
    const place = map.get(key);
    if (place === undefined) throw new Error(`not of this tree: ${JSON.stringify(key)}`);
    return place;
  };
  const head: Head = {
    warnings,
    recipes: recipes.length,
    names: targets.map(({ name }) => name),
    stages,
    targets: targets.map(({ stage, recipe, dependencies }) => [
      stages.indexOf(stage),
      placeOf(recipePlaces, recipe),
      dependencies.map((name) => placeOf(places, name)),
    ]),
    order: graph.order.map((name) => placeOf(places, name)),
  };
  const packers = new Map(recipes.map((recipe) => [recipe, new Packer()]));
  const details = targets.map((target) => detailsOf(target, packers.get(target.recipe) ?? new Packer()));
  const rows = recipes.map((recipe): RecipeLine => [recipe, packers.get(recipe)?.rows ?? []]);
  return seal([head, ...rows, ...details].map((line) => JSON.stringify(line)));
}

function detailsOf(target: GraphTarget, packer: Packer): Details {
  const { buildTarget, platforms, resolved, contextNames, dependencies } = target;
  const contexts = [...contextNames];
  const usual = usualContexts(dependencies);
  const isUsual =
    contexts.length === usual.length &&
    contexts.every(([image, name], place) => usual[place]?.[0] === image && usual[place][1] === name);
  return [buildTarget, platforms, resolved.map((one) => packer.pack(one)), isUsual ? null : contexts];
}

function usualContexts(dependencies: readonly string[]): [string, string][] {
  return dependencies.map((name) => [`stagex/${name}`, name]);
}

/** The tree, or null where the text can not be read. */
export function thawTree(bytes: Uint8Array): LoadedTree | null {
  const lines = unseal(bytes);
  if (lines === null) return null;
  // Sealed, and of the version in its key: it is what freezeTree wrote.
  const head = JSON.parse(lines.line(0)) as Head;
  const frozen = new FrozenLines(lines, head.recipes);
  const { names } = head;
  const nameOf = (place: number): string => names[place] ?? '';
  const targets = new Map<string, GraphTarget>();
  const dependents = new Map<string, string[]>();
  for (const name of names) dependents.set(name, []);
  for (const [place, [stage, recipe, needed]] of head.targets.entries()) {
    const name = nameOf(place);
    const dependencies = needed.map(nameOf);
    const own = { name, stage: head.stages[stage] ?? '', dependencies };
    targets.set(name, new FrozenTarget(own, frozen, recipe, place));
    for (const dependency of dependencies) dependents.get(dependency)?.push(name);
  }
  return {
    get recipes() {
      return frozen.recipes();
    },
    graph: { targets, order: head.order.map(nameOf), dependents },
    warnings: head.warnings,
  };
}

/** What a target's line says. */
interface Unpacked {
  readonly place: number;
  readonly details: Details;
  readonly resolved: readonly ResolvedContainerfile[];
  readonly contextNames: ReadonlyMap<string, string>;
}

/** The lines, and what was read of them last: who asks a target for one thing asks for the others, too. */
class FrozenLines {
  readonly #lines: Sealed;
  #last: Unpacked | null = null;
  readonly #known: (RecipeLine | undefined)[];
  #all: readonly Recipe[] | null = null;

  constructor(lines: Sealed, count: number) {
    this.#lines = lines;
    this.#known = new Array<RecipeLine | undefined>(count).fill(undefined);
  }

  recipe(place: number): RecipeLine {
    const known = this.#known[place] ?? (JSON.parse(this.#lines.line(1 + place)) as RecipeLine);
    this.#known[place] = known;
    return known;
  }

  target(place: number, recipe: number, dependencies: readonly string[]): Unpacked {
    if (this.#last?.place !== place) {
      const details = JSON.parse(this.#lines.line(1 + this.#known.length + place)) as Details;
      const [, , packed, contexts] = details;
      const [, rows] = this.recipe(recipe);
      const resolved = packed.map((one) => unpackContainerfile(one, rows));
      const contextNames = new Map(contexts ?? usualContexts(dependencies));
      this.#last = { place, details, resolved, contextNames };
    }
    return this.#last;
  }

  recipes(): readonly Recipe[] {
    this.#all ??= this.#known.map((_, place) => this.recipe(place)[0]);
    return this.#all;
  }
}

/** A target of which only what nearly everybody asks for was read. The rest is read each time: of ten thousand targets
 * it would be 200 MB, and hardly anybody asks twice. */
class FrozenTarget implements GraphTarget {
  readonly name: string;
  readonly stage: string;
  readonly dependencies: readonly string[];
  readonly #frozen: FrozenLines;
  readonly #recipe: number;
  readonly #place: number;

  constructor(
    { name, stage, dependencies }: Pick<GraphTarget, 'name' | 'stage' | 'dependencies'>,
    frozen: FrozenLines,
    recipe: number,
    place: number,
  ) {
    this.name = name;
    this.stage = stage;
    this.dependencies = dependencies;
    this.#frozen = frozen;
    this.#recipe = recipe;
    this.#place = place;
  }

  get recipe(): Recipe {
    return this.#frozen.recipe(this.#recipe)[0];
  }

  get tag(): string {
    return `stagex/${this.name}:${this.recipe.version ?? 'latest'}`;
  }

  get buildArgs(): Target['buildArgs'] {
    return buildArgsOf(this.recipe);
  }

  get buildTarget(): string | null {
    return this.#read().details[0];
  }

  get platforms(): readonly string[] {
    return this.#read().details[1];
  }

  get resolved(): readonly ResolvedContainerfile[] {
    return this.#read().resolved;
  }

  get contextNames(): ReadonlyMap<string, string> {
    return this.#read().contextNames;
  }

  get edges(): readonly Edge[] {
    const file = `${this.recipe.dir}/Containerfile`;
    return edgesAgain(this.name, file, this.resolved, this.contextNames);
  }

  #read(): Unpacked {
    return this.#frozen.target(this.#place, this.#recipe, this.dependencies);
  }
}
