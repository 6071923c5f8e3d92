/**
 * A state folder, trees and a builder in memory on one side, the oracle on the other: edits are made, the real
 * `run()` is called, both must agree about every target.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunEvent } from '../../packages/core/src/events.ts';
import type { RunOptions, RunSummary } from '../../packages/scheduler/src/api.ts';
import { plainOptions } from '../../packages/scheduler/src/run/plain-options.ts';
import { openSessionWith, run } from '../../packages/scheduler/src/session.ts';
import type { Workspace } from '../../packages/scheduler/src/workspace.ts';
import { Disk, type Style } from './disk.ts';
import { type Edit, randomEdit, randomModel } from './edits.ts';
import { FakeBuilder } from './fake-builder.ts';
import { type Model, targetsOf } from './model.ts';
import { type ExpectedTarget, Oracle, rebuild } from './oracle.ts';
import { Random } from './random.ts';

/** tmpfs: thousands of small durable writes. */
const MEMORY = '/dev/shm';

export function memoryFolder(name: string): string {
  try {
    return mkdtempSync(join(MEMORY, name));
  } catch {
    return mkdtempSync(join(tmpdir(), name));
  }
}

export const OPTIONS: RunOptions = { ...plainOptions('world'), keepGoing: true };

/** One tree on the disk. */
export class Tree {
  readonly disk: Disk;
  readonly #state: string;
  readonly #builder: Pick<FakeBuilder, 'driver'>;
  readonly #env: NodeJS.ProcessEnv;
  #workspace: Workspace | null = null;
  readonly events: RunEvent[] = [];

  constructor(
    root: string,
    state: string,
    builder: Pick<FakeBuilder, 'driver'>,
    env: NodeJS.ProcessEnv = {},
  ) {
    this.#env = env;
    this.disk = new Disk(root, join(state, 'sources', 'sha256'));
    this.#state = state;
    this.#builder = builder;
  }

  /** @param again open everything anew, as another process would */
  async run(options: Partial<RunOptions>, again: boolean, stop = new AbortController()): Promise<RunSummary> {
    const workspace = await this.open(again);
    this.events.length = 0;
    const sink = (event: RunEvent): void => void this.events.push(event);
    return await run(workspace, { ...OPTIONS, ...options }, sink, { stop: stop.signal });
  }

