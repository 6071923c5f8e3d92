/**
 * Conducts a run: takes every target from blocked to a final state, in topological and parallel order.
 *
 * Owns the states and the queue; the world (BuildKit, store, records) is behind RunPorts. A view never
 * influences it: events only go out.
 */

import type { Failure, Reason } from '@stx-make/core/events';
import type { GraphTarget } from '@stx-make/core/graph/model';
import type { Output } from '@stx-make/core/oci/model';
import PQueue from 'p-queue';
import type { Fingerprint } from '../plan/inputs.ts';
import { outputSize } from '../store/output.ts';
import { editedTooOften, failureOf, noWorkerFor } from './failures.ts';
import { type ReadyOptions, ReadyQueue, type Slots } from './placement.ts';
import type {
  Attempt,
  AttemptResult,
  ConductedTarget,
  ConductOptions,
  Emit,
  Finding,
  RunPorts,
  Settled,
} from './ports.ts';
import { isFinal, RunStates } from './states.ts';
import type { Steered } from './steering.ts';

/** Tries of one target, over all workers. BuildKit's passing faults are worth one retry (BUILDKIT.md 7); a worker
 * that is lost costs one more. */
const MAX_ATTEMPTS = 3;

/** How often a target may be edited under our hands before it is left for the next run. */
const MAX_EDITS = 20;

/** A chain of reasons longer than this helps nobody; the cause is always its last link. */
const LONGEST_CHAIN = 12;

/** A passing fault of BuildKit is gone after about a second (BUILDKIT.md 4). */
const RETRY_PAUSE_MS = 2_000;

export async function conduct(
  options: ConductOptions,
  ports: RunPorts,
  emit: Emit,
): Promise<Map<string, ConductedTarget>> {
  return await new Conductor(options, ports, emit).run();
}

class Conductor implements Steered {
  readonly #options: ConductOptions;
  readonly #ports: RunPorts;
  readonly #emit: Emit;
  readonly #states: RunStates;
  readonly #targets = new Map<string, GraphTarget>();
  readonly #dependents = new Map<string, string[]>();
  /** Dependencies still without an output. */
  readonly #open = new Map<string, number>();
  readonly #results = new Map<string, ConductedTarget>();
  readonly #edits = new Map<string, number>();
  readonly #slots: Slots[];
  readonly #ready: ReadyQueue;
  readonly #queue: PQueue<ReadyQueue, ReadyOptions>;
  readonly #over = Promise.withResolvers<void>();
  /** Aborted when everything must end: what runs is cancelled. */
  readonly #cancel = new AbortController();
  /** Asynchronous work under way outside the queue (fetching, publishing, reviving). */
  readonly #loose = new Set<Promise<void>>();
  #halted: string | null = null;
  /** What halted it was a failure: a retry may lift that. */
  #haltedByFailure = false;
  /** How often a target was taken back out of a final state: what began before is of no use to it any more. */
  readonly #turns = new Map<string, number>();
  /** The number of the attempt before the first one of a target's turn. */
  readonly #tried = new Map<string, number>();
  readonly #attempts = new Map<string, number>();

