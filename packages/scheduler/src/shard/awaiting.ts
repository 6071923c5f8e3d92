/**
 * How long a target is waited for that is another shard's: until its record is there, that shard says it failed, or
 * nothing is to be hoped of it any more; then the next one in the order takes it over, which may be us.
 *
 * A shard is given up for a target when it is silent, when it has ended without giving it, or when it lives but does not
 * hold it for its own. Each costs time only: what two build is equal, and what one gave is found. Unaware of how records
 * are kept and of builds.
 */
import type { Failure } from '@stx-make/core/events';
import type { Settled, Sought } from '../run/ports.ts';
import type { ShardFailure, ShardOptions, ShardPlan } from './model.ts';
import type { OwnStatus } from './own-status.ts';
import { ownersOf } from './ownership.ts';
import type { Peers } from './peers.ts';

/** A shard of which nothing was ever read may still wait for its machine: it gets that many times the silence. */
const UNSEEN = 5;
/** Looks while waiting, ms: a tenth of the time waited so far, within these. Many shards share one registry. */
const LOOK_LEAST = 500;
const LOOK_MOST = 15_000;
/** A record may also come of somebody who is no shard of ours, ms. */
const ASK_ANYWAY = 60_000;

export interface AwaitingOptions {
  readonly shard: ShardOptions;
  readonly plan: ShardPlan;
  readonly peers: Peers;
  readonly own: OwnStatus;
  /** ms, monotonic. */
  readonly clock: () => number;
  /** Resolves after that many ms, or at once when aborted. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Told when a target is taken over. @param from the shard that was given up */
  readonly onTakeover: (target: string, from: number) => void;
}

/** Asks the remote once; null where it has nothing. */
export type Find = (signal: AbortSignal) => Promise<Settled | null>;

export class Awaiting {
  readonly #options: AwaitingOptions;

  constructor(options: AwaitingOptions) {
    this.#options = options;
  }

  /** See RunPorts.seek. Aborted, it says absent: nobody listens then. */
  async seek(target: string, find: Find, signal: AbortSignal): Promise<Sought> {
    try {
      return await this.#seek(target, find, signal);
    } catch (error) {
      if (signal.aborted) return { status: 'absent' };
      throw error;
    }
  }

  async #seek(target: string, find: Find, signal: AbortSignal): Promise<Sought> {
    const { shard, plan, own, onTakeover } = this.#options;
    const now = await find(signal);
    if (now !== null) return { status: 'found', settled: now };
    for (const owner of ownersOf(target, shard.count, plan.shardOf.get(target))) {
      if (owner === shard.index) {
        own.claim(target);
        return { status: 'absent' };
      }
      const end = await this.#await(owner, target, find, signal);
      if (end !== null) return end;
      onTakeover(target, owner);
    }
    throw new Error(`${target} is nobody's, though every shard was asked`);
  }

  /** Null: nothing is to be hoped of that shard. */
  async #await(owner: number, target: string, find: Find, signal: AbortSignal): Promise<Sought | null> {
    const { shard, peers, clock, pause } = this.#options;
    const began = clock();
    let asked = began;
    let looked = began;
    let version = 0;
    /** ms for which it lived without holding the target for its own. */
    let idle = 0;
    for (;;) {
      const interval = Math.min(LOOK_MOST, Math.max(LOOK_LEAST, (clock() - began) / 10));
      const view = await peers.look(owner, interval / 2, signal);
      const { status } = view;
      const failure = status?.failed.get(target);
      if (failure !== undefined && isEveryones(failure)) return failedOn(owner, failure);
      const isOpen = status?.open.includes(target) ?? false;
      const now = clock();
      const isNews = view.version !== version && !isOpen;
      const silent = view.silent >= shard.silence * (status === null ? UNSEEN : 1);
      idle = isOpen || status === null ? 0 : idle + (now - looked);
      looked = now;
      const hopeless = silent || status?.ended === true || failure !== undefined || idle >= shard.silence;
      if (isNews || hopeless || now - asked >= ASK_ANYWAY) {
        const found = await find(signal);
        if (found !== null) return { status: 'found', settled: found };
        asked = now;
        version = view.version;
      }
      if (hopeless) return null;
      await pause(interval, signal);
      signal.throwIfAborted();
    }
  }
}

/** A recipe that says no does so everywhere; a machine's own trouble is no reason not to try on another. */
function isEveryones({ kind }: ShardFailure): boolean {
  return kind !== 'infrastructure';
}

function failedOn(shard: number, failure: ShardFailure): Sought {
  const whole: Failure = {
    ...failure,
    cause: `${failure.cause} (on shard ${shard})`,
    tail: [],
    logFile: null,
    hint: `Its log is with shard ${shard}.`,
  };
  return { status: 'failed', failure: whole };
}
