/**
 * What all requests of a remote share: how many at a time, and that a registry that fails is left alone for a while.
 *
 * Says once what is wrong with the registry itself; what is wrong with what it has is for the caller to say.
 */
import { environmentProblem, type Problem, ProblemError } from '@stx-make/core/errors';
import type { Digest } from '@stx-make/core/oci/model';
import type { RegistryClient, RegistryPlace } from '../registry/index.ts';
import type { Pushed } from '../state/pushed.ts';
import type { Pool } from '../store/index.ts';
import { Breaker } from './breaker.ts';
import { Limiter } from './limiter.ts';

/** Beside builds: enough to hide latency, few enough not to be a burden. */
const READS = 8;
const WRITES = 4;

/** That many refusals and no answer in between: nothing here is for us. */
const REFUSALS = 3;

export interface RemoteParts {
  readonly place: RegistryPlace;
  readonly client: RegistryClient;
  readonly pool: Pool;
  readonly pushed: Pushed;
  readonly mayWrite: boolean;
  /** Told everything that people must know. */
  readonly warn: (problem: Problem) => void;
  /** ms, monotonic. */
  readonly clock: () => number;
}

/** It was not asked, or did not answer. */
export const AWAY = Symbol('away');

export class Asking {
  readonly parts: RemoteParts;
  readonly breaker: Breaker;
  /** Repositories that should have a blob: worth a try at mounting it from there. */
  readonly homes = new Map<Digest, string>();
  /** `repository@digest` that this run saw or put there. */
  readonly there = new Set<string>();
  /** Fingerprints whose record there is no good. */
  readonly bad = new Set<string>();
  readonly #reads = new Limiter(READS);
  readonly #writes = new Limiter(WRITES);
  #refusals = 0;
  #answers = 0;
  #mayWrite: boolean;
  #saidRefused = false;

  constructor(parts: RemoteParts) {
    this.parts = parts;
    this.breaker = new Breaker(parts.clock);
    this.#mayWrite = parts.mayWrite;
  }

  /** False also after it refused. */
  get mayWrite(): boolean {
    return this.#mayWrite;
  }

  /**
   * Reads, in turn.
   * @throws the signal's reason; ProblemError that is neither the network's nor a refusal
   */
  read<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T | typeof AWAY> {
    return this.#ask(this.#reads, signal, work, (problem) => {
      this.#refusals += 1;
      // Of a repository that is not there yet many registries say that it is not for us.
      if (!this.#saidRefused) this.#sayRefused(problem);
    });
  }

  /** Writes, in turn. After a refusal nothing is written any more. @throws as `read` */
  write<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T | typeof AWAY> {
    return this.#ask(this.#writes, signal, work, (problem) => {
      if (!this.#mayWrite) return;
      this.#mayWrite = false;
      this.#sayRefused(problem);
    });
  }

  /** Looking before writing: many registries refuse to show what is not there yet, and take it all the same. */
  async unlessRefused<T>(looking: Promise<T | null>): Promise<T | null> {
    try {
      return await looking;
    } catch (error) {
      if (error instanceof ProblemError && error.problems[0]?.code === 'registry-refused') return null;
      throw error;
    }
  }

  /** The registry has something wrong: that is said, and never believed. */
  refuse(target: string, fingerprint: string | null, error: ProblemError, code: string): void {
    const { name } = this.parts.place;
    if (fingerprint !== null) {
      this.bad.add(fingerprint);
      this.parts.pushed.forget(name, fingerprint);
    }
    const why = error.problems.map(({ text }) => text.replace(/\.$/, '')).join('; ');
    this.parts.warn({
      code,
      tag: 'integrity',
      level: 'warning',
      text: `What ${name} has for ${target} is not used: ${why}.`,
      hint: `${target} is built here. Whoever may write to ${name} can put anything there; see docs/remote.md.`,
    });
  }

  async #ask<T>(
    limiter: Limiter,
    signal: AbortSignal,
    work: () => Promise<T>,
    refused: (problem: Problem) => void,
  ): Promise<T | typeof AWAY> {
    return await limiter.run(signal, async () => {
      if (this.#refusals >= REFUSALS && this.#answers === 0) return AWAY;
      if (!this.breaker.enter()) return AWAY;
      try {
        const answer = await work();
        this.#answers += 1;
        this.breaker.worked();
        return answer;
      } catch (error) {
        if (signal.aborted) this.breaker.undecided();
        signal.throwIfAborted();
        const problem = error instanceof ProblemError ? error.problems[0] : undefined;
        if (problem?.code === 'registry-failed') {
          this.#failed(problem);
          return AWAY;
        }
        this.breaker.worked();
        if (problem?.code !== 'registry-refused') throw error;
        refused(problem);
        return AWAY;
      }
    });
  }

  #sayRefused(problem: Problem): void {
    this.#saidRefused = true;
    this.parts.warn({ ...problem, level: 'warning', code: 'remote-refused' });
  }

  #failed(problem: Problem): void {
    const { isNews, restMs } = this.breaker.failed();
    if (!isNews) return;
    this.parts.warn(
      environmentProblem({
        code: 'remote-away',
        level: 'warning',
        text: problem.text,
        hint: `The run goes on without it; it is asked again in ${Math.ceil(restMs / 1_000)} s.`,
      }),
    );
  }
}
