/**
 * The workers of a run and the queue in front of them: p-queue starts builds, placement chooses which and where.
 *
 * Unaware of what a build is, of targets' states and of how a lost worker is had back.
 */
import PQueue from 'p-queue';
import { type ReadyOptions, ReadyQueue, type Slots } from './placement.ts';

/** One worker, as the run was given it. */
export interface RosterWorker {
  readonly id: string;
  readonly jobs: number;
  readonly platforms: readonly string[];
}

export class Roster {
  readonly #slots: Slots[];
  readonly #ready: ReadyQueue;
  readonly #queue: PQueue<ReadyQueue, ReadyOptions>;

  constructor(workers: readonly RosterWorker[]) {
    this.#slots = workers.map(({ id, jobs, platforms }) => ({
      id,
      jobs,
      platforms: new Set(platforms),
      used: 0,
      lost: false,
    }));
    this.#ready = new ReadyQueue(this.#slots);
    const ready = this.#ready;
    this.#queue = new PQueue<ReadyQueue, ReadyOptions>({
      concurrency: this.#capacity(),
      queueClass: class {
        constructor() {
          // biome-ignore lint/correctness/noConstructorReturn: p-queue makes the queue itself; ours needs the workers
          return ready;
        }
      } as unknown as new () => ReadyQueue,
    });
  }

  /** Calls `build` with its place when there is one for it. It must not reject. */
  add(build: (place: Slots) => Promise<void>, options: ReadyOptions): void {
    void this.#queue.add(async () => {
      const place = this.#ready.takePlace();
      try {
        await build(place);
      } finally {
        place.used -= 1;
      }
    }, options);
  }

  pause(): void {
    this.#queue.pause();
  }

  resume(): void {
    this.#queue.start();
  }

  /** Forgets all builds that wait for a place. */
  clear(): void {
    this.#ready.clear();
  }

  /** Forgets one that waits. */
  remove(name: string): void {
    this.#ready.remove(name);
  }

  /** Whether a worker that is there, or may come back, can build for all the platforms. */
  canEverRun(platforms: readonly string[]): boolean {
    return this.#slots.some((slots) => platforms.every((platform) => slots.platforms.has(platform)));
  }

  /**
   * Sets a worker aside, so that it gets nothing new, until `revive` has it back; else it is given up for good.
   * @returns null where it was set aside already
   */
  lose(slots: Slots, revive: () => Promise<boolean>): Promise<'back' | 'gone'> | null {
    if (slots.lost) return null;
    slots.lost = true;
    this.#queue.concurrency = this.#capacity();
    return revive().then((back) => {
      if (!back) {
        this.#slots.splice(this.#slots.indexOf(slots), 1);
        return 'gone';
      }
      slots.lost = false;
      // Setting it makes p-queue look at the queue again.
      this.#queue.concurrency = this.#capacity();
      return 'back';
    });
  }

  /** Resolves when no build runs. */
  onIdle(): Promise<void> {
    return this.#queue.onIdle();
  }

  #capacity(): number {
    return Math.max(
      1,
      this.#slots.reduce((sum, slots) => sum + (slots.lost ? 0 : slots.jobs), 0),
    );
  }
}
