/**
 * Watches builds on one worker for signs of life: one that says nothing for a while may just be quiet, so its worker is asked;
 * where that does not answer either, it hangs and its builds are ended.
 *
 * Unaware of what a build is and of how a worker is asked.
 */

/** What came of a build under watch: its own result, or the worker gave no sign of life for so many seconds. */
export type Watched<T> = { readonly result: T } | { readonly silent: number };

/** A build as it is watched. */
export interface Watch {
  /** Aborted: the build is of no use any more. */
  readonly signal: AbortSignal;
  /** To be called whenever it says anything. */
  readonly sign: () => void;
}

export class Health {
  readonly #ping: () => Promise<boolean>;
  readonly #patienceMs: number;
  /** The question under way: one for all builds. */
  #asked: Promise<boolean> | null = null;

  /** @param patienceMs silence after which the worker is asked */
  constructor(ping: () => Promise<boolean>, patienceMs: number) {
    this.#ping = ping;
    this.#patienceMs = patienceMs;
  }

  async watch<T>(signal: AbortSignal, work: (watch: Watch) => Promise<T>): Promise<Watched<T>> {
    const hung = new AbortController();
    const began = performance.now();
    let last = began;
    let silent: number | null = null;
    let timer: NodeJS.Timeout | undefined;
    let ended = false;
    const look = async (): Promise<void> => {
      const before = last;
      if (performance.now() - before >= this.#patienceMs) {
        // Twice: one question may be lost, or be asked of a machine that swaps.
        const alive = (await this.#isAlive()) || (await this.#isAlive());
        if (ended) return;
        if (!alive && last === before) {
          silent = Math.round((performance.now() - last) / 1_000);
          ended = true;
          hung.abort();
          return;
        }
        if (alive) last = performance.now();
      }
      arm();
    };
    const arm = (): void => {
      const rest = Math.max(50, last + this.#patienceMs - performance.now());
      timer = setTimeout(() => void look(), rest);
    };
    arm();
    try {
      const result = await work({
        signal: AbortSignal.any([signal, hung.signal]),
        sign: () => {
          last = performance.now();
        },
      });
      return silent === null ? { result } : { silent };
    } finally {
      clearTimeout(timer);
      ended = true;
    }
  }

  #isAlive(): Promise<boolean> {
    this.#asked ??= this.#ping().finally(() => {
      this.#asked = null;
    });
    return this.#asked;
  }
}
