/**
 * Random trees and random edits of them. Everything comes from the generator that is given, so a seed repeats it.
 *
 * Unaware of disks, builds and what an edit should cause.
 */
import type { MiniFile } from './mini-image.ts';
import type { Model, ModelRecipe, ModelSource, Part, Step } from './model.ts';
import { idOf, needsOf, targetsOf } from './model.ts';
import type { Random } from './random.ts';

/** An edit: the next state of the tree, or something that leaves the model as it is. */
export interface Edit {
  readonly name: string;
  readonly model: Model;
  /** Exchange two files on the disk by renames. */
  readonly swap?: readonly [string, string];
  readonly touch?: boolean;
  /** The builder is another one from now on. */
  readonly engine?: number;
}

const STAGES = ['bootstrap', 'core', 'pallet', 'user'];
const VERSIONS = ['1.0', '1.0.1', '2', '2.1-rc1', 'latest'];
const WORDS = ['aaaa', 'bbbb', 'cccc', 'dddd'];
const PATHS = ['a.patch', 'b.patch', 'payload', 'sub/x', 'sub/deep/y', 'z é'];
const PATTERNS = ['.', '*.patch', 'payload', 'sub', '*.toml', 'Containerfile', 'p*'];
const SCOPES = ['/', 'src/', 'out/', 'fetch/', 'src/sub', 'mnt/'];
export const ENGINES = [6, 1];

export function randomModel(random: Random, recipes: number): Model {
  let model: Model = new Map();
  for (let rank = 0; rank < recipes; rank += 1) {
    const recipe = randomRecipe(random, model, `r${rank}`, rank);
    model = new Map([...model, [idOf(recipe), recipe]]);
  }
  return model;
}

function randomRecipe(random: Random, model: Model, name: string, rank: number): ModelRecipe {
  const below = targetsBelow(model, rank);
  const split = random.chance(0.2);
  const names = split && random.chance(0.7) ? [`${name}-a`, `${name}-b`] : [name];
  const files = new Map<string, MiniFile>();
  for (const path of PATHS) if (random.chance(0.4)) files.set(path, randomFile(random));
  const sources = random.chance(0.4) ? [randomSource(random, 'one')] : [];
  return {
    stage: random.pick(STAGES),
    name,
    rank,
    version: random.chance(0.7) ? random.pick(VERSIONS) : null,
    versionFrom: null,
    platforms: random.chance(0.1) ? random.pick([['linux/386'], ['linux/amd64', 'linux/386']]) : [],
    sources,
    files,
    split,
    decoy: random.chance(0.2),
    parts: names.map((part) => randomPart(random, part, below, sources)),
    licence: '0BSD',
    remark: '',
  };
}

function targetsBelow(model: Model, rank: number): string[] {
  // What is for another platform only can not be needed by name of platform; two are fine for all.
  return [...model.values()].filter((recipe) => recipe.rank < rank).flatMap(targetsOf);
}

function randomPart(
  random: Random,
  name: string,
  below: readonly string[],
  sources: readonly ModelSource[],
): Part {
  const steps: Step[] = [];
  for (const target of below) {
    if (random.chance(Math.min(0.5, 2.5 / below.length))) steps.push(randomNeed(random, target));
  }
  const count = 1 + random.below(3);
  for (let at = 0; at < count; at += 1) steps.push(randomStep(random, sources));
  return {
    name,
    buildBase: random.chance(0.3) ? (random.maybe(below) ?? null) : null,
    base: random.chance(0.3) ? (random.maybe(below) ?? null) : null,
    steps,
    takes: random.chance(0.6) ? '/out' : '.',
    env: random.chance(0.3) ? random.pick(WORDS) : null,
  };
}

function randomNeed(random: Random, target: string): Step {
  const form = random.chance(0.85) ? 'copy' : 'mount';
  return { kind: 'need', target, form, tag: random.chance(0.1) ? ':latest' : '' };
}

function randomStep(random: Random, sources: readonly ModelSource[]): Step {
  const [source] = sources;
  if (source !== undefined && random.chance(0.4)) return { kind: 'add', file: source.file };
  if (random.chance(0.5)) return { kind: 'copy', pattern: random.pick(PATTERNS) };
  const args = ['VERSION', 'VERSION_MAJOR', 'ONE_VERSION', 'ONE_GIT_SHA'].filter(() => random.chance(0.3));
  // One bit of a hash: often the output stays though the inputs changed.
  return { kind: 'mix', scope: random.pick(SCOPES), bits: random.pick([1, 1, 64]), args };
}

function randomFile(random: Random): MiniFile {
  if (random.chance(0.1)) return { mode: 'link', content: random.pick(WORDS) };
  return { mode: random.chance(0.2) ? '0755' : '0644', content: `${random.pick(WORDS)}\n` };
}

