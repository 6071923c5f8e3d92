/**
 * Whether a run still starts things, and if not, why: halted by somebody or by a failure, which a retry may lift.
 *
 * Holds the signals that follow from it. Unaware of targets, states and workers.
 */

/** One signal for several, of which some need not be there. Its reason is that of the first to be aborted. */
export function anyOf(signal: AbortSignal, ...more: readonly (AbortSignal | undefined)[]): AbortSignal {
  const given = more.filter((each) => each !== undefined);
  return given.length === 0 ? signal : AbortSignal.any([signal, ...given]);
}

export class Ending {
  /** Why nothing new is started; null where it still is. */
  reason: string | null = null;
  /** What halted it was a failure: a retry may lift that. */
  #byFailure = false;
  readonly #cancel = new AbortController();
  #starting = new AbortController();

  /** Aborted when everything must end: what runs is cancelled. */
  get cancel(): AbortSignal {
    return this.#cancel.signal;
  }

  /** Aborted when nothing new may start: nobody waits for others' builds any more. Ask anew after a lift. */
  get starting(): AbortSignal {
    return this.#starting.signal;
  }

  /** Why a retry can not bring it back; null where it goes on or could. */
  get isFinal(): string | null {
    return this.#byFailure ? null : this.reason;
  }

  /** Starts nothing new. @returns true where that is news */
  halt(text: string, how: 'cancel' | 'finish' | 'failure'): boolean {
    const news = this.reason === null;
    if (news) {
      this.reason = text;
      this.#byFailure = how === 'failure';
    }
    if (how === 'cancel') {
      this.#byFailure = false;
      this.#cancel.abort();
    }
    this.#starting.abort();
    return news;
  }

  /** @returns true where it was halted */
  lift(): boolean {
    const lifted = this.reason !== null;
    this.reason = null;
    this.#byFailure = false;
    if (lifted) this.#starting = new AbortController();
    return lifted;
  }

  /** The run is over: whatever is still under way is of no use. */
  over(): void {
    this.#cancel.abort();
    this.#starting.abort();
  }
}
