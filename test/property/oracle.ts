/**
 * What a run must do and give, by rebuilding everything from the model of the tree.
 *
 * Shares no code with packages/. A target must be built when what it can see was never built under this state folder:
 * that is written down here from shared/DESIGN.md, as a list of plain values, not as a hash of ours.
 */
import { isTaken, MiniFailure, miniBuild } from './mini-build.ts';
import type { MiniFile, MiniImage, MiniOutput } from './mini-image.ts';
import {
  basesOf,
  buildArgsOf,
  filesOf,
  type Model,
  type ModelRecipe,
  needsOf,
  type Part,
  targetOf,
  versionOf,
} from './model.ts';

export interface ExpectedTarget {
  readonly result: 'hit' | 'built' | 'unchanged' | 'failed' | 'skipped';
  readonly manifest: string | null;
  readonly index: string | null;
}

interface Rebuilt {
  readonly needs: readonly string[];
  /** Null: a step said no. Undefined: something it needs has no output. */
  readonly output: MiniOutput | null | undefined;
  readonly key: string;
}

/** The memory of one state folder, as it should be. */
export class Oracle {
  readonly #known = new Set<string>();
  #seen: number | null = null;
  /** By tree, target -> manifest. */
  readonly #current = new Map<string, Map<string, string>>();

  /**
   * What a run on this tree must do now; takes it down as done.
   * @param selection empty: everything
   * @param engine the builder's
   */
  run(tree: string, model: Model, selection: readonly string[], engine: number): Map<string, ExpectedTarget> {
    // With nothing to do under the engine last seen no builder is asked.
    const before = this.#seen === null ? null : closure(rebuild(model, this.#seen), selection);
    if (before !== null) {
      const nothing = [...before.values()].every(({ key }) => this.#known.has(key));
      if (nothing || this.#seen === engine) return this.#finish(tree, before);
    }
    this.#seen = engine;
    return this.#finish(tree, closure(rebuild(model, engine), selection));
  }

  #finish(tree: string, all: ReadonlyMap<string, Rebuilt>): Map<string, ExpectedTarget> {
    const current = this.#current.get(tree) ?? new Map<string, string>();
    this.#current.set(tree, current);
    const expected = new Map<string, ExpectedTarget>();
    for (const [target, { output, key }] of all) {
      if (output === null || output === undefined) {
        const result = output === null ? 'failed' : 'skipped';
        expected.set(target, { result, manifest: null, index: null });
        continue;
      }
      const manifest = output.images[0]?.manifest ?? '';
      const ran = current.get(target) === manifest ? 'unchanged' : 'built';
      expected.set(target, { result: this.#known.has(key) ? 'hit' : ran, manifest, index: output.index });
      this.#known.add(key);
      current.set(target, manifest);
    }
    return expected;
  }
}

/** Every target rebuilt, in an order in which needs come first. */
export function rebuild(model: Model, engine: number): Map<string, Rebuilt> {
  const done = new Map<string, Rebuilt>();
  for (const recipe of [...model.values()].sort((a, b) => a.rank - b.rank)) {
    for (const part of recipe.parts)
      done.set(targetOf(recipe, part), rebuildPart(model, recipe, part, engine, done));
  }
  return done;
}

function rebuildPart(
  model: Model,
  recipe: ModelRecipe,
  part: Part,
  engine: number,
  done: ReadonlyMap<string, Rebuilt>,
): Rebuilt {
  const needs = needsOf(recipe, part);
  const outputs = new Map<string, MiniOutput>();
  for (const need of needs) {
    const output = done.get(need)?.output;
    if (output === null || output === undefined) return { needs, output: undefined, key: '' };
    outputs.set(need, output);
  }
  const target = targetOf(recipe, part);
  const version = versionOf(model, recipe) ?? 'latest';
  const platforms = recipe.platforms.length > 0 ? recipe.platforms : ['linux/amd64'];
  const buildTarget = recipe.split ? `package-${part.name}` : null;
  const buildArgs = buildArgsOf(model, recipe);
  const files = filesOf(recipe);
  const key = JSON.stringify([
    target,
    version,
    platforms,
    buildTarget,
    Object.entries(buildArgs).sort(),
    files.get('Containerfile')?.content,
    countedFiles(part, files),
    recipe.sources.map(({ file, content }) => [file, content]).sort(),
    engine,
    [...outputs].map(([name, output]) => [
      name,
      ...seenOf(output, platforms, basesOf(recipe, part).includes(name)),
    ]),
  ]);
  const context = new Map(files);
  for (const { file, content } of recipe.sources) context.set(`fetch/${file}`, { content, mode: '0644' });
  const image = (name: string, platform: string): MiniImage => {
    const output = outputs.get(name.replace(/^stagex\//, '').replace(/:latest$/, ''));
    const found = output?.images.find((one) => one.platform === platform) ?? output?.images[0];
    if (found === undefined) throw new Error(`${target} takes ${name}, which it does not need`);
    return found;
  };
  const containerfile = files.get('Containerfile')?.content ?? '';
  const request = { target, version, platforms, buildTarget, buildArgs, containerfile, context, image };
  try {
    return { needs, key, output: miniBuild({ ...request, compression: engine }) };
  } catch (error) {
    if (!(error instanceof MiniFailure)) throw error;
    return { needs, key, output: null };
  }
}

/** All files of the folder; the two that describe it only where a COPY can take them. A COPY of a link takes what it
 * leads to: with one in the context everything counts. */
function countedFiles(part: Part, files: ReadonlyMap<string, MiniFile>): unknown[] {
  const linked = [...files.values()].some(({ mode }) => mode === 'link');
  const patterns = part.steps.flatMap((step) => (step.kind === 'copy' ? [step.pattern] : []));
  if (linked) patterns.push('.');
  return [...files]
    .filter(([path]) => {
      const describes = path === 'Containerfile' || path === 'package.toml';
      return !describes || patterns.some((pattern) => isTaken(pattern, path));
    })
    .map(([path, { mode, content }]) => [path, mode, content])
    .sort();
}

/** A COPY sees the files of an image, a FROM all of it; each platform its own. */
function seenOf(output: MiniOutput, platforms: readonly string[], whole: boolean): unknown[] {
  return platforms.map((platform) => {
    const image = output.images.find((one) => one.platform === platform) ?? output.images[0];
    if (whole) return [image?.config, ...(image?.layers ?? []).map(({ digest }) => digest)];
    return image?.layers.map(({ diffId }) => diffId);
  });
}

function closure(all: ReadonlyMap<string, Rebuilt>, selection: readonly string[]): Map<string, Rebuilt> {
  if (selection.length === 0) return new Map(all);
  const wanted = new Set<string>();
  const open = [...selection];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (wanted.has(name)) continue;
    wanted.add(name);
    open.push(...(all.get(name)?.needs ?? []));
  }
  return new Map([...all].filter(([name]) => wanted.has(name)));
}
