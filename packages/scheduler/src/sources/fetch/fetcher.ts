/**
 * Makes sure that sources are in the store: what is here already, what lies in the tree, and the rest from its
 * mirrors, in parallel.
 *
 * One fetcher lives as long as a session or run: it shares connections, limits, and downloads that several callers
 * wait for. Another process that downloads the same content is waited for. Unaware of targets beyond their names.
 */
import { ProblemError } from '@stx-make/core/errors';
import { forEachLimited } from '../../files/index.ts';
import { adoptLocal } from '../local/adopt.ts';
import type { FetchReport, SourceProgress, WantedContent, WantedSource } from '../model.ts';
import { Network } from '../network/network.ts';
import { SourceStore } from '../store/store.ts';
import { byContent } from '../wanted.ts';
import { type Downloaded, type DownloadTools, download } from './download.ts';
import { Hosts } from './hosts.ts';
import { DEFAULT_FETCH_LIMITS, type EnsureOptions, type FetcherOptions, realWorld } from './options.ts';
import { makeReport, type Result } from './report.ts';

/** Files hashed at once: reading is the bottleneck, not the CPUs. */
const CHECKS = 4;

interface Shared {
  readonly result: Promise<Downloaded>;
  readonly stop: AbortController;
  readonly listeners: Set<(progress: SourceProgress) => void>;
  waiting: number;
}

export class SourceFetcher {
  readonly store: SourceStore;
  readonly #tools: DownloadTools;
  readonly #network: Network;
  readonly #offline: boolean;
  readonly #underWay = new Map<string, Shared>();

  /** Creates the store's folders; opens no connection. @throws ProblemError environment */
  constructor(options: FetcherOptions) {
    const world = options.world ?? realWorld;
    const limits = { ...DEFAULT_FETCH_LIMITS, ...options.limits };
    this.store = new SourceStore(options.paths.sources, options.ledger);
    this.#offline = options.offline ?? false;
    this.#network = new Network({ env: options.env, authorities: options.authorities });
    const hosts = new Hosts(limits, world.clock);
    this.#tools = { store: this.store, network: this.#network, hosts, limits, world };
  }

  /**
   * Resolves when everything wanted is in the store or has failed on all its mirrors; what failed is in the report.
   * Never rejects for a failure that is not a bug of ours.
   */
  async ensure(wanted: readonly WantedSource[], options: EnsureOptions): Promise<FetchReport> {
    const contents = byContent(wanted);
    const results = new Map<string, Result>();
    const fatal: ProblemError[] = [];
    // What ends it for all: the caller, or a machine that can not go on (no space).
    const give = new AbortController();
    const signal = AbortSignal.any([options.signal, give.signal]);
    const guard = async (work: () => Promise<void>): Promise<void> => {
      try {
        await work();
      } catch (error) {
        if (error instanceof ProblemError) {
          fatal.push(error);
          give.abort(error);
        } else if (!signal.aborted) throw error;
      }
    };
    await guard(() => this.#look(contents, results, signal, options.root));
    const missing = contents.filter(({ sha256 }) => !results.has(sha256));
    if (this.#offline) for (const { sha256 } of missing) results.set(sha256, { outcome: 'missing' });
    else {
      await Promise.all(
        missing.map((content) =>
          guard(async () => {
            const result = await this.#share(content, signal, options.onProgress);
            results.set(content.sha256, result);
          }),
        ),
      );
    }
    const warnings = this.store.takeWarnings();
    return makeReport(contents, results, fatal, warnings, options.signal.aborted, this.store);
  }

  /** Closes all connections; downloads under way fail. */
  close(): void {
    this.#network.close();
  }

  /** What needs no network. */
  async #look(
    contents: readonly WantedContent[],
    results: Map<string, Result>,
    signal: AbortSignal,
    root: string | undefined,
  ): Promise<void> {
    await forEachLimited(contents, CHECKS, async ({ sha256 }) => {
      if ((await this.store.check(sha256, signal)) === 'good') results.set(sha256, { outcome: 'present' });
    });
    const missing = contents.filter(({ sha256 }) => !results.has(sha256));
    if (root === undefined || missing.length === 0) return;
    const users = missing.flatMap((content) => content.users);
    for (const sha256 of await adoptLocal(root, users, this.store, signal)) {
      results.set(sha256, { outcome: 'adopted' });
    }
  }

  /** Joins a download of the same content that is under way, or begins one. It ends early only when all who wait
   * for it have gone. */
  async #share(
    content: WantedContent,
    signal: AbortSignal,
    onProgress: ((progress: SourceProgress) => void) | undefined,
  ): Promise<Downloaded> {
    const { sha256 } = content;
    // One that everybody left is ending; it can not be joined.
    for (let known = this.#underWay.get(sha256); known?.stop.signal.aborted === true; ) {
      await known.result.catch(() => {});
      known = this.#underWay.get(sha256);
    }
    signal.throwIfAborted();
    const shared = this.#underWay.get(sha256) ?? this.#begin(content);
    shared.waiting += 1;
    if (onProgress !== undefined) shared.listeners.add(onProgress);
    let leave = (): void => {};
    const left = new Promise<never>((_resolve, reject) => {
      leave = (): void => {
        shared.waiting -= 1;
        // The last one waits for the end, so that nothing works on behind the caller's back.
        if (shared.waiting === 0) shared.stop.abort(signal.reason);
        else reject(signal.reason);
      };
    });
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([shared.result, left]);
    } finally {
      signal.removeEventListener('abort', leave);
      if (onProgress !== undefined) shared.listeners.delete(onProgress);
    }
  }

  #begin(content: WantedContent): Shared {
    const stop = new AbortController();
    const listeners = new Set<(progress: SourceProgress) => void>();
    const tell = (progress: SourceProgress): void => {
      for (const listener of listeners) listener(progress);
    };
    const result = download(content, this.#tools, stop.signal, tell).finally(() => {
      this.#underWay.delete(content.sha256);
    });
    const shared: Shared = { result, stop, listeners, waiting: 0 };
    this.#underWay.set(content.sha256, shared);
    return shared;
  }
}

/** One call of a fetcher of its own. */
export async function ensureSources(
  wanted: readonly WantedSource[],
  options: FetcherOptions & EnsureOptions,
): Promise<FetchReport> {
  const fetcher = new SourceFetcher(options);
  try {
    return await fetcher.ensure(wanted, options);
  } finally {
    fetcher.close();
  }
}