  async open(again: boolean): Promise<Workspace> {
    if (this.#workspace !== null && !again) {
      await this.#workspace.reload();
      return this.#workspace;
    }
    this.close();
    const options = { cwd: this.disk.root, env: this.#env, root: this.disk.root, state: this.#state };
    this.#workspace = await openSessionWith(options, this.#builder.driver);
    return this.#workspace;
  }

  close(): void {
    this.#workspace?.close();
    this.#workspace = null;
  }
}

/** Where run and oracle differ; null where they agree. */
export function differenceOf(
  summary: RunSummary,
  expected: ReadonlyMap<string, ExpectedTarget>,
  built: readonly string[],
  out: string,
): string | null {
  const lines: string[] = [];
  const got = new Map(summary.targets.map((target) => [target.name, target]));
  for (const name of new Set([...got.keys(), ...expected.keys()])) {
    const a = got.get(name);
    const b = expected.get(name);
    const says = `${a?.result} ${a?.digest}`;
    const wanted = `${b?.result} ${b?.manifest}`;
    if (says !== wanted) lines.push(`${name}: ${says}, expected ${wanted}${reasonsOf(a)}`);
    else if (b?.index != null && publishedIndex(out, name) !== b.index)
      lines.push(`${name}: out/ shows another output`);
  }
  const wanted = [...expected].filter(([, { result }]) => !['hit', 'skipped'].includes(result));
  const names = wanted.map(([name]) => name).sort();
  if (names.join() !== [...built].sort().join()) lines.push(`built ${[...built].sort()}, expected ${names}`);
  return lines.length === 0 ? null : [...lines, ...summary.problems.map(({ text }) => text)].join('\n');
}

function reasonsOf(target: RunSummary['targets'][number] | undefined): string {
  return target === undefined ? '' : target.reasons.map(({ text }) => `\n    ${text}`).join('');
}

function publishedIndex(out: string, target: string): string | undefined {
  const { manifests } = JSON.parse(readFileSync(join(out, target, 'index.json'), 'utf8')) as {
    readonly manifests: readonly { readonly digest: string }[];
  };
  return manifests[0]?.digest;
}

export interface Figures {
  edits: number;
  builds: number;
  hits: number;
  unchanged: number;
  failed: number;
  readonly kinds: Map<string, number>;
}

export function noFigures(): Figures {
  return { edits: 0, builds: 0, hits: 0, unchanged: 0, failed: 0, kinds: new Map() };
}

export interface WorldOptions {
  readonly seed: number;
  readonly edits: number;
  readonly recipes: number;
  /** Called before each run, for what only a test with another encoder wants. */
  readonly pickEdit?: (random: Random, model: Model, past: readonly Model[]) => Edit;
}

/** One random world, edit after edit. @returns what went wrong first, or null */
export async function runWorld(options: WorldOptions, figures: Figures): Promise<string | null> {
  const folder = memoryFolder('stx-property-');
  const random = new Random(options.seed);
  const builder = new FakeBuilder({ workers: 1 + random.below(2), jobs: 1 + random.below(4) });
  const oracle = new Oracle();
  const state = join(folder, 'state');
  // Two clones, one store.
  const trees = ['one', 'two'].map((name) => new Tree(join(folder, name), state, builder));
  let model = randomModel(random, options.recipes);
  const models: Model[] = [model, model];
  const past: Model[] = [];
  try {
    for (let at = 0; at <= options.edits; at += 1) {
      const place = random.chance(0.9) ? 0 : 1;
      const tree = trees[place];
      if (tree === undefined) throw new Error('two trees were made');
      model = models[place] ?? model;
      const edit =
        at === 0 ? { name: 'first', model } : (options.pickEdit ?? randomEdit)(random, model, past);
      if (edit.swap !== undefined && tree.disk.model !== model) continue;
      apply(tree, edit, random);
      if (edit.engine !== undefined) builder.engine = edit.engine;
      model = edit.model;
      models[place] = model;
      past.push(model);
      const selection = random.chance(0.85) ? [] : [random.pick([...model.values()].flatMap(targetsOf))];
      builder.built.length = 0;
      const expected = oracle.run(tree.disk.root, model, selection, builder.engine);
      const summary = await tree.run({ selection }, random.chance(0.1));
      const difference = differenceOf(summary, expected, builder.built, join(tree.disk.root, 'out'));
      count(figures, edit.name, summary, builder.built.length);
      if (difference !== null) return `seed ${options.seed}, edit ${at} (${edit.name}):\n${difference}`;
    }
    return null;
  } finally {
    for (const tree of trees) tree.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * A world whose recipes are edited while they are built: what was recorded meanwhile must be true for ever. After each
 * such run another one, undisturbed, must have every digest of a rebuild; so must going back to any earlier state.
 */
export async function runDisturbedWorld(options: WorldOptions, figures: Figures): Promise<string | null> {
  const folder = memoryFolder('stx-disturbed-');
  const random = new Random(options.seed);
  const builder = new FakeBuilder({ workers: 1 + random.below(2), jobs: 1 + random.below(3) });
  const tree = new Tree(join(folder, 'tree'), join(folder, 'state'), builder);
  let model = randomModel(random, options.recipes);
  const past: Model[] = [];
  const disturb = (): void => {
    if (random.chance(0.6)) return;
    const edit = randomEdit(random, model, past);
    past.push(edit.model);
    model = edit.model;
    apply(tree, { name: edit.name, model }, random);
  };
  try {
    for (let at = 0; at < options.edits; at += 1) {
      const edit = random.chance(0.5)
        ? randomEdit(random, model, past)
        : { name: 'revert', model: random.maybe(past) ?? model };
      model = edit.model;
      past.push(model);
      apply(tree, { name: edit.name, model }, random);
      builder.built.length = 0;
      const disturbed = random.chance(0.6);
      if (disturbed) {
        builder.onStart = disturb;
        builder.onBuild = disturb;
        await tree.run({ noCache: random.chance(0.3) }, false);
        builder.onStart = () => {};
        builder.onBuild = () => {};
      }
      const summary = await tree.run({}, random.chance(0.2));
      count(figures, disturbed ? 'disturbed' : edit.name, summary, builder.built.length);
      const difference = wrongDigests(summary, model, builder.engine);
      if (difference !== null) return `seed ${options.seed}, edit ${at} (${edit.name}):\n${difference}`;
    }
    return null;
  } finally {
    tree.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Digests that a rebuild of everything does not give; null where there are none. */
export function wrongDigests(summary: RunSummary, model: Model, engine: number): string | null {
  const lines: string[] = [];
  const rebuilt = rebuild(model, engine);
  for (const { name, digest } of summary.targets) {
    const wanted = rebuilt.get(name)?.output?.images[0]?.manifest ?? null;
    if (digest !== wanted) lines.push(`${name}: ${digest}, expected ${wanted}`);
  }
  if (summary.targets.length !== rebuilt.size) lines.push('other targets');
  return lines.length === 0 ? null : [...lines, ...summary.problems.map(({ text }) => text)].join('\n');
}

function apply(tree: Tree, edit: Edit, random: Random): void {
  const style: Style = {
    replace: random.pick(['in place', 'rename']),
    times: random.pick(['now', 'fixed']),
  };
  if (edit.swap !== undefined) tree.disk.swap(...edit.swap);
  tree.disk.write(edit.model, style);
  if (edit.touch === true) tree.disk.touch(random);
}

function count(figures: Figures, kind: string, summary: RunSummary, builds: number): void {
  figures.edits += 1;
  figures.builds += builds;
  figures.hits += summary.counts.hit;
  figures.unchanged += summary.counts.unchanged;
  figures.failed += summary.counts.failed;
  figures.kinds.set(kind, (figures.kinds.get(kind) ?? 0) + 1);
}
