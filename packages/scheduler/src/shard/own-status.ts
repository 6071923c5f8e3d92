/**
 * What this shard tells the others: kept as the run goes on, written to the remote when it changed and, as a sign of
 * life, now and then when it did not.
 *
 * A text that could not be written is written the next time; the others wait longer, and in the end do it themselves.
 */

import { ProblemError } from '@stx-make/core/errors';
import { byCodeUnit } from '@stx-make/core/order';
import type { RemoteNotes } from '../remote/model.ts';
import type { ShardFailure, ShardStatus } from './model.ts';
import { writeStatus } from './text.ts';

/** Signs of life in the time after which a shard counts as gone: a few may be lost on the way. */
const BEATS_PER_SILENCE = 6;
/** Changes that come together are told together, ms. */
const GATHER = 250;
/** How often the last word is tried. */
const LAST_TRIES = 5;

export interface OwnStatusOptions {
  readonly notes: Pick<RemoteNotes, 'put'>;
  readonly tag: string;
  readonly shard: number;
  readonly count: number;
  readonly process: string;
  /** See ShardOptions. */
  readonly silence: number;
  /** Resolves after that many ms, or at once when aborted. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
}

export class OwnStatus {
  readonly #options: OwnStatusOptions;
  readonly #open = new Set<string>();
  readonly #failed = new Map<string, ShardFailure>();
  readonly #end = new AbortController();
  #beat = 0;
  /** Aborted when there is something to tell. */
  #news = new AbortController();
  #loop: Promise<void> | null = null;

  constructor(options: OwnStatusOptions, open: Iterable<string>) {
    this.#options = options;
    for (const target of open) this.#open.add(target);
  }

  /** From now on the others are told. */
  begin(): void {
    this.#news.abort();
    this.#loop = this.#run();
  }

  isOpen(target: string): boolean {
    return this.#open.has(target);
  }

  /** It is ours to build now. */
  claim(target: string): void {
    if (this.#open.has(target)) return;
    this.#open.add(target);
    this.#news.abort();
  }

  /** Others can have it, or need not wait for it any more. */
  close(target: string): void {
    if (this.#open.delete(target)) this.#news.abort();
  }

  /** A failure is taken back: it is tried again. */
  reopen(target: string): void {
    if (this.#failed.delete(target)) this.claim(target);
  }

  fail(target: string, failure: ShardFailure): void {
    this.#failed.set(target, failure);
    this.#open.delete(target);
    this.#news.abort();
  }

  /** Tells that nothing more comes. @returns false where that could not be told */
  async end(): Promise<boolean> {
    this.#end.abort();
    this.#news.abort();
    await this.#loop;
    for (let tries = 0; tries < LAST_TRIES; tries += 1) {
      if (await this.#tell(true)) return true;
      await this.#options.pause(1_000 * 2 ** tries, new AbortController().signal);
    }
    return false;
  }

  async #run(): Promise<void> {
    const { pause, silence } = this.#options;
    while (!this.#end.signal.aborted) {
      await pause(silence / BEATS_PER_SILENCE, this.#news.signal);
      await pause(GATHER, this.#end.signal);
      if (this.#end.signal.aborted) return;
      this.#news = new AbortController();
      if (!(await this.#tell(false))) await pause(silence / BEATS_PER_SILENCE, this.#end.signal);
    }
  }

  async #tell(ended: boolean): Promise<boolean> {
    const { notes, tag, shard, count, process } = this.#options;
    this.#beat += 1;
    const open = [...this.#open].sort(byCodeUnit);
    const status: ShardStatus = {
      shard,
      count,
      process,
      beat: this.#beat,
      ended,
      open,
      failed: this.#failed,
    };
    try {
      await notes.put(tag, writeStatus(status), ended ? new AbortController().signal : this.#end.signal);
      return true;
    } catch (error) {
      if (!(error instanceof ProblemError) && !this.#end.signal.aborted) throw error;
      return false;
    }
  }
}
