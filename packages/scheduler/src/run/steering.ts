/**
 * What can be asked of a run under way, from its beginning on: a pause asked for while it still waits for a lock
 * holds when building would begin.
 *
 * Unaware of who asks and how (keys, a socket).
 */
import type { RunSteering } from '../api.ts';
import type { Emit } from './ports.ts';

/** The conductor, as it is steered. */
export interface Steered {
  /** Starts nothing new; what runs goes on. */
  pause(): void;
  resume(): void;
  /** @returns null, or why not */
  retry(target: string): string | null;
}

export class Steering implements RunSteering {
  readonly #emit: Emit;
  readonly #keep: () => string;
  #steered: Steered | null = null;
  #paused = false;
  #closed = false;

  /** @param keep keeps the run's events from now on, the earlier ones too; @returns the file */
  constructor(emit: Emit, keep: () => string) {
    this.#emit = emit;
    this.#keep = keep;
  }

  /** Building begins. */
  begin(steered: Steered): void {
    this.#steered = steered;
    if (this.#paused) steered.pause();
  }

  /** The run is over: nothing can be asked of it any more. */
  close(): void {
    this.#closed = true;
    this.#steered = null;
  }

  pause(): void {
    if (this.#paused || this.#closed) return;
    this.#paused = true;
    this.#emit({ type: 'paused' });
    this.#steered?.pause();
  }

  resume(): void {
    if (!this.#paused || this.#closed) return;
    this.#paused = false;
    this.#emit({ type: 'resumed' });
    this.#steered?.resume();
  }

  retry(target: string): string | null {
    if (this.#closed) return 'the run is over';
    return this.#steered === null ? 'nothing was built yet' : this.#steered.retry(target);
  }

  keepEvents(): string {
    return this.#keep();
  }
}
