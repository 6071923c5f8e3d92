/**
 * The states of a target in a run, the moves between them, and the counts that follow.
 *
 *   blocked --dependencies done--> judging --record found--> hit
 *                                     |
 *                                     +--somewhere else to look--> seeking --found--> hit
 *                                     |                               |
 *                                     +<----------nobody has it-------+
 *                                     |
 *                                     +--> fetching --> ready --> building --> built | unchanged
 *                                                         ^          |
 *                                                         +--retry---+--edited while building--> judging
 *   from every state that is not final: failed, skipped
 *   somebody asks for a retry: failed -> judging, and what was skipped because of it -> blocked
 *
 * One function makes every move. Unaware of why a move is made.
 */
import type { RunCounts } from '@stx-make/core/events';

/**
 * blocked: a dependency has no output yet. judging: all dependencies have one; the fingerprint decides. seeking: no
 * record here; others are asked, or awaited. fetching: must be built, sources are being had. ready: waits for a place on a worker. building: on a worker. The rest is final.
 */
export type TargetState =
  | 'blocked'
  | 'judging'
  | 'seeking'
  | 'fetching'
  | 'ready'
  | 'building'
  | 'hit'
  | 'built'
  | 'unchanged'
  | 'failed'
  | 'skipped';

const NEXT: Readonly<Record<TargetState, readonly TargetState[]>> = {
  blocked: ['judging', 'failed', 'skipped'],
  judging: ['hit', 'seeking', 'fetching', 'failed', 'skipped'],
  seeking: ['hit', 'fetching', 'failed', 'skipped'],
  fetching: ['ready', 'failed', 'skipped'],
  ready: ['building', 'failed', 'skipped'],
  building: ['built', 'unchanged', 'ready', 'judging', 'failed', 'skipped'],
  hit: [],
  built: [],
  unchanged: [],
  failed: ['judging'],
  skipped: ['blocked'],
};

const FINAL: ReadonlySet<TargetState> = new Set(['hit', 'built', 'unchanged', 'failed', 'skipped']);

/** True where a target ends, unless somebody asks that it be tried again. */
export function isFinal(state: TargetState): boolean {
  return FINAL.has(state);
}

export class RunStates {
  readonly #states = new Map<string, TargetState>();
  readonly #counts = new Map<TargetState, number>();

  constructor(targets: Iterable<string>) {
    for (const target of targets) this.#states.set(target, 'blocked');
    this.#counts.set('blocked', this.#states.size);
  }

  has(target: string): boolean {
    return this.#states.has(target);
  }

  of(target: string): TargetState {
    const state = this.#states.get(target);
    if (state === undefined) throw new Error(`${target} is not part of this run`);
    return state;
  }

  /** The only place where a state changes. A move that is not in the drawing above is a bug. */
  move(target: string, to: TargetState): void {
    const from = this.of(target);
    if (!NEXT[from].includes(to)) throw new Error(`${target}: no way from ${from} to ${to}`);
    this.#states.set(target, to);
    this.#counts.set(from, this.count(from) - 1);
    this.#counts.set(to, this.count(to) + 1);
  }

  count(state: TargetState): number {
    return this.#counts.get(state) ?? 0;
  }

  /** Targets not in a final state, in insertion order. */
  unfinished(): string[] {
    return [...this.#states].filter(([, state]) => !isFinal(state)).map(([target]) => target);
  }

  get isOver(): boolean {
    const final = this.counts();
    return final.hit + final.built + final.unchanged + final.failed + final.skipped === final.targets;
  }

  counts(): RunCounts {
    return {
      targets: this.#states.size,
      hit: this.count('hit'),
      built: this.count('built'),
      unchanged: this.count('unchanged'),
      failed: this.count('failed'),
      skipped: this.count('skipped'),
    };
  }
}
