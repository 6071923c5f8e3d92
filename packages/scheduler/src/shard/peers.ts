/**
 * What this shard knows of the others: the last status each left in the remote, and since when nothing came.
 *
 * Whether a shard is alive is judged by whether its text changes while it is watched, by our own clock: clocks of
 * machines differ, and an old text of a shard that is gone must not look like a sign of life. Time in which the remote
 * could not be read counts for nobody. Unaware of targets.
 */
import { ProblemError } from '@stx-make/core/errors';
import type { RemoteNotes } from '../remote/model.ts';
import type { ShardStatus } from './model.ts';
import { readStatus } from './text.ts';

export interface PeerView {
  /** Null: nothing was ever read of it. */
  readonly status: ShardStatus | null;
  /** Grows when another text was read. */
  readonly version: number;
  /** ms for which the remote could be read and nothing new was there. */
  readonly silent: number;
}

interface Peer {
  status: ShardStatus | null;
  /** What was there at first and may be left from another session: `process beat`. */
  stale: string | null;
  version: number;
  silent: number;
  /** By our clock; null: never, or not read the last time. */
  readAt: number | null;
  lookedAt: number;
  looking: Promise<void> | null;
}

export interface PeersOptions {
  readonly notes: Pick<RemoteNotes, 'get'>;
  readonly tagOf: (shard: number) => string;
  /** The session's name is nobody else's, so that what is there at first is of this session, too. Else only what changes
   * while it is watched counts: it may be left from a run before. */
  readonly isOwnSession: boolean;
  /** ms, monotonic. */
  readonly clock: () => number;
}

export class Peers {
  readonly #options: PeersOptions;
  readonly #peers = new Map<number, Peer>();

  constructor(options: PeersOptions) {
    this.#options = options;
  }

  /**
   * How a shard is, not older than `freshness` ms. All who ask at once share one request.
   * @throws only the signal's reason
   */
  async look(shard: number, freshness: number, signal: AbortSignal): Promise<PeerView> {
    const peer = this.#peer(shard);
    if (this.#options.clock() - peer.lookedAt >= freshness) {
      peer.looking ??= this.#read(shard, peer, signal).finally(() => {
        peer.looking = null;
      });
    }
    if (peer.looking !== null) await peer.looking;
    signal.throwIfAborted();
    const { status, version, silent } = peer;
    return { status, version, silent };
  }

  async #read(shard: number, peer: Peer, signal: AbortSignal): Promise<void> {
    const { notes, tagOf, clock } = this.#options;
    const before = peer.readAt;
    peer.readAt = null;
    let text: string | null;
    try {
      text = await notes.get(tagOf(shard), signal);
    } catch (error) {
      if (!(error instanceof ProblemError) && !signal.aborted) throw error;
      return;
    } finally {
      peer.lookedAt = clock();
    }
    const now = clock();
    peer.readAt = now;
    const status = text === null ? null : readStatus(text, shard);
    if (status !== null && before === null && peer.version === 0 && !this.#options.isOwnSession) {
      peer.stale ??= signOf(status);
    }
    const isNews =
      status !== null &&
      signOf(status) !== peer.stale &&
      (peer.status === null || signOf(status) !== signOf(peer.status));
    if (isNews) {
      peer.status = status;
      peer.version += 1;
      peer.silent = 0;
    } else if (before !== null) {
      peer.silent += now - before;
    }
  }

  #peer(shard: number): Peer {
    let peer = this.#peers.get(shard);
    if (peer === undefined) {
      const never = Number.NEGATIVE_INFINITY;
      peer = {
        status: null,
        stale: null,
        version: 0,
        silent: 0,
        readAt: null,
        lookedAt: never,
        looking: null,
      };
      this.#peers.set(shard, peer);
    }
    return peer;
  }
}

function signOf({ process, beat }: ShardStatus): string {
  return `${process} ${beat}`;
}
