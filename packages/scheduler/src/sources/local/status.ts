/**
 * What is known of each wanted source, for `sources list`: nothing is fetched or changed, and nothing read unless
 * asked.
 */
import { byCodeUnit, sortedUnique } from '@stx-make/core/order';
import type { WantedSource } from '../model.ts';
import { showUrl } from '../network/failure.ts';
import type { SourceStore } from '../store/store.ts';
import { byContent } from '../wanted.ts';

export interface SourceStatus {
  readonly sha256: string;
  readonly file: string;
  readonly recipes: readonly string[];
  readonly targets: readonly string[];
  /** Without credentials. */
  readonly mirrors: readonly string[];
  /** verified: hashed, and its stat is what it was then. unverified: there, will be hashed before it is used. */
  readonly state: 'verified' | 'unverified' | 'missing';
  /** Bytes; null where it is missing. */
  readonly size: number | null;
}

/** One a content, sorted by recipe, then file. @param verify hash what is unverified, which removes wrong files */
export async function sourcesStatus(
  wanted: readonly WantedSource[],
  store: SourceStore,
  options: { readonly verify: boolean; readonly signal: AbortSignal },
): Promise<readonly SourceStatus[]> {
  const list: SourceStatus[] = [];
  for (const { sha256, file, users, mirrors } of byContent(wanted)) {
    if (options.verify) await store.check(sha256, options.signal);
    const glance = await store.glance(sha256);
    list.push({
      sha256,
      file,
      recipes: sortedUnique(users.map((user) => user.recipe)),
      targets: sortedUnique(users.map((user) => user.target)),
      mirrors: mirrors.map(showUrl),
      state: glance === null ? 'missing' : glance.verified ? 'verified' : 'unverified',
      size: glance?.size ?? null,
    });
  }
  return list.sort((a, b) => byCodeUnit(key(a), key(b)));
}

function key(status: SourceStatus): string {
  return `${status.recipes[0] ?? ''}/${status.file}/${status.sha256}`;
}
