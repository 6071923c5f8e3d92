/**
 * Conducts a run: takes every target from blocked to a final state, in topological and parallel order.
 *
 * Decides what follows from what; states and ends are in the book, workers and their queue in the roster, the world
 * (BuildKit, store, records) behind RunPorts. A view never influences it: events only go out.
 */
import type { Failure, Reason } from '@stx-make/core/events';
import type { GraphTarget } from '@stx-make/core/graph/model';
import type { Fingerprint } from '../plan/inputs.ts';
import { Ending } from './ending.ts';
import { editedTooOften, failureOf, noWorkerFor } from './failures.ts';
import { Handover } from './handover.ts';
import { bareNeedsOf } from './needs.ts';
import { settledOf } from './origin.ts';
import type { Needs, Slots } from './placement.ts';
import type { Attempt, ConductedTarget, ConductOptions, Emit, NoOutput, RunPorts, Settled } from './ports.ts';
import { Recovery } from './recovery.ts';
import { Relations } from './relations.ts';
import { type Place, Roster } from './roster.ts';
import { RunBook } from './run-book.ts';
import type { Steered } from './steering.ts';
import { announced, type Job, keepOutput, LooseWork, Tries } from './tries.ts';

/** A passing fault of BuildKit is gone after about a second (BUILDKIT.md 4). */
const RETRY_PAUSE_MS = 2_000;

type Ends = Map<string, ConductedTarget>;

/** Runs until every target has its end, and nothing of the run is under way. */
export function conduct(options: ConductOptions, ports: RunPorts, emit: Emit): Promise<Ends> {
  return new Conductor(options, ports, emit).run();
}

class Conductor implements Steered {
  readonly #options: ConductOptions;
  readonly #ports: RunPorts;
  readonly #emit: Emit;
  readonly #book: RunBook;
  readonly #relations: Relations;
  readonly #roster: Roster;
  readonly #recovery: Recovery;
  readonly #targets: Map<string, GraphTarget>;
  readonly #tries = new Tries();
  readonly #over = Promise.withResolvers<void>();
  readonly #ending = new Ending();
  /** Aborted when the run has ended: nobody is listened to any more. */
  readonly #ended = new AbortController();
  readonly #loose = new LooseWork();
  readonly #handover: Handover;

