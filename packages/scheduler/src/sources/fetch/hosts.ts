/**
 * How many transfers may run, in all and for each host, and which hosts do not answer. Unaware of HTTP.
 *
 * A host that failed several times in a row without one answer is left alone for a while: without a network 775
 * sources would else each wait for their own retries.
 */

export interface HostLimits {
  /** Transfers at once, in all. */
  readonly parallel: number;
  /** Transfers at once from one host: many mirrors refuse or slow down more. */
  readonly perHost: number;
}

/** Failures to answer in a row that make a host count as down: more than the tries of a single source. */
const FAILURES = 5;
/** How long it is left alone then, ms. */
const COOL_DOWN = 60_000;

interface HostState {
  readonly places: Places;
  failures: number;
  /** ms, monotonic; 0 where it is not down. */
  downUntil: number;
}

export class Hosts {
  readonly #limits: HostLimits;
  readonly #clock: () => number;
  readonly #all: Places;
  readonly #hosts = new Map<string, HostState>();

  /** @param clock ms, monotonic */
  constructor(limits: HostLimits, clock: () => number) {
    this.#limits = limits;
    this.#clock = clock;
    this.#all = new Places(limits.parallel);
  }

  /** Runs `work` when there is a place. The host's place is waited for first, so that nobody holds one of all
   * places only to wait for a busy host. @throws the signal's reason */
  async use<T>(host: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const own = this.#of(host).places;
    await own.take(signal);
    try {
      await this.#all.take(signal);
      try {
        return await work();
      } finally {
        this.#all.give();
      }
    } finally {
      own.give();
    }
  }

  /** True while the host is left alone. */
  isDown(host: string): boolean {
    return this.#of(host).downUntil > this.#clock();
  }

  /** The host answered, whatever it said. */
  answered(host: string): void {
    const state = this.#of(host);
    state.failures = 0;
    state.downUntil = 0;
  }

  /** The host gave no answer. */
  silent(host: string): void {
    const state = this.#of(host);
    state.failures += 1;
    if (state.failures >= FAILURES) state.downUntil = this.#clock() + COOL_DOWN;
  }

  #of(host: string): HostState {
    let state = this.#hosts.get(host);
    if (state === undefined) {
      state = { places: new Places(this.#limits.perHost), failures: 0, downUntil: 0 };
      this.#hosts.set(host, state);
    }
    return state;
  }
}

/** A number of places, given in the order they were asked for. */
export class Places {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(count: number) {
    this.#free = count;
  }

  /** @throws the signal's reason */
  async take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const go = (): void => {
        signal.removeEventListener('abort', stop);
        resolve();
      };
      const stop = (): void => {
        this.#waiting.delete(go);
        reject(signal.reason);
      };
      this.#waiting.add(go);
      signal.addEventListener('abort', stop, { once: true });
    });
  }

  give(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    // The place goes straight to the next one.
    this.#waiting.delete(next);
    next();
  }
}
