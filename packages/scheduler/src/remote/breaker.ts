/**
 * Leaves a remote alone after it failed, and has it tried again after a while: a run must not wait at every target for
 * a registry that is down.
 *
 * Unaware of what fails.
 */

const FIRST_MS = 15_000;
const MOST_MS = 240_000;

export class Breaker {
  readonly #clock: () => number;
  #until: number | null = null;
  #rest = FIRST_MS;
  /** One is let through, to see whether it answers again. */
  #probing = false;

  /** @param clock ms, monotonic */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** True while it is left alone. */
  get isOpen(): boolean {
    return this.#until !== null;
  }

  /** ms until somebody may ask again; 0: now. */
  get restMs(): number {
    return this.#until === null ? 0 : Math.max(0, this.#until - this.#clock());
  }

  /** Whether to ask now. Whoever was let through says how it went. */
  enter(): boolean {
    if (this.#until === null) return true;
    if (this.#probing || this.#clock() < this.#until) return false;
    this.#probing = true;
    return true;
  }

  /** Lets the next one through at once: it is the last chance. */
  hurry(): void {
    if (this.#until === null) return;
    this.#until = this.#clock();
    this.#probing = false;
  }

  worked(): void {
    this.#until = null;
    this.#probing = false;
    this.#rest = FIRST_MS;
  }

  /** It was not tried in the end. */
  undecided(): void {
    this.#probing = false;
  }

  /** @returns true where it worked before: that is news; then how long it is left alone, ms */
  failed(): { readonly isNews: boolean; readonly restMs: number } {
    const isNews = this.#until === null;
    // Those that were under way when the first one failed say nothing new.
    if (isNews || this.#probing) {
      this.#until = this.#clock() + this.#rest;
      this.#rest = Math.min(MOST_MS, this.#rest * 2);
    }
    const restMs = (this.#until ?? 0) - this.#clock();
    this.#probing = false;
    return { isNews, restMs };
  }
}
