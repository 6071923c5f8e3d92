/**
 * Workers far from here: they take dependencies straight from the remote's registry by digest, and push outputs there.
 *
 * What comes here is documents: index, manifests, configs. So layers are not unpacked and hashed by us: that each has the
 * diff id its config says, and no entry newer than it may be, is BuildKit's word then (docs/remote.md). Unaware of records.
 */
import { environmentProblem, type Problem, ProblemError } from '@stx-make/core/errors';
import type { Digest, Output } from '@stx-make/core/oci/model';
import type { PushTo } from '../buildkit/model.ts';
import { isLoopback, type RegistryPlace, repositoryOf } from '../registry/index.ts';
import type { Remote } from '../remote/index.ts';
import { realWorld } from '../sources/fetch/options.ts';
import type { Expectation } from '../store/index.ts';

/** How long a run waits for its registry where nothing goes without it, and how often it asks. */
const PATIENCE_MS = 120_000;
const PAUSE_MS = 2_000;

export class ViaRegistry {
  readonly #remote: Remote;
  readonly #place: RegistryPlace;

  constructor(remote: Remote, place: RegistryPlace) {
    this.#remote = remote;
    this.#place = place;
  }

  /** As workers know it: `HOST/PATH/core-musl`. */
  repositoryOf(target: string): string {
    return `${this.#place.host}/${repositoryOf(this.#place, target)}`;
  }

  pushTo(target: string): PushTo {
    const { origin, host } = this.#place;
    return {
      repository: this.repositoryOf(target),
      insecure: origin.protocol === 'http:' && !isLoopback(host),
    };
  }

  /** Has what a build is made from in the registry. @returns `remote-output-lost` (environment) where that can not be */
  async have(outputs: ReadonlyMap<string, Output>, signal: AbortSignal): Promise<Problem | null> {
    for (const [name, output] of outputs) {
      if (await this.#remote.ensure(name, output, signal)) continue;
      if ((await this.untilThere(signal)) && (await this.#remote.ensure(name, output, signal))) continue;
      return environmentProblem({
        code: 'remote-output-lost',
        text: `The output of ${name} is not in ${this.#remote.name}, where workers would take it from, and could not be put there.`,
        hint: 'Run again when the registry answers; without --via-registry outputs go through this machine.',
      });
    }
    return null;
  }

  /** Waits for a registry that does not answer, for a while: there is nowhere else to go. @returns whether it does */
  async untilThere(signal: AbortSignal): Promise<boolean> {
    for (let waited = 0; waited < PATIENCE_MS; waited += PAUSE_MS) {
      if (await this.#remote.answers(signal)) return true;
      // It answered, and said no.
      if (!this.#remote.isAway) return false;
      await realWorld.pause(PAUSE_MS, signal);
    }
    return false;
  }

  /** See Remote. */
  async pushed(
    target: string,
    index: Digest,
    expectation: Expectation,
    signal: AbortSignal,
  ): Promise<Output> {
    try {
      return await this.#remote.pushed(target, index, expectation, signal);
    } catch (error) {
      const isAway = error instanceof ProblemError && error.problems[0]?.code === 'remote-output-lost';
      if (!isAway || !(await this.untilThere(signal))) throw error;
      return await this.#remote.pushed(target, index, expectation, signal);
    }
  }
}
