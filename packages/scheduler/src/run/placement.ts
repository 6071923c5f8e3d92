/**
 * The queue of ready builds, in p-queue's form: the most urgent build that some worker with a free place can take.
 *
 * Knows worker capacities and platforms; unaware of what a build is. p-queue decides when to start, this decides
 * what and where.
 */
import type { Queue } from 'p-queue';

/** A worker as placement sees it. */
export interface Slots {
  readonly id: string;
  readonly jobs: number;
  /** `os/arch[/variant]`. */
  readonly platforms: ReadonlySet<string>;
  /** Builds under way. */
  used: number;
  /** Set aside: takes nothing new. */
  lost: boolean;
}

export interface ReadyOptions {
  readonly id?: string;
  /** Higher first. */
  readonly priority?: number;
  readonly timeout?: number;
  readonly signal?: AbortSignal;
  readonly platforms?: readonly string[];
  /** Workers that already failed it. */
  readonly avoid?: ReadonlySet<string>;
}

type Run = () => Promise<unknown>;

interface Entry {
  readonly run: Run;
  readonly id: string;
  priority: number;
  readonly platforms: readonly string[];
  readonly avoid: ReadonlySet<string>;
}

/** True when the worker can run builds for all the platforms. */
export function canRun(slots: Slots, platforms: readonly string[]): boolean {
  return platforms.every((platform) => slots.platforms.has(platform));
}

/** Sorted by priority, then by name, so that equal runs start in equal order. */
export class ReadyQueue implements Queue<Run, ReadyOptions> {
  readonly #entries: Entry[] = [];
  readonly #slots: readonly Slots[];
  #place: Slots | null = null;

  constructor(slots: readonly Slots[]) {
    this.#slots = slots;
  }

  /** How many could start now, as far as p-queue must know: zero or not. */
  get size(): number {
    return this.#next() === null ? 0 : this.#entries.length;
  }

  /** All that wait, placeable or not. */
  get waiting(): number {
    return this.#entries.length;
  }

  enqueue(run: Run, options?: ReadyOptions): void {
    const entry: Entry = {
      run,
      id: options?.id ?? '',
      priority: options?.priority ?? 0,
      platforms: options?.platforms ?? [],
      avoid: options?.avoid ?? new Set(),
    };
    const before = (other: Entry): boolean =>
      other.priority > entry.priority || (other.priority === entry.priority && other.id <= entry.id);
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#entries[middle];
      if (other !== undefined && before(other)) low = middle + 1;
      else high = middle;
    }
    this.#entries.splice(low, 0, entry);
  }

  /** Takes the most urgent placeable build and reserves its place; `takePlace` tells which, right after. */
  dequeue(): Run | undefined {
    const next = this.#next();
    if (next === null) return undefined;
    const [entry] = this.#entries.splice(next.index, 1);
    next.slots.used += 1;
    this.#place = next.slots;
    return entry?.run;
  }

  /** The place the build just dequeued was given. p-queue calls a run in the same turn it dequeues it. */
  takePlace(): Slots {
    const place = this.#place;
    if (place === null) throw new Error('a build started without a place');
    this.#place = null;
    return place;
  }

  filter(): Run[] {
    return this.#entries.map((entry) => entry.run);
  }

  setPriority(id: string, priority: number): void {
    const index = this.#entries.findIndex((entry) => entry.id === id);
    const [entry] = index === -1 ? [] : this.#entries.splice(index, 1);
    if (entry !== undefined) this.enqueue(entry.run, { ...entry, priority });
  }

  remove(idOrRun: string | Run): void {
    const index = this.#entries.findIndex((entry) => entry.id === idOrRun || entry.run === idOrRun);
    if (index !== -1) this.#entries.splice(index, 1);
  }

  /** Forgets all that wait. */
  clear(): void {
    this.#entries.length = 0;
  }

  /** Whether any worker that is still there could ever take this. */
  isPlaceable(platforms: readonly string[]): boolean {
    return this.#slots.some((slots) => !slots.lost && canRun(slots, platforms));
  }

  #next(): { index: number; slots: Slots } | null {
    const free = this.#slots.filter((slots) => !slots.lost && slots.used < slots.jobs);
    if (free.length === 0) return null;
    // The least loaded first; ties by the order in which the workers were named.
    free.sort((a, b) => a.used / a.jobs - b.used / b.jobs);
    for (const [index, entry] of this.#entries.entries()) {
      const able = free.filter((candidate) => canRun(candidate, entry.platforms));
      const slots = able.find((candidate) => !entry.avoid.has(candidate.id)) ?? able[0];
      if (slots !== undefined) return { index, slots };
    }
    return null;
  }
}
