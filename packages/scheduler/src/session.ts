/**
 * Opens a tree: finds it, reads it, and keeps what the commands need of it.
 */
import { join, resolve } from 'node:path';
import { allowedImagesOf } from '@stx-make/core/config/allowed';
import { environmentProblem, type Problem, ProblemError } from '@stx-make/core/errors';
import type { LoadedTree } from '@stx-make/core/graph/model';
import type { MakePlan, OpenSession, Session, SessionOptions } from './api.ts';
import { type Config, platformOf, readTreeConfig } from './config.ts';
import { makeFolderDurable } from './files/durable.ts';
import { defaultStateRoot, statePaths } from './paths.ts';
import type { RecipeFiles } from './plan/inputs.ts';
import type { Driver } from './run/driver.ts';
import { openState, type State } from './state/state.ts';
import { type FoundTree, findTree } from './tree/find.ts';
import { type LoadedFiles, loadTreeFiles, recipeFiles } from './tree/load.ts';
import { scanFolder } from './tree/scan.ts';
import { type Workspace, workspaceOf } from './workspace.ts';

/** @throws ProblemError: no tree, or every error of the tree */
export const openSession: OpenSession = (options) =>
  openSessionWith(options, async () => (await import('./buildkit/crew.ts')).buildkitDriver);

/** The same with another builder: for tests. */
export async function openSessionWith(
  options: SessionOptions,
  driver: () => Promise<Driver>,
): Promise<Workspace> {
  const found = findTree(options);
  const config = await readTreeConfig(found.root, options.env);
  const session = new OpenedSession(found, options, config, driver);
  try {
    await session.load(options.outline === true);
  } catch (error) {
    session.close();
    throw error;
  }
  return session;
}

class OpenedSession implements Workspace {
  readonly root: string;
  readonly treeKey: string;
  readonly out: string;
  readonly state;
  readonly platform: string;
  readonly config: Config;
  readonly fellBack: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly driver: () => Promise<Driver>;
  readonly #found: FoundTree;
  #opened: State | null = null;
  #loaded: LoadedFiles | null = null;
  readonly #files = new Map<string, RecipeFiles>();

  constructor(found: FoundTree, options: SessionOptions, config: Config, driver: () => Promise<Driver>) {
    this.config = config;
    this.driver = driver;
    this.#found = found;
    this.root = found.root;
    this.treeKey = found.root;
    this.fellBack = found.fellBack;
    this.env = options.env;
    this.out = resolve(options.cwd, options.out || resolve(found.root, 'out'));
    this.state = statePaths(resolve(options.cwd, defaultStateRoot(options.state, options.env)));
    this.platform = platformOf(options, config);
  }

  get tree(): LoadedTree {
    if (this.#loaded === null) throw new Error('the tree was not loaded');
    return this.#loaded.tree;
  }

  openState(): State {
    if (this.#opened === null) {
      makeFolder(this.state.root);
      this.#opened = openState(this.state, Date.now);
    }
    return this.#opened;
  }

  filesOf(recipe: string): RecipeFiles {
    let files = this.#files.get(recipe);
    if (files === undefined) {
      const known = this.#loaded?.files.get(recipe);
      if (known === undefined) throw new Error(`no recipe ${recipe} in this tree`);
      files = recipeFiles(known);
      this.#files.set(recipe, files);
    }
    return files;
  }

  get content(): string {
    if (this.#loaded === null) throw new Error('the tree was not loaded');
    return this.#loaded.content;
  }

  get isOutline(): boolean {
    return this.#loaded?.outline === true;
  }

  isUnchanged(recipe: string, files: RecipeFiles): boolean {
    const known = this.#loaded?.files.get(recipe);
    if (known === undefined) return false;
    const dir = join(this.#found.base, recipe);
    let now: ReturnType<typeof scanFolder>;
    try {
      now = scanFolder(this.root, dir, known, Date.now);
    } catch {
      return false;
    }
    return (
      now.files.length === files.size &&
      now.problems.length === 0 &&
      now.files.every((file) => {
        const before = files.get(file.path);
        return before?.digest === file.digest && before.mode === file.mode;
      })
    );
  }

  async complete(): Promise<LoadedTree> {
    const whole = (await this.#loaded?.complete?.()) ?? null;
    if (this.#loaded === null || whole === null) return await this.load(false);
    this.#loaded = { ...this.#loaded, tree: whole, outline: false };
    return whole;
  }

  reload(): Promise<LoadedTree> {
    return this.load(false);
  }

  async load(outline: boolean): Promise<LoadedTree> {
    this.#loaded = await loadTreeFiles({
      found: this.#found,
      platform: this.platform,
      allowedImages: allowedImagesOf(this.config),
      database: this.#snapshotDatabase(),
      now: Date.now,
      outline,
    });
    this.#files.clear();
    return this.#loaded.tree;
  }

  close(): void {
    this.#opened?.close();
    this.#opened = null;
  }

  /** A tree can be looked at where the state folder can not be written; what needs the state says so then. */
  #snapshotDatabase() {
    try {
      return this.openState().database;
    } catch (error) {
      if (error instanceof ProblemError) return null;
      throw error;
    }
  }
}

function makeFolder(path: string): void {
  try {
    makeFolderDurable(path);
  } catch (error) {
    throw new ProblemError(stateProblem(path, error), { cause: error });
  }
}

function stateProblem(path: string, error: unknown): Problem {
  return environmentProblem({
    code: 'state-unusable',
    text: `The state folder can not be made: ${error instanceof Error ? error.message : String(error)}.`,
    file: path,
    hint: 'Name another with --state DIR or STX_MAKE_STATE.',
  });
}

/** The parts of a session's work are imported when they are asked for; `run` sees to it itself. */
export { run } from './run/run.ts';
export const makePlan: MakePlan = async (...args) => (await import('./plan/plan.ts')).makePlan(...args);

/** A self-contained sh script of the exact buildctl calls for a target and all it needs. */
export async function planCommands(session: Session, target: string): Promise<string> {
  return (await import('./plan/commands.ts')).planCommands(workspaceOf(session), target);
}
