/**
 * What the tests of sources share: a store in a folder of its own, wanted sources, time that does not pass.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type FetchLimits,
  type FetchReport,
  type FetchWorld,
  memorySourceLedger,
  SourceFetcher,
  type SourceLedger,
  type SourceProgress,
  type WantedSource,
} from '../../../packages/scheduler/src/sources/index.ts';

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Bytes that do not compress and are the same each time. */
export function bytes(size: number, seed = 'seed'): Buffer {
  return createHash('shake256', { outputLength: size }).update(seed).digest();
}

export function wanted(
  body: Uint8Array,
  mirrors: readonly string[],
  file = 'file.bin',
  recipe = 'core/x',
): WantedSource {
  const [stage = '', name = ''] = recipe.split('/');
  return {
    target: `${stage}-${name}`,
    recipe,
    stage,
    name,
    source: {
      name: 'main',
      version: null,
      sha256: sha256(body),
      format: null,
      file,
      mirrors,
      gitSha: null,
      line: 7,
    },
  };
}

export class Bench implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'stx-sources-'));
  readonly ledger: SourceLedger = memorySourceLedger();
  /** Every pause that was asked for, ms. They take no time. */
  readonly pauses: number[] = [];
  readonly progress: SourceProgress[] = [];
  readonly world: FetchWorld;

  constructor() {
    let clock = 0;
    this.world = {
      clock: () => {
        clock += 1;
        return clock;
      },
      now: () => Date.UTC(2026, 0, 1),
      random: () => 0.5,
      pause: async (ms, signal) => {
        signal.throwIfAborted();
        this.pauses.push(Math.round(ms));
        clock += ms;
      },
    };
  }

  get state(): string {
    return join(this.folder, 'state', 'sources');
  }

  get root(): string {
    return join(this.folder, 'tree');
  }

  fetcher(
    limits: Partial<FetchLimits> = {},
    more: { env?: NodeJS.ProcessEnv; offline?: boolean; authorities?: string[] } = {},
  ): SourceFetcher {
    return new SourceFetcher({
      paths: { sources: this.state },
      ledger: this.ledger,
      env: more.env ?? {},
      offline: more.offline,
      authorities: more.authorities,
      limits: { progressMs: 0, ...limits },
      world: this.world,
    });
  }

  async fetch(
    list: readonly WantedSource[],
    limits: Partial<FetchLimits> = {},
    more: {
      env?: NodeJS.ProcessEnv;
      offline?: boolean;
      authorities?: string[];
      signal?: AbortSignal;
      root?: string;
    } = {},
  ): Promise<FetchReport> {
    const fetcher = this.fetcher(limits, more);
    try {
      return await fetcher.ensure(list, {
        signal: more.signal ?? new AbortController().signal,
        root: more.root,
        onProgress: (progress) => this.progress.push(progress),
      });
    } finally {
      fetcher.close();
    }
  }

  /** Names in the store and beside it, for "nothing of it is kept". Locks hold no bytes and do not count. */
  kept(): { readonly store: string[]; readonly partial: string[] } {
    const list = (name: string): string[] => readdirSync(join(this.state, name)).sort();
    return {
      store: list('sha256'),
      partial: list('partial').filter((name) => !/\.lock(\.holder)?$/.test(name)),
    };
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
