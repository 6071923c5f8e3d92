/**
 * Workers that are lost in the middle of a run: set aside, asked again and again as long as there is hope, and given up when
 * nothing has gone on for want of them.
 *
 * Unaware of how a worker is asked (a port) and of what builds are.
 */
import type { Ending } from './ending.ts';
import type { Needs, Slots } from './placement.ts';
import type { Emit, RunPorts } from './ports.ts';
import type { Roster } from './roster.ts';
import type { RunBook } from './run-book.ts';

/** A run that stands still for want of a worker waits so long for it: a daemon that is started anew is back by then. */
const STANDSTILL_PAUSES = 30;
const PAUSE_MS = 1_000;

export class Recovery {
  readonly #roster: Roster;
  readonly #ports: Pick<RunPorts, 'revive' | 'pause'>;
  readonly #emit: Emit;
  readonly #book: RunBook;
  readonly #ending: Ending;
  readonly #needsOf: (target: string) => Needs;

  constructor(
    roster: Roster,
    ports: Pick<RunPorts, 'revive' | 'pause'>,
    emit: Emit,
    book: RunBook,
    ending: Ending,
    needsOf: (target: string) => Needs,
  ) {
    this.#roster = roster;
    this.#ports = ports;
    this.#emit = emit;
    this.#book = book;
    this.#ending = ending;
    this.#needsOf = needsOf;
  }

  /**
   * Sets a worker aside and tries to have it back.
   * @returns null where it is set aside already; else what resolves when that has an end, with the targets that wait for a
   * place they will never have, because it was given up
   */
  lose(slots: Slots, why: string): Promise<readonly string[]> | null {
    const hopeless = new AbortController();
    const signal = AbortSignal.any([this.#ending.cancel, hopeless.signal]);
    const end = this.#roster.lose(slots, why, () => this.#ports.revive(slots.id, signal));
    if (end === null) return null;
    this.#emit({ type: 'worker-lost', worker: slots.id, text: why });
    void this.#giveUpAtStandstill(hopeless, signal);
    return end.then((how) => {
      hopeless.abort();
      if (this.#ending.reason !== null || this.#book.states.isOver) return [];
      if (how === 'gone') return this.#orphans();
      this.#emit({ type: 'worker-back', worker: slots.id });
      return [];
    });
  }

  #orphans(): string[] {
    const orphans = this.#waiting().filter((name) => !this.#roster.canEverRun(this.#needsOf(name)));
    for (const name of orphans) this.#roster.remove(name);
    return orphans;
  }

  /** As long as others go on there is no hurry, however long it takes. */
  async #giveUpAtStandstill(hopeless: AbortController, signal: AbortSignal): Promise<void> {
    let pauses = 0;
    while (!signal.aborted) {
      await this.#ports.pause(PAUSE_MS, signal);
      pauses = this.#standsStill() ? pauses + 1 : 0;
      if (pauses >= STANDSTILL_PAUSES) hopeless.abort();
    }
  }

  #standsStill(): boolean {
    const { states } = this.#book;
    const waiting = this.#waiting();
    // Builds, and what leads to builds.
    const underWay = states.unfinished().length - states.count('blocked') - waiting.length;
    // One that could be placed waits because somebody asked for a pause.
    return (
      underWay === 0 &&
      waiting.length > 0 &&
      !waiting.some((name) => this.#roster.canRunNow(this.#needsOf(name)))
    );
  }

  #waiting(): string[] {
    const { states } = this.#book;
    return states.unfinished().filter((name) => states.of(name) === 'ready');
  }
}