function randomSource(random: Random, key: string): ModelSource {
  return {
    key,
    version: random.chance(0.5) ? random.pick(VERSIONS) : null,
    file: `${key}-${random.below(3)}.tar`,
    content: `source ${random.below(4)}\n`,
    mirror: `m${random.below(4)}.invalid`,
    gitSha: random.chance(0.3) ? random.pick(['abcd', 'dcba']) : null,
  };
}

type Change = (recipe: ModelRecipe, random: Random, model: Model) => ModelRecipe | null;

function changePart(
  change: (part: Part, random: Random, recipe: ModelRecipe, model: Model) => Part | null,
): Change {
  return (recipe, random, model) => {
    const place = random.below(recipe.parts.length);
    const part = recipe.parts[place];
    const changed = part === undefined ? null : change(part, random, recipe, model);
    return changed === null ? null : { ...recipe, parts: recipe.parts.with(place, changed) };
  };
}

function changeFile(change: (file: MiniFile, random: Random) => MiniFile): Change {
  return (recipe, random) => {
    const path = random.maybe([...recipe.files.keys()]);
    const file = path === undefined ? undefined : recipe.files.get(path);
    if (path === undefined || file === undefined) return null;
    return { ...recipe, files: new Map([...recipe.files, [path, change(file, random)]]) };
  };
}

/** What can happen to one recipe. Null: not to this one. */
const CHANGES: Readonly<Record<string, Change>> = {
  content: changeFile((file, random) => ({
    ...file,
    content: `${random.pick(WORDS)}${file.mode === 'link' ? '' : '\n'}`,
  })),
  mode: changeFile((file) =>
    file.mode === 'link' ? file : { ...file, mode: file.mode === '0644' ? '0755' : '0644' },
  ),
  kind: changeFile((_, random) => randomFile(random)),
  'rename a file': (recipe, random) => {
    const from = random.maybe([...recipe.files.keys()]);
    const to = random.pick(PATHS);
    const file = from === undefined ? undefined : recipe.files.get(from);
    if (from === undefined || file === undefined || recipe.files.has(to)) return null;
    const files = new Map(recipe.files);
    files.delete(from);
    return { ...recipe, files: files.set(to, file) };
  },
  'add a file': (recipe, random) => ({
    ...recipe,
    files: new Map([...recipe.files, [random.pick(PATHS), randomFile(random)]]),
  }),
  'remove a file': (recipe, random) => {
    const files = new Map(recipe.files);
    const path = random.maybe([...files.keys()]);
    if (path === undefined) return null;
    files.delete(path);
    return { ...recipe, files };
  },
  'add an edge': changePart((part, random, recipe, model) => {
    const target = random.maybe(targetsBelow(model, recipe.rank));
    if (target === undefined) return null;
    return { ...part, steps: [randomNeed(random, target), ...part.steps] };
  }),
  'drop an edge': changePart((part, random) => {
    const needs = part.steps.filter(({ kind }) => kind === 'need');
    const dropped = random.maybe(needs);
    return dropped === undefined ? null : { ...part, steps: part.steps.filter((step) => step !== dropped) };
  }),
  'change a base': changePart((part, random, recipe, model) => {
    const base = random.chance(0.3) ? null : (random.maybe(targetsBelow(model, recipe.rank)) ?? null);
    return random.chance(0.5) ? { ...part, base } : { ...part, buildBase: base };
  }),
  'change a step': changePart((part, random, recipe) => {
    const place = part.steps.findIndex(({ kind }) => kind !== 'need');
    return place < 0 ? null : { ...part, steps: part.steps.with(place, randomStep(random, recipe.sources)) };
  }),
  'break or mend': changePart((part, random) => {
    const whole = part.steps.filter(({ kind }) => kind !== 'fail');
    if (whole.length < part.steps.length) return { ...part, steps: whole };
    return random.chance(0.3) ? { ...part, steps: [...part.steps, { kind: 'fail' }] } : null;
  }),
  env: changePart((part, random) => ({ ...part, env: random.chance(0.3) ? null : random.pick(WORDS) })),
  'what it takes': changePart((part) => ({ ...part, takes: part.takes === '.' ? '/out' : '.' })),
  version: (recipe, random) =>
    recipe.versionFrom === null
      ? { ...recipe, version: random.chance(0.2) ? null : random.pick(VERSIONS) }
      : { ...recipe, versionFrom: null, version: random.pick(VERSIONS) },
  'version from': (recipe, random, model) => {
    const from = [...model.values()].filter(({ rank, version }) => rank < recipe.rank && version !== null);
    const target = random.maybe(from.flatMap(targetsOf));
    return target === undefined ? null : { ...recipe, version: null, versionFrom: target };
  },
  remark: (recipe, random) => ({ ...recipe, remark: random.pick(['', ...WORDS]) }),
  licence: (recipe, random) => ({ ...recipe, licence: random.pick(WORDS) }),
  mirror: (recipe, random) => ({
    ...recipe,
    sources: recipe.sources.map((source) => ({ ...source, mirror: `m${random.below(4)}.invalid` })),
  }),
  source: (recipe, random) => ({
    ...recipe,
    sources: random.chance(0.2) ? [] : [randomSource(random, 'one')],
  }),
  'source content': (recipe, random) => ({
    ...recipe,
    sources: recipe.sources.map((source) => ({ ...source, content: `source ${random.below(4)}\n` })),
  }),
  platform: (recipe, random) => ({
    ...recipe,
    platforms: random.pick([
      [],
      [],
      ['linux/386'],
      ['linux/amd64', 'linux/386'],
      ['linux/386', 'linux/amd64'],
    ]),
  }),
  subpackage: (recipe) => {
    const [part] = recipe.parts;
    return recipe.parts.length === 1 && part !== undefined ? { ...recipe, split: !recipe.split } : null;
  },
  'last build stage': (recipe) => ({ ...recipe, decoy: !recipe.decoy }),
};

