/**
 * The workers of a run and the queue in front of them: p-queue starts builds, placement chooses which and where.
 *
 * Unaware of what a build is, of targets' states and of how a lost worker is had back.
 */
import PQueue from 'p-queue';
import { canRun, type Needs, type ReadyOptions, ReadyQueue, type Slots } from './placement.ts';
import { LooseWork } from './tries.ts';

/** One worker, as the run was given it. */
export interface RosterWorker {
  readonly id: string;
  readonly jobs: number;
  /** Canonical. */
  readonly platforms: readonly string[];
  /** Bytes for the builds on it in all; null or left out: no matter. */
  readonly memory?: number | null | undefined;
  /** What it need not be sent; may grow. */
  readonly has?: ReadonlySet<string> | undefined;
}

/** Where a build runs, until it ends or leaves. */
export interface Place {
  readonly slots: Slots;
  /** The worker has room again: what follows from the build may come there. */
  vacate(): void;
  /** The next build is started. */
  leave(): void;
}

const NOTHING: ReadonlySet<string> = new Set();

export class Roster {
  /** Of each worker that was given up, why. */
  readonly gone: string[] = [];
  readonly #slots: Slots[];
  readonly #ready: ReadyQueue;
  readonly #queue: PQueue<ReadyQueue, ReadyOptions>;
  readonly #working = new LooseWork();

  constructor(workers: readonly RosterWorker[]) {
    this.#slots = workers.map(({ id, jobs, platforms, memory, has }) => ({
      id,
      jobs,
      platforms: new Set(platforms),
      memory: memory ?? null,
      has: has ?? NOTHING,
      used: 0,
      reserved: 0,
      lost: null,
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
  add(build: (place: Place) => Promise<void>, options: ReadyOptions): void {
    void this.#queue.add(async () => {
      const { slots, leave: vacate } = this.#ready.takePlace();
      const left = Promise.withResolvers<void>();
      const leave = (): void => {
        vacate();
        left.resolve();
      };
      this.#working.track(build({ slots, vacate, leave }).finally(leave));
      await left.promise;
    }, options);
  }

  /** Priority of the most urgent build that waits, null where none does. */
  get mostUrgent(): number | null {
    return this.#ready.mostUrgent;
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

  /** Whether a worker that is there, or may come back, can ever do it. */
  canEverRun(needs: Needs): boolean {
    return this.#slots.some((slots) => canRun(slots, needs));
  }

  /** Whether one that is there can. */
  canRunNow(needs: Needs): boolean {
    return this.#slots.some((slots) => slots.lost === null && canRun(slots, needs));
  }

  /**
   * Sets a worker aside, so that it gets nothing new, until `revive` has it back; else it is given up for good.
   * @returns null where it was set aside already
   */
  lose(slots: Slots, why: string, revive: () => Promise<boolean>): Promise<'back' | 'gone'> | null {
    if (slots.lost !== null) return null;
    slots.lost = why;
    this.#queue.concurrency = this.#capacity();
    return revive().then((back) => {
      if (!back) {
        this.#slots.splice(this.#slots.indexOf(slots), 1);
        this.gone.push(why);
        return 'gone';
      }
      slots.lost = null;
      // Setting it makes p-queue look at the queue again.
      this.#queue.concurrency = this.#capacity();
      return 'back';
    });
  }

  /** Resolves when no build runs. */
  async onIdle(): Promise<void> {
    await this.#queue.onIdle();
    await this.#working.settled();
  }

  #capacity(): number {
    return Math.max(
      1,
      this.#slots.reduce((sum, slots) => sum + (slots.lost === null ? slots.jobs : 0), 0),
    );
  }
}
