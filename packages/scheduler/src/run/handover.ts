/**
 * When a build leaves its place to the next one: as soon as the worker has given all, unless what its end makes ready is
 * more urgent than what waits. Then the place is kept for that: a long build that is not urgent would else take it
 * moments before.
 *
 * Unaware of what a build is.
 */
import type { Relations } from './relations.ts';
import type { Place, Roster } from './roster.ts';
import type { LooseWork } from './tries.ts';

/** How long what follows may take to become ready, ms. Longer is a download, and no place is kept for one. */
const PATIENCE_MS = 100;

export class Handover {
  readonly #relations: Relations;
  readonly #roster: Roster;
  readonly #work: LooseWork;
  readonly #priorityOf: (name: string) => number;

  /** @param work in which it is decided what becomes of a target, by its name */
  constructor(relations: Relations, roster: Roster, work: LooseWork, priorityOf: (name: string) => number) {
    this.#relations = relations;
    this.#roster = roster;
    this.#work = work;
    this.#priorityOf = priorityOf;
  }

  /** The worker has given all that was built of `name`. */
  exported(name: string, place: Place): void {
    if (this.#urgent(this.#relations.lastFor(name)).length === 0) place.leave();
  }

  /** All is said of a build. @param freed what waited for nothing else. Leaves when that is ready. */
  async over(freed: readonly string[], place: Place): Promise<void> {
    const urgent = this.#urgent(freed);
    if (urgent.length > 0) {
      const enough = Promise.withResolvers<void>();
      const timer = setTimeout(enough.resolve, PATIENCE_MS);
      const decided = Promise.allSettled(urgent.map((name) => this.#work.ended(name)));
      await Promise.race([decided, enough.promise]);
      clearTimeout(timer);
    }
    place.leave();
  }

  #urgent(names: readonly string[]): string[] {
    const waiting = this.#roster.mostUrgent ?? Number.NEGATIVE_INFINITY;
    return names.filter((name) => this.#priorityOf(name) > waiting);
  }
}
