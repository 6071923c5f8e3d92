/**
 * `check`: BuildKit's own lint over a tree, on the workers, a recipe at a time on each of their places. Builds nothing
 * and needs nothing built.
 *
 * A recipe is looked at as a whole, all its build stages at once, as BuildKit does where no target is named.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseContainerfile, resolveContainerfile } from '@stx-make/core/containerfile/index';
import { environmentProblem, type Problem } from '@stx-make/core/errors';
import { meaningOf } from '@stx-make/core/graph/image';
import type { GraphTarget } from '@stx-make/core/graph/model';
import { GIVEN_CONTEXTS } from '@stx-make/core/graph/reader';
import type { Output } from '@stx-make/core/oci/model';
import { byCodeUnit } from '@stx-make/core/order';
import type { RunOptions, Session } from '../api.ts';
import { runCheck } from '../buildkit/build.ts';
import { connectWorkers } from '../buildkit/connect.ts';
import type { BuildRequest } from '../buildkit/model.ts';
import type { WorkerSet } from '../buildkit/worker-set.ts';
import { forEachLimited } from '../files/parallel.ts';
import { addressKey, engineKey, evaluateTree } from '../plan/plan.ts';
import { openPool } from '../store/index.ts';
import { closureOf, type Workspace, workspaceOf } from '../workspace.ts';
import { type CheckFinding, parseFindings } from './findings.ts';
import { openStandIns, type StandIns } from './stand-ins.ts';

/** A finding with its place in the tree. */
export interface TreeFinding extends CheckFinding {
  /** Relative to the tree's root. */
  readonly file: string;
}

export interface CheckReport {
  /** How many recipes were looked at. */
  readonly recipes: number;
  /** Sorted by file and line. */
  readonly findings: readonly TreeFinding[];
  /** Recipes BuildKit could not look at. */
  readonly problems: readonly Problem[];
  /** Workers set aside, and what else must be said. */
  readonly warnings: readonly Problem[];
}

export interface CheckControl {
  readonly stop: AbortSignal;
  /** Told what takes long. */
  readonly onActivity?: (text: string) => void;
}

/** @throws ProblemError when no worker can be had */
export async function checkTree(
  session: Session,
  options: RunOptions,
  control: CheckControl,
): Promise<CheckReport> {
  const workspace = workspaceOf(session);
  const recipes = recipesOf(workspace, options.selection);
  const outputs = await knownOutputs(workspace, options);
  const work = mkdtempSync(join(tmpdir(), 'stx-make-check-'));
  let set: WorkerSet | null = null;
  try {
    set = await connectWorkers({
      addresses: options.workers.addresses,
      jobs: options.workers.jobs,
      settings: options.workers.settings,
      limits: {},
      state: workspace.state,
      env: workspace.env,
      signal: control.stop,
      allowedImages: workspace.config.allowedImages,
      onActivity: control.onActivity,
    });
    const checker = new Checker(workspace, outputs, set, work, control.stop);
    await checker.all(recipes);
    return {
      recipes: recipes.length,
      findings: checker.findings.sort(
        (a, b) => byCodeUnit(a.file, b.file) || (a.line ?? 0) - (b.line ?? 0) || byCodeUnit(a.rule, b.rule),
      ),
      problems: checker.problems.sort((a, b) => byCodeUnit(a.file ?? '', b.file ?? '')),
      warnings: set.warnings,
    };
  } finally {
    await set?.close();
    rmSync(work, { recursive: true, force: true });
  }
}

/** One target of each selected recipe: they share everything that is looked at. */
function recipesOf({ tree }: Workspace, selection: readonly string[]): GraphTarget[] {
  const names = selection.length === 0 ? tree.graph.targets.keys() : selection;
  const recipes = new Map<string, GraphTarget>();
  for (const name of names) {
    const target = tree.graph.targets.get(name);
    if (target !== undefined && !recipes.has(target.recipe.id)) recipes.set(target.recipe.id, target);
  }
  return [...recipes.values()];
}

/** The outputs that records answer for, without asking a daemon. */
async function knownOutputs(workspace: Workspace, options: RunOptions): Promise<ReadonlyMap<string, Output>> {
  const state = workspace.openState();
  const pool = openPool(state.paths, state.ledgers.blobs);
  const order = closureOf(workspace.tree, options.selection);
  const engine = engineKey(state.engineAt(addressKey(options.workers.addresses)), options.strictEngine);
  const plain = { ...options, noCache: false };
  const outputs = new Map<string, Output>();
  for (const [name, standing] of await evaluateTree(workspace, state, pool, order, engine, plain)) {
    if (standing.state === 'hit') outputs.set(name, standing.record.output);
  }
  return outputs;
}

class Checker {
  readonly findings: TreeFinding[] = [];
  readonly problems: Problem[] = [];
  readonly #workspace: Workspace;
  readonly #outputs: ReadonlyMap<string, Output>;
  readonly #set: WorkerSet;
  readonly #work: string;
  readonly #stop: AbortSignal;
  readonly #standIns: StandIns;

