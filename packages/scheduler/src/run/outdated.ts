/**
 * Edits while a run is under way: which of its builds are of no use any more, and cancelling just those.
 *
 * An edit counts when the fingerprint of a target that was judged would be another one now, with the outputs its
 * dependencies gave. A touch, a changed licence or a file that nothing can see disturbs nothing; so does a tree that
 * can not be read just now (a half-written file): the next edit tells more. What depends on an outdated target is
 * outdated, too: its output will only be what it was where that of its dependency is, which is not to be expected.
 *
 * Unaware of queues and states: the conductor judges anew what comes back as `edited`.
 */
import { ProblemError } from '@stx-make/core/errors';
import type { GraphTarget } from '@stx-make/core/graph/model';
import type { Output } from '@stx-make/core/oci/model';
import type { Standing } from '../plan/evaluate.ts';
import { ANY_ENGINE, type Fingerprint, fingerprintTarget } from '../plan/inputs.ts';
import type { Workspace } from '../workspace.ts';
import type { Attempt, AttemptResult } from './ports.ts';

/** How a target was judged, and how far it is. */
interface Judged {
  readonly target: GraphTarget;
  readonly fingerprint: Fingerprint;
  readonly outputs: ReadonlyMap<string, Output>;
  /** A record answered, or it was built or failed. */
  settled: boolean;
}

export class Outdated {
  /** Aborted when something that is done already would have to be done anew: the run should end soon. */
  readonly finish: AbortSignal;
  readonly #workspace: Workspace;
  readonly #engine: string | null;
  readonly #judged = new Map<string, Judged>();
  /** Builds under way. */
  readonly #running = new Map<string, AbortController>();
  readonly #finishing = new AbortController();
  #looking: Promise<void> | null = null;
  #again = false;
  #closed = false;

  /** @param engine the fingerprints' */
  constructor(workspace: Workspace, engine: string | null) {
    this.#workspace = workspace;
    this.#engine = engine;
    this.finish = this.#finishing.signal;
  }

  judged(target: GraphTarget, standing: Standing, outputOf: (dependency: string) => Output): void {
    if (standing.state === 'waiting') return;
    const { fingerprint } = standing;
    const outputs = new Map(target.dependencies.map((name) => [name, outputOf(name)]));
    // Known anew: an edit was taken in.
    this.#judged.set(target.name, { target, fingerprint, outputs, settled: standing.state === 'hit' });
  }

  /** Runs a build that can be cancelled alone: then it comes back as edited. */
  async build(
    attempt: Attempt,
    work: (cancellable: Attempt) => Promise<AttemptResult>,
  ): Promise<AttemptResult> {
    const { name } = attempt.target;
    const own = new AbortController();
    this.#running.set(name, own);
    const judged = this.#judged.get(name);
    if (judged !== undefined) judged.settled = false;
    try {
      const result = await work({ ...attempt, signal: AbortSignal.any([attempt.signal, own.signal]) });
      const ours = own.signal.aborted && !attempt.signal.aborted;
      if (result.status === 'cancelled' && ours) return { status: 'edited' };
      if (judged !== undefined) judged.settled = result.status === 'built' || result.status === 'failed';
      return result;
    } finally {
      this.#running.delete(name);
    }
  }

  /** True when the recipe as it is now, with the outputs the attempt was given, still has its fingerprint. */
  async isStillWanted({ target, fingerprint, outputs }: Attempt): Promise<boolean> {
    if (this.#workspace.isUnchanged(target.recipe.id, fingerprint.files)) return true;
    return (await this.#reload()) && this.#isSame(target, fingerprint, outputs);
  }

  /** Looks at the tree again. Calls while it looks are one more look. */
  async look(): Promise<void> {
    if (this.#closed) return;
    if (this.#looking !== null) {
      this.#again = true;
      return await this.#looking;
    }
    this.#looking = this.#lookOnce();
    try {
      await this.#looking;
    } finally {
      this.#looking = null;
    }
    if (!this.#again) return;
    this.#again = false;
    await this.look();
  }

  /** Resolves when nothing of it uses the tree any more. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#looking;
  }

  async #lookOnce(): Promise<void> {
    if (!(await this.#reload())) return;
    const outdated = [...this.#judged.values()].filter(
      ({ target, fingerprint, outputs }) => !this.#isSame(target, fingerprint, outputs),
    );
    const all = this.#withDependents(outdated.map(({ target }) => target.name));
    // First: what is cancelled below must not be started anew with a dependency's old output.
    if (outdated.some(({ settled }) => settled)) this.#finishing.abort('the tree was edited');
    for (const [name, build] of this.#running) if (all.has(name)) build.abort();
  }

  #isSame(target: GraphTarget, before: Fingerprint, outputs: ReadonlyMap<string, Output>): boolean {
    const now = this.#workspace.tree.graph.targets.get(target.name);
    if (now === undefined || now.dependencies.some((name) => !outputs.has(name))) return false;
    const files = this.#workspace.filesOf(now.recipe.id);
    const outputOf = (name: string): Output => {
      const output = outputs.get(name);
      if (output === undefined) throw new Error(`${name} was checked to be there`);
      return output;
    };
    return [this.#engine ?? '', ANY_ENGINE].some(
      (engine) => fingerprintTarget(now, files, outputOf, engine).digest === before.digest,
    );
  }

  #withDependents(names: readonly string[]): Set<string> {
    const { dependents } = this.#workspace.tree.graph;
    const all = new Set(names);
    for (const name of all) for (const dependent of dependents.get(name) ?? []) all.add(dependent);
    return all;
  }

  /** False where the tree can not be read. */
  async #reload(): Promise<boolean> {
    try {
      await this.#workspace.reload();
      return true;
    } catch (error) {
      if (error instanceof ProblemError) return false;
      throw error;
    }
  }
}
