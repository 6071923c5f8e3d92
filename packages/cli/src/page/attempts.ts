/**
 * Which builds ran when and on which lane of which worker, out of a run's events: the bars of the timeline, and how
 * long steps took.
 *
 * A lane holds one build at a time; a worker with four places has up to four. Unaware of how bars are drawn.
 */
import type { RunEvent } from '@stx-make/core/events';
import type { BarResult } from './model.ts';

export interface Attempt {
  readonly target: string;
  /** Id. */
  readonly worker: string;
  readonly lane: number;
  readonly start: number;
  readonly end: number;
  readonly result: BarResult;
}

export interface StepTime {
  readonly name: string;
  /** ms. */
  readonly duration: number;
}

/** So many of a target's steps are kept. */
const STEPS = 5;

interface Open {
  readonly worker: string;
  readonly lane: number;
  readonly start: number;
  readonly steps: Map<string, { readonly name: string; readonly start: number }>;
}

export class Attempts {
  readonly all: Attempt[] = [];
  /** target -> its slowest steps in its last attempt, slowest first. */
  readonly steps = new Map<string, StepTime[]>();
  readonly #open = new Map<string, Open>();
  /** worker -> which of its lanes are taken. */
  readonly #lanes = new Map<string, Set<number>>();

  take(event: RunEvent): void {
    switch (event.type) {
      case 'target-started':
        this.#begin(event.target, event.worker, event.at);
        return;
      case 'step-started':
        this.#open.get(event.target)?.steps.set(event.step, { name: event.name, start: event.at });
        return;
      case 'step-finished':
        this.#endStep(event.target, event.step, event.at);
        return;
      case 'target-retry':
        this.#end(event.target, 'retried', event.at);
        return;
      case 'target-finished':
        // A hit was never begun; one that was is what a concurrent run recorded meanwhile.
        this.#end(event.target, event.result === 'hit' ? 'unchanged' : event.result, event.at);
        return;
      case 'target-failed':
        this.#end(event.target, 'failed', event.at);
        return;
      case 'target-skipped':
        this.#end(event.target, 'unfinished', event.at);
        return;
      case 'run-finished':
        this.close(event.at);
        return;
      case 'run-started':
      case 'plan':
      case 'workers':
      case 'worker-lost':
      case 'worker-back':
      case 'activity':
      case 'source-progress':
      case 'usage':
      case 'target-ready':
      case 'target-waiting':
      case 'paused':
      case 'resumed':
      case 'finding':
      case 'warning':
      case 'stopping':
        return;
      default:
        event satisfies never;
    }
  }

  /** What still runs was cut off. */
  close(at: number): void {
    for (const target of [...this.#open.keys()]) this.#end(target, 'unfinished', at);
  }

  #begin(target: string, worker: string, start: number): void {
    // An attempt without an end: its end was lost.
    this.#end(target, 'unfinished', start);
    const taken = this.#lanes.get(worker) ?? new Set();
    this.#lanes.set(worker, taken);
    let lane = 0;
    while (taken.has(lane)) lane++;
    taken.add(lane);
    this.#open.set(target, { worker, lane, start, steps: new Map() });
    this.steps.delete(target);
  }

  #endStep(target: string, step: string, at: number): void {
    const open = this.#open.get(target);
    const begun = open?.steps.get(step);
    if (open === undefined || begun === undefined) return;
    open.steps.delete(step);
    const list = this.steps.get(target) ?? [];
    list.push({ name: begun.name, duration: at - begun.start });
    list.sort((a, b) => b.duration - a.duration);
    list.length = Math.min(list.length, STEPS);
    this.steps.set(target, list);
  }

  #end(target: string, result: BarResult, end: number): void {
    const open = this.#open.get(target);
    if (open === undefined) return;
    for (const step of [...open.steps.keys()]) this.#endStep(target, step, end);
    this.#open.delete(target);
    this.#lanes.get(open.worker)?.delete(open.lane);
    this.all.push({ target, worker: open.worker, lane: open.lane, start: open.start, end, result });
  }
}
