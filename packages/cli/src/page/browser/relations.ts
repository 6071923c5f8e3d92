/** What a target needs and what needs it, and the way to it from the seed. Pure. */
import { topological } from '../chain.ts';
import type { PageTarget } from '../model.ts';

export class Relations {
  readonly #targets: readonly PageTarget[];
  readonly #dependents: readonly (readonly number[])[];
  #before: Map<number, number> | null = null;

  constructor(targets: readonly PageTarget[]) {
    this.#targets = targets;
    const dependents: number[][] = targets.map(() => []);
    targets.forEach(({ dependencies }, place) => {
      for (const needed of dependencies) dependents[needed]?.push(place);
    });
    this.#dependents = dependents;
  }

  dependencies = (target: number): readonly number[] => this.#targets[target]?.dependencies ?? [];
  dependents = (target: number): readonly number[] => this.#dependents[target] ?? [];

  /** Everything that is reached, without the target itself. */
  closure(target: number, next: (target: number) => readonly number[]): Set<number> {
    const found = new Set<number>();
    const open = [...next(target)];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (found.has(at)) continue;
      found.add(at);
      open.push(...next(at));
    }
    return found;
  }

  /** The longest way from something that needs nothing to the target, both ends included. */
  lineage(target: number): number[] {
    this.#before ??= this.#longest();
    const way: number[] = [];
    for (let at: number | undefined = target; at !== undefined; at = this.#before.get(at)) way.unshift(at);
    return way;
  }

  #longest(): Map<number, number> {
    const hops = new Map<number, number>();
    const before = new Map<number, number>();
    for (const target of topological(this.#targets)) {
      let most = -1;
      for (const needed of this.dependencies(target)) {
        const count = hops.get(needed) ?? 0;
        if (count > most) {
          most = count;
          before.set(target, needed);
        }
      }
      hops.set(target, most + 1);
    }
    return before;
  }
}
