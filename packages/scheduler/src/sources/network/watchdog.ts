/**
 * Time limits of one attempt: until the answer's head, of the whole, and for a body that hardly moves.
 *
 * Unaware of HTTP: it aborts a signal and says why.
 */
import { AttemptError } from './failure.ts';

export interface TimeLimits {
  /** Until the head of the answer is here: DNS, connect, TLS, proxy, redirects. ms. */
  readonly answerMs: number;
  /** The whole attempt. What came is kept for the next one. ms. */
  readonly totalMs: number;
  /** In every such stretch of a body at least `stallBytes` must come. ms. */
  readonly stallMs: number;
  readonly stallBytes: number;
}

export class Watchdog {
  readonly #controller = new AbortController();
  readonly #limits: TimeLimits;
  readonly #total: NodeJS.Timeout;
  #timer: NodeJS.Timeout;
  #bytes = 0;

  constructor(limits: TimeLimits) {
    this.#limits = limits;
    this.#total = setTimeout(
      () => this.#fire('timeout', `not whole after ${seconds(limits.totalMs)}`),
      limits.totalMs,
    );
    this.#timer = setTimeout(
      () => this.#fire('timeout', `no answer within ${seconds(limits.answerMs)}`),
      limits.answerMs,
    );
  }

  /** Aborted, with an AttemptError as its reason, when a limit is passed. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The head is here, or a body of ours is under way: from now on the body's pace counts. */
  answered(): void {
    clearInterval(this.#timer);
    const { stallMs, stallBytes } = this.#limits;
    this.#timer = setInterval(() => {
      const text = this.#bytes === 0 ? 'nothing came' : `only ${this.#bytes} bytes came`;
      if (this.#bytes < stallBytes) this.#fire('stalled', `${text} in ${seconds(stallMs)}`);
      this.#bytes = 0;
    }, stallMs);
  }

  received(bytes: number): void {
    this.#bytes += bytes;
  }

  /** A body of ours is sent: the answer to it is waited for, as long as for any other. */
  sent(): void {
    clearInterval(this.#timer);
    const { answerMs } = this.#limits;
    this.#timer = setTimeout(
      () => this.#fire('timeout', `no answer within ${seconds(answerMs)} of the last byte sent`),
      answerMs,
    );
  }

  stop(): void {
    clearTimeout(this.#total);
    clearInterval(this.#timer);
  }

  #fire(kind: 'timeout' | 'stalled', text: string): void {
    this.stop();
    this.#controller.abort(new AttemptError(kind, text, true));
  }
}

function seconds(ms: number): string {
  return `${ms / 1000} s`;
}
