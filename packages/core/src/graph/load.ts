/**
 * Phase two of loading: from the facts of all recipe folders to one graph for one platform.
 *
 * Pure. All problems are reported, each once; what follows only from a problem already reported is not.
 */
import type { ResolvedContainerfile } from '../containerfile/model.ts';
import { formatProblem, inputProblem, type Problem } from '../errors.ts';
import { byCodeUnit } from '../order.ts';
import type { RecipeFacts } from '../recipe/facts.ts';
import type { Recipe, Target } from '../recipe/model.ts';
import { platformFault } from '../recipe/platform.ts';
import { completeRecipe, duplicateTargets, targetsOf } from '../recipe/targets.ts';
import { resolveVersions } from '../recipe/versions.ts';
import { orderTargets } from './build-order.ts';
import { hashedFolder, memoryLines, RecipeCache } from './cache.ts';
import { edgesOf, type TreeNames } from './edges.ts';
import type { GraphTarget, LoadedTree, RecipeFolder } from './model.ts';
import type { RecipeReader, ResolveFacts } from './reader.ts';
import { headOf, type LinkedTarget, type TreeHead, treeOf } from './snapshot.ts';

export interface LoadOptions {
  /** What is built where a recipe names no platforms: `os/arch[/variant]`. */
  readonly platform: string;
  /** Images that Containerfiles may take from a registry. */
  readonly allowedImages?: ReadonlySet<string> | undefined;
}

export interface LoadResult {
  /** Null where there is any error. */
  readonly tree: LoadedTree | null;
  /** Errors and warnings, sorted by place. */
  readonly problems: readonly Problem[];
}

/** Loads a tree from the bytes of its recipe folders, in any order. */
export async function loadTree(folders: readonly RecipeFolder[], options: LoadOptions): Promise<LoadResult> {
  const cache = new RecipeCache(memoryLines());
  const readerOf = cache.readers(folders.map(hashedFolder));
  const { head, problems } = await loadHead(
    folders.map(({ dir }) => readerOf(dir)),
    options,
  );
  cache.loaded();
  return { tree: head && treeOf(head, readerOf, options.platform), problems };
}

export interface HeadResult {
  /** Null where there is any error. */
  readonly head: TreeHead | null;
  /** As in LoadResult. */
  readonly problems: readonly Problem[];
}

/** The head of a tree from readers, which may answer from what was kept (cache.ts). Asynchronous only because the search
 * for cycles is loaded when it is needed. */
export async function loadHead(readers: readonly RecipeReader[], options: LoadOptions): Promise<HeadResult> {
  const fault = platformFault(options.platform);
  if (fault !== null) {
    return { head: null, problems: [inputProblem({ code: 'bad-platform', ...fault })] };
  }
  const folders = readers
    .map((reader) => ({ reader, facts: reader.facts() }))
    .sort((a, b) => byCodeUnit(`${a.reader.stage}/${a.reader.name}`, `${b.reader.stage}/${b.reader.name}`));
  const problems: Problem[] = folders.flatMap(({ facts }) => facts.problems);
  const { recipes, incomplete } = complete(folders, problems);
  const names = namesOf(folders, recipes, incomplete, options);
  const links: (Links & { readonly recipe: number })[] = [];
  for (const [place, [recipe, reader]] of [...recipes].entries()) {
    // A recipe after the other: what is held of one is let go before the next one is read.
    for (const target of targetsOf(recipe, options.platform)) {
      // Of two recipes that give one target the first counts.
      if (names.targets.get(target.name)?.recipe !== recipe) continue;
      links.push({ ...linksOf(target, reader, names, problems), recipe: place });
    }
    reader.settle();
  }
  // Of folders that give nothing, too.
  for (const { reader } of folders) reader.settle();
  links.sort((a, b) => byCodeUnit(a.name, b.name));
  const { order } = orderTargets(new Map(links.map(({ name, dependencies }) => [name, dependencies])));
  if (order.length < links.length) {
    const { cycleProblems } = await import('./cycles.ts');
    problems.push(...cycleProblems(links));
  }
  const sorted = sortProblems(problems);
  if (sorted.some(({ level }) => level === 'error')) return { head: null, problems: sorted };
  const places = [...recipes.keys()].map((recipe): TreeHead['recipes'][number] =>
    recipe.versionFrom === null ? [recipe.dir] : [recipe.dir, recipe],
  );
  return { head: headOf(places, links, order, sorted), problems: sorted };
}