  constructor(options: ConductOptions, ports: RunPorts, emit: Emit) {
    this.#options = options;
    this.#ports = ports;
    this.#emit = emit;
    this.#states = new RunStates(options.order.map((target) => target.name));
    this.#slots = options.workers.map((worker) => ({
      id: worker.id,
      jobs: worker.jobs,
      platforms: new Set(worker.platforms),
      used: 0,
      lost: false,
    }));
    this.#ready = new ReadyQueue(this.#slots);
    const ready = this.#ready;
    this.#queue = new PQueue<ReadyQueue, ReadyOptions>({
      concurrency: this.#capacity(),
      queueClass: class {
        constructor() {
          // biome-ignore lint/correctness/noConstructorReturn: p-queue makes the queue itself; ours needs the workers
          return ready;
        }
      } as unknown as new () => ReadyQueue,
    });
    for (const target of options.order) {
      this.#targets.set(target.name, target);
      this.#open.set(target.name, target.dependencies.length);
      for (const dependency of target.dependencies) {
        const list = this.#dependents.get(dependency);
        if (list === undefined) this.#dependents.set(dependency, [target.name]);
        else list.push(target.name);
      }
    }
  }

  async run(): Promise<Map<string, ConductedTarget>> {
    const onStop = (): void => this.#halt('interrupted', true);
    const onFinish = (): void => this.#halt('the tree was edited', false);
    this.#options.stop.addEventListener('abort', onStop, { once: true });
    this.#options.finish?.addEventListener('abort', onFinish, { once: true });
    this.#options.onBegun?.(this);
    if (this.#options.stop.aborted) onStop();
    // Standings are in topological order, so hits open their dependents before those are looked at.
    for (const target of this.#options.order) {
      if (this.#states.of(target.name) === 'blocked' && this.#open.get(target.name) === 0)
        this.#advance(target.name);
    }
    this.#checkOver();
    await this.#over.promise;
    this.#cancel.abort();
    await this.#queue.onIdle();
    await Promise.allSettled(this.#loose);
    this.#options.stop.removeEventListener('abort', onStop);
    this.#options.finish?.removeEventListener('abort', onFinish);
    return this.#results;
  }

  pause(): void {
    this.#queue.pause();
  }

  resume(): void {
    this.#queue.start();
  }

  /** Tries a failed target again, of the tree as it is now, and takes back what was skipped for want of it. */
  retry(name: string): string | null {
    if (!this.#targets.has(name)) return `${name} is not part of this run`;
    if (this.#states.of(name) !== 'failed') return `${name} has not failed`;
    if (this.#states.isOver || this.#cancel.signal.aborted) return 'the run is ending';
    if (this.#halted !== null && !this.#haltedByFailure) return `the run is ending: ${this.#halted}`;
    const lifted = this.#halted !== null;
    this.#halted = null;
    this.#haltedByFailure = false;
    const before = this.#attempts.get(name) ?? 0;
    this.#tried.set(name, before);
    this.#takeBack(name, 'judging');
    this.#emit({ type: 'target-retry', target: name, attempt: before + 1, text: 'asked for' });
    if (lifted) this.#emit({ type: 'resumed' });
    const waiting = this.#takeBackSkipped();
    const turn = this.#turnOf(name);
    this.#spawn(name, async () => {
      await this.#ports.reload();
      if (!this.#isCurrent(name, turn)) return;
      this.#judge(name);
    });
    for (const other of waiting) {
      if (this.#open.get(other) === 0 && this.#states.of(other) === 'blocked') this.#advance(other);
    }
    return null;
  }

  /** Skipped targets none of whose dependencies has failed or is skipped wait again. Topological, so that one pass
   * reaches those behind them. */
  #takeBackSkipped(): string[] {
    const back: string[] = [];
    for (const { name, dependencies } of this.#options.order) {
      if (this.#states.of(name) !== 'skipped') continue;
      const lacks = dependencies.some((dependency) => {
        const state = this.#states.of(dependency);
        return state === 'failed' || state === 'skipped';
      });
      if (lacks) continue;
      this.#takeBack(name, 'blocked');
      this.#emit({ type: 'target-waiting', target: name });
      back.push(name);
    }
    return back;
  }

  #takeBack(name: string, to: 'judging' | 'blocked'): void {
    this.#turns.set(name, this.#turnOf(name) + 1);
    this.#results.delete(name);
    this.#states.move(name, to);
  }

  #turnOf(name: string): number {
    return this.#turns.get(name) ?? 0;
  }

  /** False where the target was given up since, or given up and taken back. */
  #isCurrent(name: string, turn: number): boolean {
    return this.#turnOf(name) === turn && !isFinal(this.#states.of(name));
  }

  /** All dependencies have an output. */
  #advance(name: string): void {
    if (this.#halted !== null) return;
    this.#states.move(name, 'judging');
    this.#judge(name);
  }

  /** Is there a record, or must it be built? */
  #judge(name: string): void {
    const turn = this.#turnOf(name);
    try {
      const target = this.#ports.refresh(this.#target(name));
      this.#targets.set(name, target);
      const standing = this.#ports.judge(target, (dependency) => this.#outputOf(dependency));
      switch (standing.state) {
        case 'hit': {
          const { output, manifest, origin, fingerprint } = standing.record;
          this.#spawn(name, async () => {
            await this.#ports.publish(target, { output, manifest, origin }, fingerprint);
            if (!this.#isCurrent(name, turn)) return;
            this.#settle(name, 'hit', { output, manifest, origin }, 0, []);
          });
          return;
        }
        case 'build':
          this.#states.move(name, 'fetching');
          this.#spawn(name, async () => {
            await this.#ports.fetch(target, this.#cancel.signal);
            if (!this.#isCurrent(name, turn)) return;
            this.#states.move(name, 'ready');
            this.#emit({ type: 'target-ready', target: name });
            const first = (this.#tried.get(name) ?? 0) + 1;
            this.#enqueue(name, standing.fingerprint, standing.reasons, first, new Set());
          });
          return;
        case 'waiting':
          throw new Error(`${name} waits though all its dependencies have an output`);
        default:
          standing satisfies never;
      }
    } catch (error) {
      this.#fail(name, failureOf(error, this.#ports.logFile(name)), 0, []);
    }
  }

  #enqueue(
    name: string,
    fingerprint: Fingerprint,
    reasons: readonly Reason[],
    number: number,
    avoid: ReadonlySet<string>,
  ): void {
    const { platforms } = this.#target(name);
    if (!this.#canEverRun(platforms)) {
      this.#fail(name, noWorkerFor(platforms, this.#ports.logFile(name)), 0, reasons);
      return;
    }
    void this.#queue.add(
      async () => {
        const slots = this.#ready.takePlace();
        try {
          await this.#build(name, fingerprint, reasons, number, slots);
        } catch (error) {
          this.#fail(name, failureOf(error, this.#ports.logFile(name)), 0, reasons);
        } finally {
          slots.used -= 1;
        }
      },
      { id: name, priority: this.#options.priorityOf(name), platforms, avoid },
    );
  }

  async #build(
    name: string,
    fingerprint: Fingerprint,
    reasons: readonly Reason[],
    number: number,
    slots: Slots,
  ): Promise<void> {
    if (isFinal(this.#states.of(name))) return;
    const target = this.#target(name);
    this.#states.move(name, 'building');
    this.#attempts.set(name, number);
    const attempt: Attempt = {
      target,
      fingerprint,
      outputs: new Map(target.dependencies.map((dependency) => [dependency, this.#outputOf(dependency)])),
      worker: slots.id,
      number,
      logFile: this.#ports.logFile(name),
      signal: this.#cancel.signal,
      onStep: (step) =>
        this.#emit(
          step.type === 'started'
            ? { type: 'step-started', target: name, step: step.id, name: step.name }
            : { type: 'step-finished', target: name, step: step.id, cached: step.cached, error: step.error },
        ),
    };
    this.#emit({
      type: 'target-started',
      target: name,
      worker: slots.id,
      attempt: number,
      reasons,
      logFile: attempt.logFile,
    });
    const began = this.#options.clock();
    const result = await this.#ports.build(attempt);
    const duration = this.#options.clock() - began;
    await this.#afterAttempt(name, attempt, result, duration, reasons, slots);
  }

  async #afterAttempt(
    name: string,
    attempt: Attempt,
    result: AttemptResult,
    duration: number,
    reasons: readonly Reason[],
    slots: Slots,
  ): Promise<void> {
    switch (result.status) {
      case 'built': {
        const recorded = await this.#ports.record(attempt, result.output, duration);
        if (recorded.finding !== null) this.#emit({ type: 'finding', target: name, ...recorded.finding });
        await this.#ports.publish(attempt.target, recorded, attempt.fingerprint.digest);
        this.#settle(name, recorded.result, recorded, duration, reasons, recorded.finding ?? undefined);
        return;
      }
      case 'edited':
        await this.#startOver(name, attempt, duration, reasons);
        return;
      case 'cancelled':
        this.#skip(name, [], this.#halted ?? 'cancelled');
        return;
      case 'failed': {
        if (result.retry === 'elsewhere') this.#lose(slots, result.failure.cause);
        const tries = attempt.number - (this.#tried.get(name) ?? 0);
        const again = result.retry !== 'no' && tries < MAX_ATTEMPTS && this.#halted === null;
        if (!again) {
          this.#ports.noteFailure(attempt, duration);
          this.#fail(name, result.failure, duration, reasons);
          return;
        }
        this.#states.move(name, 'ready');
        const turn = this.#turnOf(name);
        this.#emit({
          type: 'target-retry',
          target: name,
          attempt: attempt.number + 1,
          text: result.failure.cause,
        });
        if (result.retry === 'here') await this.#ports.pause(RETRY_PAUSE_MS, this.#cancel.signal);
        const avoid = result.retry === 'elsewhere' ? new Set([slots.id]) : new Set<string>();
        if (this.#isCurrent(name, turn)) {
          this.#enqueue(name, attempt.fingerprint, reasons, attempt.number + 1, avoid);
        }
        return;
      }
      default:
        result satisfies never;
    }
  }

  /** The recipe was edited while it was built: judge what it is now. */
  async #startOver(
    name: string,
    attempt: Attempt,
    duration: number,
    reasons: readonly Reason[],
  ): Promise<void> {
    const edits = (this.#edits.get(name) ?? 0) + 1;
    this.#edits.set(name, edits);
    if (this.#halted !== null) {
      this.#skip(name, [], this.#halted);
      return;
    }
    if (edits > MAX_EDITS) {
      this.#fail(name, failureOf(editedTooOften(name, edits), null), duration, reasons);
      return;
    }
    this.#emit({
      type: 'target-retry',
      target: name,
      attempt: attempt.number + 1,
      text: 'its recipe was edited while it was built',
    });
    try {
      await this.#ports.reload();
    } catch (error) {
      this.#fail(name, failureOf(error, attempt.logFile), duration, reasons);
      return;
    }
    if (this.#halted !== null) {
      this.#skip(name, [], this.#halted);
      return;
    }
    this.#advance(name);
  }

  #settle(
    name: string,
    result: 'hit' | 'built' | 'unchanged',
    settled: Settled,
    duration: number,
    reasons: readonly Reason[],
    finding?: Finding,
  ): void {
    this.#states.move(name, result);
    this.#results.set(name, { result, settled, failure: null, duration, reasons, finding });
    this.#emit({
      type: 'target-finished',
      target: name,
      result,
      digest: settled.manifest,
      origin: settled.origin,
      duration,
      size: outputSize(settled.output),
      reasons,
    });
    for (const dependent of this.#dependents.get(name) ?? []) {
      const open = (this.#open.get(dependent) ?? 0) - 1;
      this.#open.set(dependent, open);
      if (open === 0 && this.#states.of(dependent) === 'blocked') this.#advance(dependent);
    }
    this.#checkOver();
  }

  #fail(name: string, failure: Failure, duration: number, reasons: readonly Reason[]): void {
    if (isFinal(this.#states.of(name))) return;
    this.#states.move(name, 'failed');
    this.#results.set(name, { result: 'failed', settled: null, failure, duration, reasons });
    this.#emit({ type: 'target-failed', target: name, duration, failure, reasons });
    this.#skipDependents(name);
    if (!this.#options.keepGoing && this.#halted === null) {
      this.#haltedByFailure = true;
      this.#halt(`${name} failed`, false);
    }
    this.#checkOver();
  }

  /** Whatever needs `cause` can not be built; `because` is the nearest part of the chain down to it. */
  #skipDependents(cause: string): void {
    const reached: [name: string, because: readonly string[]][] = [[cause, [cause]]];
    for (const [name, because] of reached) {
      for (const dependent of this.#dependents.get(name) ?? []) {
        if (isFinal(this.#states.of(dependent))) continue;
        this.#skip(dependent, because, `needs ${because.join(', which needs ')}, which failed`);
        reached.push([dependent, [dependent, ...because.slice(0, -1).slice(0, LONGEST_CHAIN - 2), cause]]);
      }
    }
  }

  #skip(name: string, because: readonly string[], text: string): void {
    if (isFinal(this.#states.of(name))) return;
    this.#states.move(name, 'skipped');
    this.#results.set(name, { result: 'skipped', settled: null, failure: null, duration: 0, reasons: [] });
    this.#emit({ type: 'target-skipped', target: name, because, text });
    this.#checkOver();
  }

  /** Starts nothing new. What runs may finish, or is cancelled. */
  #halt(text: string, cancel: boolean): void {
    if (this.#halted === null) {
      this.#halted = text;
      this.#emit({ type: 'stopping', text });
    }
    if (cancel) {
      this.#haltedByFailure = false;
      this.#cancel.abort();
    }
    this.#ready.clear();
    for (const name of this.#states.unfinished()) {
      if (this.#states.of(name) !== 'building') this.#skip(name, [], `not started: ${text}`);
    }
    this.#checkOver();
  }

  /** Sets a worker aside and tries to have it back. */
  #lose(slots: Slots, text: string): void {
    if (slots.lost) return;
    slots.lost = true;
    this.#emit({ type: 'worker-lost', worker: slots.id, text });
    this.#queue.concurrency = this.#capacity();
    this.#track(
      this.#ports.revive(slots.id, this.#cancel.signal).then((back) => {
        if (this.#halted !== null || this.#states.isOver) return;
        if (back) {
          slots.lost = false;
          this.#emit({ type: 'worker-back', worker: slots.id });
          // Setting it makes p-queue look at the queue again.
          this.#queue.concurrency = this.#capacity();
          return;
        }
        this.#slots.splice(this.#slots.indexOf(slots), 1);
        for (const name of this.#states.unfinished()) {
          if (this.#states.of(name) !== 'ready') continue;
          const { platforms } = this.#target(name);
          if (this.#canEverRun(platforms)) continue;
          this.#ready.remove(name);
          this.#fail(name, noWorkerFor(platforms, this.#ports.logFile(name)), 0, []);
        }
      }),
    );
  }

  /** Work outside the queue whose failure is the target's. */
  #spawn(name: string, work: () => Promise<void>): void {
    const turn = this.#turnOf(name);
    this.#track(
      work().catch((error: unknown) => {
        if (!this.#isCurrent(name, turn)) return;
        this.#fail(name, failureOf(error, this.#ports.logFile(name)), 0, []);
      }),
    );
  }

  #track(work: Promise<void>): void {
    this.#loose.add(work);
    void work.finally(() => this.#loose.delete(work));
  }

  #checkOver(): void {
    if (this.#states.isOver) this.#over.resolve();
  }

  #canEverRun(platforms: readonly string[]): boolean {
    return this.#slots.some((slots) => platforms.every((platform) => slots.platforms.has(platform)));
  }

  #capacity(): number {
    return Math.max(
      1,
      this.#slots.reduce((sum, slots) => sum + (slots.lost ? 0 : slots.jobs), 0),
    );
  }

  #target(name: string): GraphTarget {
    const target = this.#targets.get(name);
    if (target === undefined) throw new Error(`${name} is not part of this run`);
    return target;
  }

  #outputOf(name: string): Output {
    const output = this.#results.get(name)?.settled?.output;
    if (output === undefined) throw new Error(`${name} has no output yet`);
    return output;
  }
}