  constructor(
    workspace: Workspace,
    outputs: ReadonlyMap<string, Output>,
    set: WorkerSet,
    work: string,
    stop: AbortSignal,
  ) {
    this.#workspace = workspace;
    this.#outputs = outputs;
    this.#set = set;
    this.#work = work;
    this.#stop = stop;
    this.#standIns = openStandIns(join(work, 'images'), workspace.state.pool);
  }

  /** Each worker takes the next recipe as it has a place. */
  async all(recipes: readonly GraphTarget[]): Promise<void> {
    const queue = recipes.values();
    await Promise.all(
      this.#set.workers.map(({ info }) =>
        forEachLimited(queue, info.jobs, (target) => this.#one(target, info.id)),
      ),
    );
  }

  async #one(target: GraphTarget, worker: string): Promise<void> {
    if (this.#stop.aborted) return;
    const file = `${target.recipe.dir}/Containerfile`;
    const folder = join(this.#work, target.name);
    const result = await runCheck(this.#request(target, folder), {
      address: this.#set.addressOf(worker),
      buildctl: this.#set.buildctl,
      env: this.#workspace.env,
      policyFile: this.#set.policyFile,
      logFile: join(folder, 'log'),
      signal: this.#stop,
    });
    if (this.#stop.aborted) return;
    if (result.failure === null) {
      for (const finding of parseFindings(result.text)) this.findings.push({ ...finding, file });
      return;
    }
    const { cause, line } = result.failure;
    const problem = environmentProblem({
      code: 'check-failed',
      text: `BuildKit could not check this: ${cause}`,
      file,
      line: line ?? undefined,
    });
    // What BuildKit says of the file itself is the file's fault.
    this.problems.push(result.failure.kind === 'infrastructure' ? problem : { ...problem, tag: 'build' });
  }

  #request(target: GraphTarget, folder: string): BuildRequest {
    const { recipe } = target;
    const source = join(this.#workspace.root, recipe.dir);
    const fetchDir = join(folder, 'fetch');
    mkdirSync(fetchDir, { recursive: true });
    const contextDir = join(folder, 'context');
    mkdirSync(contextDir);
    copyFileSync(join(source, 'Containerfile'), join(contextDir, 'Containerfile'));
    for (const path of ['.dockerignore', 'Containerfile.dockerignore']) {
      if (this.#workspace.filesOf(recipe.id).has(path))
        copyFileSync(join(source, path), join(contextDir, path));
    }
    const [platform = this.#workspace.platform] = target.platforms;
    const { dependencies, guessed } = this.#images(target, platform, join(contextDir, 'Containerfile'));
    return {
      target: target.name,
      recipe: recipe.id,
      platforms: [platform],
      // None: BuildKit then looks at all build stages.
      buildTarget: null,
      buildArgs: guessed ? withoutUndefinedVar(target.buildArgs) : target.buildArgs,
      version: recipe.version ?? 'latest',
      tag: target.tag,
      contextDir,
      fetchDir,
      dependencies,
      pool: this.#standIns.root,
      cache: 'cache',
      limits: {},
    };
  }

  /** An image for every name in the file, also in build stages that no target reaches. `guessed`: something starts from
   * an image that is not here, so what variables it sets is not known. */
  #images(
    target: GraphTarget,
    platform: string,
    file: string,
  ): { readonly dependencies: BuildRequest['dependencies']; readonly guessed: boolean } {
    const parsed = parseContainerfile(readFileSync(file), `${target.recipe.dir}/Containerfile`);
    const resolved = resolveContainerfile(parsed, {
      target: null,
      platform,
      buildArgs: target.buildArgs,
      contexts: GIVEN_CONTEXTS,
    });
    let guessed = false;
    const dependencies = new Map<string, BuildRequest['dependencies'][number]>();
    for (const reference of [...resolved.references, ...resolved.unreachableReferences]) {
      const meaning = meaningOf(reference.image);
      if (meaning.kind === 'malformed' || GIVEN_CONTEXTS.has(meaning.context)) continue;
      const wanted = reference.platform ?? platform;
      const output = meaning.kind === 'target' ? this.#outputs.get(meaning.target) : undefined;
      const image = output?.images.find((each) => each.platform === wanted) ?? output?.images[0];
      const real = image === undefined ? null : this.#standIns.real(image);
      guessed ||= real === null && reference.kind === 'from';
      dependencies.set(meaning.context, {
        name: meaning.context,
        digest: real ?? this.#standIns.empty(wanted),
      });
    }
    return { dependencies: [...dependencies.values()], guessed };
  }
}

/** With an empty image in a base's place every variable of the base would be undefined. */
function withoutUndefinedVar(buildArgs: GraphTarget['buildArgs']): GraphTarget['buildArgs'] {
  const options = buildArgs['BUILDKIT_DOCKERFILE_CHECK'] ?? '';
  return {
    ...buildArgs,
    BUILDKIT_DOCKERFILE_CHECK: options.replace(/skip=([^;]*)/, 'skip=$1,UndefinedVar'),
  };
}
