/**
 * The book of a run: each target's state, its end, and how often it was taken back; every entry is told to the views.
 *
 * Unaware of what follows from an end.
 */
import type { Failure, Reason } from '@stx-make/core/events';
import type { Output } from '@stx-make/core/oci/model';
import { outputSize } from '../store/output.ts';
import type { ConductedTarget, Emit, Finding, Follower, Settled } from './ports.ts';
import { isFinal, RunStates } from './states.ts';

export class RunBook {
  readonly states: RunStates;
  readonly results = new Map<string, ConductedTarget>();
  readonly #emit: Emit;
  /** How often a target was taken back out of a final state: what began before is of no use to it any more. */
  readonly #turns = new Map<string, number>();

  readonly #follower: Follower | undefined;

  constructor(targets: readonly { readonly name: string }[], emit: Emit, follower?: Follower) {
    this.states = new RunStates(targets.map(({ name }) => name));
    this.#emit = emit;
    this.#follower = follower;
  }

  isFinal(name: string): boolean {
    return isFinal(this.states.of(name));
  }

  turnOf(name: string): number {
    return this.#turns.get(name) ?? 0;
  }

  /** False where the target was given up since, or given up and taken back. */
  isCurrent(name: string, turn: number): boolean {
    return this.turnOf(name) === turn && !this.isFinal(name);
  }

  outputOf(name: string): Output {
    const output = this.results.get(name)?.settled?.output;
    if (output === undefined) throw new Error(`${name} has no output yet`);
    return output;
  }

  /** Of all that a target needs, by name. */
  outputsFor({ dependencies }: { readonly dependencies: readonly string[] }): Map<string, Output> {
    return new Map(dependencies.map((needed) => [needed, this.outputOf(needed)]));
  }

  settle(
    name: string,
    result: 'hit' | 'built' | 'unchanged',
    settled: Settled,
    duration: number,
    reasons: readonly Reason[],
    finding?: Finding,
  ): void {
    this.#end(name, { result, settled, failure: null, duration, reasons, finding });
    this.#emit({
      type: 'target-finished',
      target: name,
      result,
      digest: settled.manifest,
      origin: settled.origin,
      from: settled.from,
      duration,
      size: outputSize(settled.output),
      reasons,
    });
  }

  /** False where it had an end already. */
  fail(name: string, failure: Failure, duration: number, reasons: readonly Reason[]): boolean {
    if (this.isFinal(name)) return false;
    this.#end(name, { result: 'failed', settled: null, failure, duration, reasons });
    this.#emit({ type: 'target-failed', target: name, duration, failure, reasons });
    return true;
  }

  /** Does nothing where it had an end already. */
  skip(name: string, because: readonly string[], text: string): void {
    if (this.isFinal(name)) return;
    this.#end(name, { result: 'skipped', settled: null, failure: null, duration: 0, reasons: [] });
    this.#emit({ type: 'target-skipped', target: name, because, text });
  }

  /** Why a target can not be tried again, null where it can. @param ending why the run ends, null where it goes on */
  refusal(name: string, ending: string | null): string | null {
    if (!this.states.has(name)) return `${name} is not part of this run`;
    if (this.states.of(name) !== 'failed') return `${name} has not failed`;
    return ending === null ? null : `the run is ending: ${ending}`;
  }

  /** Out of a final state again, for a retry. */
  takeBack(name: string, to: 'judging' | 'blocked'): void {
    this.#turns.set(name, this.turnOf(name) + 1);
    this.results.delete(name);
    this.states.move(name, to);
    this.#follower?.takenBack(name);
  }

  #end(name: string, end: ConductedTarget): void {
    this.states.move(name, end.result);
    this.results.set(name, end);
    this.#follower?.ended(name, end);
  }

  /** Skipped targets none of whose dependencies has failed or is skipped wait again. `order` is topological, so that
   * one pass reaches those behind them. @returns them, in that order */
  takeBackSkipped(
    order: readonly { readonly name: string; readonly dependencies: readonly string[] }[],
  ): string[] {
    const back: string[] = [];
    for (const { name, dependencies } of order) {
      if (this.states.of(name) !== 'skipped') continue;
      const lacks = dependencies.some((dependency) => {
        const state = this.states.of(dependency);
        return state === 'failed' || state === 'skipped';
      });
      if (lacks) continue;
      this.takeBack(name, 'blocked');
      this.#emit({ type: 'target-waiting', target: name });
      back.push(name);
    }
    return back;
  }
}
