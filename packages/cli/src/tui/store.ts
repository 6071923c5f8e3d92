/**
 * The run as the screen sees it: events are folded in as they come, the screen is told at most ten times a
 * second, and once a second while only clocks move.
 *
 * Timers and clock are given. Unaware of React and of what is shown.
 */
import type { EventSink } from '@stx-make/core/events';
import { type Estimate, estimate } from '../view/estimate.ts';
import { emptyView, type RunView } from '../view/model.ts';
import { fold } from '../view/state.ts';

/** Shortest time between two frames, ms (STYLE.md: ten a second at most). */
export const FRAME_MS = 100;
/** Longest time between two frames while something runs, ms: clocks in whole seconds. */
const TICK_MS = 1_000;

export interface StoreTimers {
  /** Calls back once; @returns how to call it off. */
  readonly after: (ms: number, callback: () => void) => () => void;
  /** Monotonic ms. */
  readonly clock: () => number;
}

/** What one frame is made of. A new object for every frame: its identity says that something changed. */
export interface Frame {
  readonly view: RunView;
  /** ms since the run began. */
  readonly now: number;
  readonly estimate: Estimate | null;
}

export class RunStore {
  readonly sink: EventSink;
  readonly #timers: StoreTimers;
  readonly #view = emptyView();
  readonly #listeners = new Set<() => void>();
  #frame: Frame;
  /** Clock minus run time. */
  #offset: number;
  #lastFrame = Number.NEGATIVE_INFINITY;
  #cancel: (() => void) | null = null;
  /** When the pending timer fires. */
  #due = Number.POSITIVE_INFINITY;
  #closed = false;

  constructor(timers: StoreTimers) {
    this.#timers = timers;
    this.#offset = timers.clock();
    this.#frame = { view: this.#view, now: 0, estimate: null };
    this.sink = (event) => {
      if (event.type === 'run-started') this.#offset = timers.clock() - event.at;
      fold(this.#view, event);
      this.#schedule(FRAME_MS);
    };
  }

  readonly frame = (): Frame => this.#frame;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    this.#schedule(FRAME_MS);
    return () => this.#listeners.delete(listener);
  };

  /** The last frame, now, whatever the limit. */
  flush(): void {
    this.#publish();
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
    this.#cancel = null;
  }

  #schedule(interval: number): void {
    if (this.#closed) return;
    const now = this.#timers.clock();
    const due = Math.max(now, this.#lastFrame + interval);
    if (due >= this.#due) return;
    this.#cancel?.();
    this.#due = due;
    this.#cancel = this.#timers.after(due - now, () => this.#publish());
  }

  #publish(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#due = Number.POSITIVE_INFINITY;
    const clock = this.#timers.clock();
    // The estimate walks the whole graph: with the clock, not with every event.
    const now = Math.max(this.#view.at, clock - this.#offset);
    const stale =
      Math.floor(now / TICK_MS) !== Math.floor(this.#frame.now / TICK_MS) || this.#frame.estimate === null;
    this.#frame = {
      view: this.#view,
      now,
      estimate: stale ? estimate(this.#view, now) : this.#frame.estimate,
    };
    this.#lastFrame = clock;
    for (const listener of this.#listeners) listener();
    if (this.#view.phase !== 'finished') this.#schedule(TICK_MS);
  }
}