/** Names of every kind of edit, for counting. */
export const EDIT_KINDS: readonly string[] = [
  ...Object.keys(CHANGES),
  'nothing',
  'touch',
  'swap',
  'engine',
  'revert',
  'add a recipe',
  'copy a recipe',
  'remove a recipe',
];

/** The next edit. @param past earlier states, to go back to @param kinds of `EDIT_KINDS` */
export function randomEdit(
  random: Random,
  model: Model,
  past: readonly Model[],
  kinds: readonly string[] = EDIT_KINDS,
): Edit {
  for (;;) {
    const edit = tryEdit(random, random.pick(kinds), model, past);
    if (edit !== null && isSound(edit.model)) return edit;
  }
}

function tryEdit(random: Random, name: string, model: Model, past: readonly Model[]): Edit | null {
  const recipe = random.pick([...model.values()]);
  const id = idOf(recipe);
  switch (name) {
    case 'nothing':
      return { name, model };
    case 'touch':
      return { name, model, touch: true };
    case 'engine':
      // Everything is built anew: not too often.
      return random.chance(0.2) ? { name, model, engine: random.pick(ENGINES) } : null;
    case 'revert': {
      const before = random.maybe(past);
      return before === undefined ? null : { name, model: before };
    }
    case 'swap':
      return swap(recipe, model);
    case 'add a recipe':
    case 'copy a recipe': {
      if (model.size > 14) return null;
      const rank = Math.max(...[...model.values()].map((each) => each.rank)) + 1;
      const fresh =
        name === 'add a recipe'
          ? randomRecipe(random, model, `r${rank}`, rank)
          : copyOf(recipe, random, rank);
      return { name, model: new Map([...model, [idOf(fresh), fresh]]) };
    }
    case 'remove a recipe': {
      const rest = new Map(model);
      rest.delete(id);
      return rest.size < 4 ? null : { name, model: rest };
    }
    default: {
      const changed = CHANGES[name]?.(recipe, random, model) ?? null;
      return changed === null ? null : { name, model: new Map([...model, [id, changed]]) };
    }
  }
}

/** The same bytes in another stage: only the target's name tells them apart. */
function copyOf(recipe: ModelRecipe, random: Random, rank: number): ModelRecipe {
  return { ...recipe, rank, stage: random.pick(STAGES) };
}

/** Exchanges two files of equal size. */
function swap(recipe: ModelRecipe, model: Model): Edit | null {
  const id = idOf(recipe);
  const plain = [...recipe.files].filter(([, { mode }]) => mode !== 'link');
  for (const [a, one] of plain) {
    for (const [b, other] of plain) {
      if (a >= b || one.content.length !== other.content.length || one.content === other.content) continue;
      const files = new Map([...recipe.files, [a, other], [b, one]] as [string, MiniFile][]);
      const changed = new Map([...model, [id, { ...recipe, files }]] as [string, ModelRecipe][]);
      return { name: 'swap', model: changed, swap: [`packages/${id}/${a}`, `packages/${id}/${b}`] };
    }
  }
  return null;
}

/** No dangling edges, versions or platforms, no name twice: what the tree's own checks would refuse. */
function isSound(model: Model): boolean {
  const recipes = [...model.values()];
  const given = recipes.flatMap(targetsOf);
  if (new Set(given).size < given.length) return false;
  return recipes.every((recipe) => {
    const from = recipes.find((other) => targetsOf(other).includes(recipe.versionFrom ?? ''));
    if (recipe.versionFrom !== null && (from === undefined || from.version === null)) return false;
    return recipe.parts.every((part) => {
      const all = needsOf(recipe, part).concat(needsOf({ ...recipe, split: true }, part));
      return all.every((need) => {
        const needed = recipes.find((other) => targetsOf(other).includes(need));
        return needed !== undefined && needed.rank < recipe.rank && fits(recipe, needed);
      });
    });
  });
}

/** An image of several platforms must have ours among them; of a single one BuildKit takes what is there. */
function fits(recipe: ModelRecipe, needed: ModelRecipe): boolean {
  const own = recipe.platforms.length > 0 ? recipe.platforms : ['linux/amd64'];
  return needed.platforms.length < 2 || own.every((platform) => needed.platforms.includes(platform));
}
