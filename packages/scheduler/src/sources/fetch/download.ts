/**
 * One content from its mirrors: tries, pauses, limits, and one process at a time on one content.
 */
import { join } from 'node:path';
import { unlinkIfThere } from '../../files/index.ts';
import { takeLock } from '../../state/lock.ts';
import type { MirrorFailure, SourceProgress, WantedContent } from '../model.ts';
import { AttemptError, showUrl } from '../network/failure.ts';
import type { Network } from '../network/network.ts';
import type { SourceStore } from '../store/store.ts';
import type { Hosts } from './hosts.ts';
import type { FetchLimits, FetchWorld } from './options.ts';
import { Part } from './part.ts';
import { Mirrors } from './retry.ts';
import { transfer } from './transfer.ts';

export interface DownloadTools {
  readonly store: SourceStore;
  readonly network: Network;
  readonly hosts: Hosts;
  readonly limits: FetchLimits;
  readonly world: FetchWorld;
}

export interface Downloaded {
  /** present: another process was faster. */
  readonly outcome: 'downloaded' | 'present' | 'failed';
  readonly url: string | null;
  /** Bytes over the network. */
  readonly received: number;
  readonly failures: readonly MirrorFailure[];
}

type Tell = (progress: SourceProgress) => void;

/** What one attempt left behind, for the next. */
interface Tally {
  received: number;
  /** Bytes that the next attempt can go on from. */
  here: number;
  /** The server began to answer. */
  heard: boolean;
}

/** Resolves with what became of it. @throws ProblemError environment; the signal's reason */
export async function download(
  content: WantedContent,
  tools: DownloadTools,
  signal: AbortSignal,
  tell: Tell,
): Promise<Downloaded> {
  const { hosts, limits, world } = tools;
  const failures: MirrorFailure[] = [];
  const mirrors = new Mirrors(usable(content.mirrors, failures), limits, world.random);
  const tally: Tally = { received: 0, here: 0, heard: false };
  for (;;) {
    const next = mirrors.next(world.clock());
    if (next === null) return { outcome: 'failed', url: null, received: tally.received, failures };
    const url = new URL(next.url);
    try {
      if (hosts.isDown(url.host)) {
        throw new AttemptError(
          'host-down',
          `${url.host} did not answer a moment ago and was not asked`,
          false,
        );
      }
      if (next.waitMs > 0) await world.pause(next.waitMs, signal);
      const outcome = await hosts.use(url.host, signal, () =>
        attempt(content, url, tools, signal, tell, tally),
      );
      if (tally.heard) hosts.answered(url.host);
      return {
        outcome,
        url: outcome === 'downloaded' ? showUrl(next.url) : null,
        received: tally.received,
        failures,
      };
    } catch (error) {
      if (!(error instanceof AttemptError)) throw error;
      const { failure } = error;
      failures.push({ ...failure, url: showUrl(next.url) });
      mirrors.failed(next.url, failure, tally.here, world.clock());
      if (tally.heard || !isSilence(failure.kind)) hosts.answered(url.host);
      else if (failure.kind !== 'host-down') hosts.silent(url.host);
    }
  }
}

/** Kinds of failure that a host which does not answer at all gives. */
function isSilence(kind: MirrorFailure['kind']): boolean {
  return kind === 'connection' || kind === 'timeout' || kind === 'host-down';
}

/** Mirrors that can be asked; the others fail at once. No ftp: no tree has had such a mirror for years, and Node has
 * no client. No file: a recipe must not name files of the machine; `sources import` is for those. */
function usable(mirrors: readonly string[], failures: MirrorFailure[]): string[] {
  return mirrors.filter((mirror) => {
    const url = URL.canParse(mirror) ? new URL(mirror) : null;
    if (url !== null && (url.protocol === 'http:' || url.protocol === 'https:') && url.host !== '')
      return true;
    const text = url === null ? 'is not a URL' : `${url.protocol} is not supported, only http and https`;
    failures.push({ url: showUrl(mirror), kind: 'unsupported', text, transient: false });
    return false;
  });
}

async function attempt(
  content: WantedContent,
  url: URL,
  tools: DownloadTools,
  signal: AbortSignal,
  tell: Tell,
  tally: Tally,
): Promise<'downloaded' | 'present'> {
  const { store, network, limits, world } = tools;
  const { sha256 } = content;
  tally.heard = false;
  const lockFile = join(store.partial, `${sha256}.lock`);
  const lock = await takeLock(lockFile, `the source ${content.file}`, {
    wait: true,
    holder: {
      pid: process.pid,
      command: `fetch ${content.file}`,
      since: new Date(world.now()).toISOString(),
    },
    onWait: () => {},
    signal,
  });
  try {
    if ((await store.check(sha256, signal)) === 'good') return 'present';
    const part = await Part.open(store, sha256, signal);
    const progress = reporter(content, url, tools, tell);
    try {
      await transfer({
        url,
        sha256,
        part,
        store,
        network,
        limits,
        signal,
        now: world.now,
        onBytes: (here, total, fresh) => {
          tally.heard = true;
          tally.received += fresh;
          progress(here, total, false);
        },
      });
    } finally {
      progress(part.size, null, true);
      tally.here = part.size;
      await part.close();
    }
    // Once the content is in the store nobody needs the lock: whoever waits for it finds the content.
    unlinkIfThere(lockFile);
    return 'downloaded';
  } finally {
    lock.release();
  }
}

function reporter(
  content: WantedContent,
  url: URL,
  tools: DownloadTools,
  tell: Tell,
): (here: number, total: number | null, done: boolean) => void {
  const [{ target, recipe }] = content.users;
  const { file, sha256 } = content;
  const shown = showUrl(url.href);
  let told: number | null = null;
  let known: number | null = null;
  return (received, total, done) => {
    const now = tools.world.clock();
    known = total ?? known;
    if (!done && told !== null && now - told < tools.limits.progressMs) return;
    // An attempt of which nothing was said needs no end.
    if (done && told === null) return;
    told = now;
    tell({ sha256, target, recipe, file, url: shown, received, total: known, done });
  };
}
