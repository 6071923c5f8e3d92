/** For tests: a clock that goes on only when everybody waits, so that hours pass in no time. Not part of the program. */

interface Sleeper {
  readonly until: number;
  readonly wake: () => void;
}

export class Patience {
  #now = 0;
  readonly #sleepers: Sleeper[] = [];

  readonly clock = (): number => this.#now;

  readonly pause = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const sleeper: Sleeper = {
        until: this.#now + ms,
        wake: () => {
          const index = this.#sleepers.indexOf(sleeper);
          if (index !== -1) this.#sleepers.splice(index, 1);
          signal.removeEventListener('abort', sleeper.wake);
          resolve();
        },
      };
      this.#sleepers.push(sleeper);
      signal.addEventListener('abort', sleeper.wake);
    });

  /** Lets everything run until `done` settles, jumping to the next wake-up whenever nothing else happens. */
  async run<T>(done: Promise<T>): Promise<T> {
    let over = false;
    const end = done.finally(() => {
      over = true;
    });
    end.catch(() => {});
    for (;;) {
      // Whatever can go on without time passing goes on first.
      for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      if (over) return await end;
      const next = [...this.#sleepers].sort((a, b) => a.until - b.until)[0];
      if (next === undefined) continue;
      this.#now = Math.max(this.#now, next.until);
      next.wake();
    }
  }
}
