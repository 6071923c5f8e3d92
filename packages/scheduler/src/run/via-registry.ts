/**
 * Workers far from here: they take dependencies straight from the remote's registry by digest, and push outputs there.
 *
 * What comes here is documents: index, manifests, configs. So layers are not unpacked and hashed by us: that each has the
 * diff id its config says, and no entry newer than it may be, is BuildKit's word then (docs/remote.md). Unaware of records.
 */
import { environmentProblem, type Problem } from '@stx-make/core/errors';
import type { Digest, Output } from '@stx-make/core/oci/model';
import type { PushTo } from '../buildkit/model.ts';
import { isLoopback, type RegistryPlace, repositoryOf } from '../registry/index.ts';
import type { Remote } from '../remote/index.ts';
import type { Expectation } from '../store/index.ts';

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
      return environmentProblem({
        code: 'remote-output-lost',
        text: `The output of ${name} is not in ${this.#remote.name}, where workers would take it from, and could not be put there.`,
        hint: 'Run again when the registry answers; without --via-registry outputs go through this machine.',
      });
    }
    return null;
  }

  /** See Remote. */
  pushed(target: string, index: Digest, expectation: Expectation, signal: AbortSignal): Promise<Output> {
    return this.#remote.pushed(target, index, expectation, signal);
  }
}
