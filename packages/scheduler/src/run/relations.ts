/**
 * Who needs whom in a run, and what each target still waits for. Works on names; unaware of states and builds.
 */
import type { GraphTarget } from '@stx-make/core/graph/model';

/** A chain of reasons longer than this helps nobody; the cause is always its last link. */
const LONGEST_CHAIN = 12;

export class Relations {
  readonly #dependents = new Map<string, string[]>();
  /** Dependencies still without an output. */
  readonly #open = new Map<string, number>();

  /** @param order all targets of the run */
  constructor(order: readonly GraphTarget[]) {
    for (const { name, dependencies } of order) {
      this.#open.set(name, dependencies.length);
      for (const dependency of dependencies) {
        const list = this.#dependents.get(dependency);
        if (list === undefined) this.#dependents.set(dependency, [name]);
        else list.push(name);
      }
    }
  }

  /** All it needs has an output. */
  isOpen(name: string): boolean {
    return this.#open.get(name) === 0;
  }

  /** Those that wait for nothing but this one. */
  lastFor(name: string): string[] {
    return (this.#dependents.get(name) ?? []).filter((dependent) => this.#open.get(dependent) === 1);
  }

  /** Takes down that a target has an output. @returns those that wait for nothing any more */
  provide(name: string): string[] {
    const free: string[] = [];
    for (const dependent of this.#dependents.get(name) ?? []) {
      const open = (this.#open.get(dependent) ?? 0) - 1;
      this.#open.set(dependent, open);
      if (open === 0) free.push(dependent);
    }
    return free;
  }

  /**
   * Everything that needs `cause`, each once, nearest first, with the nearest part of the chain down to the cause.
   * What `skip` says no to is left out, with all that only it leads to.
   */
  *behind(
    cause: string,
    skip: (name: string) => boolean,
  ): Generator<readonly [name: string, because: readonly string[]]> {
    const reached: [name: string, because: readonly string[]][] = [[cause, [cause]]];
    for (const [name, because] of reached) {
      for (const dependent of this.#dependents.get(name) ?? []) {
        if (skip(dependent)) continue;
        yield [dependent, because];
        reached.push([dependent, [dependent, ...because.slice(0, -1).slice(0, LONGEST_CHAIN - 2), cause]]);
      }
    }
  }
}