type Links = LinkedTarget & Pick<GraphTarget, 'edges'>;

/** What one target needs. `problems` gets those with it. */
export function linksOf(target: Target, reader: RecipeReader, names: TreeNames, problems: Problem[]): Links {
  const resolved = resolveAll(target, reader, problems);
  const { problems: more, ...links } = edgesOf(target, resolved, names);
  problems.push(...more);
  return { name: target.name, ...links };
}

interface Folder {
  readonly reader: RecipeReader;
  readonly facts: RecipeFacts;
}

/** Versions resolved and what waited for them filled in. */
function complete(
  folders: readonly Folder[],
  problems: Problem[],
): { readonly recipes: ReadonlyMap<Recipe, RecipeReader>; readonly incomplete: ReadonlySet<RecipeFacts> } {
  const all = folders.map(({ facts }) => facts);
  const { versions, problems: more } = resolveVersions(all);
  problems.push(...more, ...duplicateTargets(all));
  const recipes = new Map<Recipe, RecipeReader>();
  const incomplete = new Set<RecipeFacts>();
  for (const { reader, facts } of folders) {
    const version = facts.recipe === null ? undefined : versions.get(facts.recipe.id);
    const done = version === undefined ? null : completeRecipe(facts, version);
    problems.push(...(done?.problems ?? []));
    if (done?.recipe) recipes.set(done.recipe, reader);
    else incomplete.add(facts);
  }
  return { recipes, incomplete };
}

function namesOf(
  folders: readonly Folder[],
  recipes: ReadonlyMap<Recipe, RecipeReader>,
  incomplete: ReadonlySet<RecipeFacts>,
  { platform, allowedImages }: LoadOptions,
): TreeNames {
  const list: Target[] = [];
  for (const recipe of recipes.keys()) list.push(...targetsOf(recipe, platform));
  list.sort((a, b) => byCodeUnit(a.name, b.name));
  const targets = new Map<string, Target>();
  // Of two recipes that give one target the first counts; the other was reported.
  for (const target of list) if (!targets.has(target.name)) targets.set(target.name, target);
  const split = new Map<string, readonly string[]>();
  const skipped = new Map<string, string>();
  const broken = new Set<string>();
  for (const { reader, facts } of folders) {
    const name = `${reader.stage}-${reader.name}`;
    if (facts.gives.length === 0) skipped.set(name, reader.dir);
    else if (!facts.gives.includes(name)) split.set(name, facts.gives);
    if (!incomplete.has(facts)) continue;
    for (const given of facts.gives) broken.add(given);
    for (const given of subpackagesByContainerfile(reader, platform)) broken.add(given);
  }
  return { targets, split, skipped, broken, allowedImages: allowedImages ?? new Set(), meanings: new Map() };
}

/** What a recipe with an unreadable package.toml could have as subpackages. */
function subpackagesByContainerfile(reader: RecipeReader, platform: string): string[] {
  const { resolved } = reader.resolve({ target: null, platform, version: null, buildArgs: {} });
  const names = resolved?.stages.map(({ name }) => name ?? '') ?? [];
  return names
    .filter((name) => name.startsWith('package-'))
    .map((name) => `${reader.stage}-${name.slice('package-'.length)}`);
}

function resolveAll(target: Target, reader: RecipeReader, problems: Problem[]): ResolvedContainerfile[] {
  const resolved: ResolvedContainerfile[] = [];
  for (const platform of target.platforms) {
    const { buildTarget, buildArgs, recipe } = target;
    const facts: ResolveFacts = reader.resolve({
      target: buildTarget,
      platform,
      version: recipe.version,
      buildArgs,
    });
    problems.push(...facts.problems);
    if (facts.resolved !== null) resolved.push(facts.resolved);
  }
  return resolved;
}

/** By file, line, column, text; each once: the subpackages of a recipe share one Containerfile. */
export function sortProblems(problems: readonly Problem[]): Problem[] {
  const distinct = new Map(problems.map((problem) => [`${problem.code} ${formatProblem(problem)}`, problem]));
  return [...distinct.values()].sort(
    (a, b) =>
      byCodeUnit(a.file ?? '', b.file ?? '') ||
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.column ?? 0) - (b.column ?? 0) ||
      byCodeUnit(a.code, b.code) ||
      byCodeUnit(a.text, b.text),
  );
}
