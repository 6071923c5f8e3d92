/**
 * The queue of ready builds, in p-queue's form: the most urgent build that some worker with a free place can take, and of
 * the workers that can the one where it is expected to be done first.
 *
 * Knows what workers have and what builds need, as sets and numbers; unaware of what a build is. p-queue decides when to
 * start, this decides what and where.
 */
import type { Queue } from 'p-queue';

/** A worker as placement sees it. */
export interface Slots {
  readonly id: string;
  readonly jobs: number;
  /** `os/arch[/variant]`, canonical. */
  readonly platforms: ReadonlySet<string>;
  /** Bytes that builds may be allowed in all; null: no matter. */
  readonly memory: number | null;
  /** What it need not be sent. May grow at any time. */
  readonly has: ReadonlySet<string>;
  /** Builds under way. */
  used: number;
  /** Bytes allowed to those. */
  reserved: number;
  /** Why it is set aside and takes nothing new; null where it is not. */
  lost: string | null;
}

/** What a build needs of the worker it is given to; left out: nothing. */
export interface Needs {
  /** Platforms the worker must run. */
  readonly platforms?: readonly string[];
  /** Platforms it had better run, too. */
  readonly likes?: readonly string[];
  /** Bytes it is allowed. */
  readonly memory?: number;
  /** What is sent to a worker that does not have it: its name and bytes. */
  readonly takes?: ReadonlyMap<string, number>;
  /** ms the build is expected to take on an idle worker. */
  readonly expected?: number;
}

export interface ReadyOptions {
  readonly id?: string;
  /** Higher first. */
  readonly priority?: number;
  readonly timeout?: number;
  readonly signal?: AbortSignal;
  readonly needs?: Needs;
  /** Workers that already failed it. */
  readonly avoid?: ReadonlySet<string>;
}

type Run = () => Promise<unknown>;

interface Entry {
  readonly run: Run;
  readonly id: string;
  priority: number;
  readonly needs: Needs;
  readonly avoid: ReadonlySet<string>;
}

const NOTHING: Needs = {};

/** Measured: a worker that does not have 268 MB takes them in 2.8 s, extraction included (BUILDKIT.md 9). */
const BYTES_PER_MS = 100_000;

/** Of a build that nothing is known of, ms. */
const USUAL_MS = 10_000;

/** True when the worker, idle, could do it. */
export function canRun(slots: Slots, { platforms = [], memory = 0 }: Needs): boolean {
  return (
    platforms.every((platform) => slots.platforms.has(platform)) &&
    (slots.memory === null || memory <= slots.memory)
  );
}

function hasRoom(slots: Slots, { memory = 0 }: Needs): boolean {
  return slots.memory === null || slots.reserved + memory <= slots.memory;
}

/** ms until it would be done there: what must be sent first, and itself, slowed by what runs beside it. A worker whose
 * places are all taken is assumed to be half as fast for each as one that is idle. */
export function costOf(slots: Slots, { takes, expected = USUAL_MS }: Needs): number {
  let missing = 0;
  for (const [name, bytes] of takes ?? []) if (!slots.has.has(name)) missing += bytes;
  return missing / BYTES_PER_MS + expected * (1 + slots.used / slots.jobs);
}

/**
 * The best of those that can take it now, null where none can; ties by the order in which workers were named. One that
 * failed it gets it again only where nobody else could ever have it.
 */
export function choose(all: readonly Slots[], needs: Needs, avoid: ReadonlySet<string>): Slots | null {
  let able = all.filter((slots) => slots.lost === null && canRun(slots, needs));
  const others = able.filter((slots) => !avoid.has(slots.id));
  if (others.length > 0) able = others;
  able = able.filter((slots) => slots.used < slots.jobs && hasRoom(slots, needs));
  const { likes = [] } = needs;
  const liked = able.filter((slots) => likes.every((platform) => slots.platforms.has(platform)));
  let best: Slots | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const slots of liked.length > 0 ? liked : able) {
    const cost = costOf(slots, needs);
    if (cost < least) [best, least] = [slots, cost];
  }
  return best;
}

/** Sorted by priority, then by name, so that equal runs start in equal order. */
export class ReadyQueue implements Queue<Run, ReadyOptions> {
  readonly #entries: Entry[] = [];
  readonly #slots: readonly Slots[];
  #place: { readonly slots: Slots; readonly memory: number } | null = null;

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

  /** The highest priority of those that wait, null where none does. */
  get mostUrgent(): number | null {
    return this.#entries[0]?.priority ?? null;
  }

  enqueue(run: Run, options?: ReadyOptions): void {
    const entry: Entry = {
      run,
      id: options?.id ?? '',
      priority: options?.priority ?? 0,
      needs: options?.needs ?? NOTHING,
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
    const memory = entry?.needs.memory ?? 0;
    next.slots.used += 1;
    next.slots.reserved += memory;
    this.#place = { slots: next.slots, memory };
    return entry?.run;
  }

  /** The place the build just dequeued was given, and how to give it back. p-queue calls a run in the same turn it
   * dequeues it. */
  takePlace(): { readonly slots: Slots; readonly leave: () => void } {
    const place = this.#place;
    if (place === null) throw new Error('a build started without a place');
    this.#place = null;
    const { slots, memory } = place;
    let left = false;
    const leave = (): void => {
      if (left) return;
      left = true;
      slots.used -= 1;
      slots.reserved -= memory;
    };
    return { slots, leave };
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

  #next(): { index: number; slots: Slots } | null {
    if (!this.#slots.some(({ lost, used, jobs }) => lost === null && used < jobs)) return null;
    for (const [index, { needs, avoid }] of this.#entries.entries()) {
      const slots = choose(this.#slots, needs, avoid);
      if (slots !== null) return { index, slots };
    }
    return null;
  }
}