  readonly #needsOf = (name: string): Needs => {
    const target = this.#target(name);
    return this.#options.needsOf?.(target, this.#book.outputsFor(target)) ?? bareNeedsOf(target);
  };

  constructor(options: ConductOptions, ports: RunPorts, emit: Emit) {
    this.#options = options;
    this.#ports = ports;
    this.#emit = emit;
    this.#book = new RunBook(options.order, emit, options.follower);
    this.#relations = new Relations(options.order);
    this.#roster = new Roster(options.workers);
    this.#handover = new Handover(this.#relations, this.#roster, this.#loose, options.priorityOf);
    this.#recovery = new Recovery(this.#roster, ports, emit, this.#book, this.#ending, this.#needsOf);
    this.#targets = new Map(options.order.map((target) => [target.name, target]));
  }

  async run(): Promise<Ends> {
    const { stop, finish, order, onBegun } = this.#options;
    const onStop = (): void => this.#halt('interrupted', 'cancel');
    const onFinish = (): void => this.#halt(String(finish?.reason), 'finish');
    const until = { once: true, signal: this.#ended.signal };
    stop.addEventListener('abort', onStop, until);
    finish?.addEventListener('abort', onFinish, until);
    onBegun?.(this);
    // In this order: the first to halt says why.
    if (finish?.aborted === true) onFinish();
    if (stop.aborted) onStop();
    // In topological order, so hits open their dependents before those are looked at.
    for (const { name } of order) this.#advanceIfOpen(name);
    this.#checkOver();
    await this.#over.promise;
    this.#ending.over();
    await this.#roster.onIdle();
    await this.#loose.settled();
    this.#ended.abort();
    return this.#book.results;
  }

  pause(): void {
    this.#roster.pause();
  }

  resume(): void {
    this.#roster.resume();
  }

  /** Tries a failed target again, of the tree as it is now, and takes back what was skipped for want of it. */
  retry(name: string): string | null {
    const over = this.#book.states.isOver || this.#ending.cancel.aborted;
    const refusal = this.#book.refusal(name, over ? 'nothing is left to do' : this.#ending.isFinal);
    if (refusal !== null) return refusal;
    const lifted = this.#ending.lift();
    this.#book.takeBack(name, 'judging');
    this.#emit({ type: 'target-retry', target: name, attempt: this.#tries.anew(name), text: 'asked for' });
    if (lifted) this.#emit({ type: 'resumed' });
    const waiting = this.#book.takeBackSkipped(this.#options.order);
    const turn = this.#book.turnOf(name);
    this.#spawn(name, async () => {
      await this.#ports.reload();
      if (this.#book.isCurrent(name, turn)) this.#judge(name);
    });
    for (const other of waiting) this.#advanceIfOpen(other);
    return null;
  }

  #advanceIfOpen(name: string): void {
    if (this.#relations.isOpen(name) && this.#book.states.of(name) === 'blocked') this.#advance(name);
  }

  /** All dependencies have an output. */
  #advance(name: string): void {
    if (this.#ending.reason !== null) return;
    this.#book.states.move(name, 'judging');
    this.#judge(name);
  }

  /** Is there a record, or must it be built? */
  #judge(name: string): void {
    try {
      const target = this.#ports.refresh(this.#target(name));
      this.#targets.set(name, target);
      const standing = this.#ports.judge(target, (dependency) => this.#book.outputOf(dependency));
      switch (standing.state) {
        case 'hit': {
          const { fingerprint } = standing.record;
          this.#spawn(name, () => this.#provide(target, settledOf(standing.record), fingerprint));
          return;
        }
        case 'build':
          this.#spawn(name, () => this.#prepare(target, standing.fingerprint, standing.reasons));
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

  /** It has an output that was not built now: that is shown, and what needs it goes on. */
  async #provide({ name }: GraphTarget, settled: Settled, fingerprint: string): Promise<void> {
    const turn = this.#book.turnOf(name);
    await this.#ports.publish(this.#target(name), settled, fingerprint);
    if (this.#book.isCurrent(name, turn)) this.#settle(name, 'hit', settled, 0, []);
  }

  /** No record here: others are asked, where there are any; else all its build takes is had, and it waits for a place. */
  async #prepare(target: GraphTarget, fingerprint: Fingerprint, reasons: readonly Reason[]): Promise<void> {
    const { name } = target;
    const turn = this.#book.turnOf(name);
    const outputs = this.#book.outputsFor(target);
    if (this.#ports.seek !== undefined) {
      this.#book.states.move(name, 'seeking');
      const sought = await this.#ports.seek(target, fingerprint, outputs, this.#ending.starting);
      if (!this.#book.isCurrent(name, turn)) return;
      if (sought.status === 'found') return await this.#provide(target, sought.settled, fingerprint.digest);
      if (sought.status === 'failed') return this.#fail(name, sought.failure, 0, reasons);
    }
    this.#book.states.move(name, 'fetching');
    await this.#ports.fetch(target, outputs, this.#ending.cancel);
    if (!this.#book.isCurrent(name, turn)) return;
    this.#book.states.move(name, 'ready');
    this.#emit({ type: 'target-ready', target: name });
    this.#enqueue({ name, fingerprint, reasons, ...this.#tries.first(name) });
  }

  #enqueue(job: Job): void {
    const { name, reasons, avoid } = job;
    const needs = this.#needsOf(name);
    if (!this.#roster.canEverRun(needs)) {
      this.#failForWantOfWorker(name, reasons);
      return;
    }
    this.#roster.add(
      async (place) => {
        try {
          await this.#build(job, place);
        } catch (error) {
          this.#fail(name, failureOf(error, this.#ports.logFile(name)), 0, reasons);
        }
      },
      { id: name, priority: this.#options.priorityOf(name), needs, avoid },
    );
  }

  async #build(job: Job, place: Place): Promise<void> {
    const { name, fingerprint, number, reasons } = job;
    if (this.#book.isFinal(name)) return;
    const target = this.#target(name);
    this.#book.states.move(name, 'building');
    this.#tries.begin(job);
    const outputs = this.#book.outputsFor(target);
    const signal = this.#ending.cancel;
    const onExported = (): void => this.#handover.exported(name, place);
    const where = { worker: place.slots.id, logFile: this.#ports.logFile(name), onExported };
    const attempt = announced(
      { target, fingerprint, outputs, number, signal, ...where },
      reasons,
      this.#emit,
    );
    const began = this.#options.clock();
    const result = await this.#ports.build(attempt).finally(place.vacate);
    const duration = this.#options.clock() - began;
    if (result.status === 'built') {
      const kept = await keepOutput(this.#ports, this.#emit, attempt, result.output, duration);
      const freed = this.#settle(name, kept.result, kept, duration, reasons, kept.finding ?? undefined);
      return await this.#handover.over(freed, place);
    }
    place.leave();
    await this.#afterAttempt(job, attempt, result, duration, place.slots);
  }

  async #afterAttempt(job: Job, attempt: Attempt, result: NoOutput, duration: number, slots: Slots) {
    const { name, reasons } = job;
    switch (result.status) {
      case 'edited':
        return await this.#startOver(job, attempt, duration);
      case 'cancelled':
        return this.#skip(name, this.#ending.reason ?? 'cancelled');
      case 'failed': {
        const { failure, retry } = result;
        if (retry === 'elsewhere') this.#lose(slots, failure.cause);
        if (!this.#tries.mayRepeat(job, retry) || this.#ending.reason !== null) {
          this.#ports.noteFailure(attempt, duration);
          return this.#fail(name, failure, duration, reasons);
        }
        this.#book.states.move(name, 'ready');
        const turn = this.#book.turnOf(name);
        const next = this.#tries.next(job, retry, slots.id);
        this.#emit({ type: 'target-retry', target: name, attempt: next.number, text: failure.cause });
        if (retry === 'here') await this.#ports.pause(RETRY_PAUSE_MS, this.#ending.cancel);
        if (this.#book.isCurrent(name, turn)) this.#enqueue(next);
        return;
      }
      default:
        result satisfies never;
    }
  }

  /** The recipe was edited while it was built: judge what it is now. */
  async #startOver({ name, reasons, number }: Job, { logFile }: Attempt, duration: number): Promise<void> {
    const { edits, tooMany } = this.#tries.edited(name);
    if (this.#ending.reason === null && tooMany)
      return this.#fail(name, failureOf(editedTooOften(name, edits), null), duration, reasons);
    if (this.#ending.reason === null) {
      const text = 'its recipe was edited while it was built';
      this.#emit({ type: 'target-retry', target: name, attempt: number + 1, text });
      try {
        await this.#ports.reload();
      } catch (error) {
        return this.#fail(name, failureOf(error, logFile), duration, reasons);
      }
    }
    if (this.#ending.reason === null) this.#advance(name);
    else this.#skip(name, this.#ending.reason);
  }

  /** @returns what waited for nothing else */
  #settle(...end: Parameters<RunBook['settle']>): string[] {
    this.#book.settle(...end);
    const freed = this.#relations.provide(end[0]);
    for (const dependent of freed) this.#advanceIfOpen(dependent);
    this.#checkOver();
    return freed;
  }

  #fail(name: string, failure: Failure, duration: number, reasons: readonly Reason[]): void {
    if (!this.#book.fail(name, failure, duration, reasons)) return;
    for (const [dependent, because] of this.#relations.behind(name, (other) => this.#book.isFinal(other))) {
      this.#book.skip(dependent, because, `needs ${because.join(', which needs ')}, which failed`);
    }
    if (!this.#options.keepGoing && this.#ending.reason === null) this.#halt(`${name} failed`, 'failure');
    this.#checkOver();
  }

  #skip(name: string, text: string): void {
    this.#book.skip(name, [], text);
    this.#checkOver();
  }

  /** Starts nothing new. What runs may finish, or is cancelled. */
  #halt(text: string, how: 'cancel' | 'finish' | 'failure'): void {
    if (this.#ending.halt(text, how)) this.#emit({ type: 'stopping', text });
    this.#roster.clear();
    for (const name of this.#book.states.unfinished()) {
      if (this.#book.states.of(name) !== 'building') this.#skip(name, `not started: ${text}`);
    }
    this.#checkOver();
  }

  /** What only a lost worker could build fails when it is given up. */
  #lose(slots: Slots, text: string): void {
    const end = this.#recovery.lose(slots, text);
    this.#loose.track(
      end?.then((orphans) => {
        for (const name of orphans) this.#failForWantOfWorker(name, []);
      }),
    );
  }

  #failForWantOfWorker(name: string, reasons: readonly Reason[]): void {
    const failure = noWorkerFor(this.#needsOf(name), this.#roster.gone, this.#ports.logFile(name));
    this.#fail(name, failure, 0, reasons);
  }

  /** Work outside the queue whose failure is the target's. */
  #spawn(name: string, work: () => Promise<void>): void {
    const turn = this.#book.turnOf(name);
    const guarded = work().catch((error: unknown) => {
      if (!this.#book.isCurrent(name, turn)) return;
      this.#fail(name, failureOf(error, this.#ports.logFile(name)), 0, []);
    });
    this.#loose.track(guarded, name);
  }

  #checkOver(): void {
    if (this.#book.states.isOver) this.#over.resolve();
  }

  #target(name: string): GraphTarget {
    const target = this.#targets.get(name);
    if (target === undefined) throw new Error(`${name} is not part of this run`);
    return target;
  }
}
