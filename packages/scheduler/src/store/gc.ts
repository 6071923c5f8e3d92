/**
 * Blobs nobody refers to any more, and blobs that are not what they should be.
 *
 * What is still referred to is for the caller (records, the current tree). Blobs also linked from `out/` free no
 * space until they go there too. Unaware of outputs.
 */
import { type BigIntStats, lstatSync } from 'node:fs';
import type { Digest } from '@stx-make/core/oci/index';
import { byCodeUnit } from '@stx-make/core/order';
import { withFileProblems } from '../files/index.ts';
import type { BadBlob, Pool } from './pool.ts';

export interface GcOptions {
  /** List only. */
  readonly dryRun: boolean;
  /** Milliseconds since 1970; needed for `maxAge`. */
  readonly now?: number;
  /** Only blobs whose file is older than this many milliseconds. */
  readonly maxAge?: number;
  /** Only until the whole pool has at most this many bytes, oldest first. */
  readonly maxSize?: number;
}

export interface GarbageBlob {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  /** False where another hard link (an `out/`) keeps the bytes. */
  readonly frees: boolean;
}

export interface GcResult {
  /** Removed, or with `dryRun` to be removed; oldest first. */
  readonly removed: readonly GarbageBlob[];
  /** Bytes that come free. */
  readonly freed: number;
  /** Bytes that stay. */
  readonly kept: number;
  /** Names in the pool that are not ours; left alone. */
  readonly foreign: readonly string[];
}

/** @throws ProblemError environment */
export function collectGarbage(pool: Pool, keep: ReadonlySet<Digest>, options: GcOptions): GcResult {
  return withFileProblems('clean the pool of blobs', pool.root, () => {
    const { blobs, foreign } = pool.list();
    let kept = 0;
    const candidates: { readonly digest: Digest; readonly stat: BigIntStats }[] = [];
    for (const digest of blobs) {
      const stat = lstatSync(pool.path(digest), { bigint: true, throwIfNoEntry: false });
      if (stat === undefined) continue;
      kept += Number(stat.size);
      if (!keep.has(digest) && isOldEnough(stat, options)) candidates.push({ digest, stat });
    }
    candidates.sort((a, b) => Number(a.stat.mtimeNs - b.stat.mtimeNs) || byCodeUnit(a.digest, b.digest));
    const removed: GarbageBlob[] = [];
    let freed = 0;
    for (const { digest, stat } of candidates) {
      if (options.maxSize !== undefined && kept <= options.maxSize) break;
      const size = Number(stat.size);
      const frees = stat.nlink === 1n || stat.isDirectory();
      removed.push({ digest, size, frees });
      kept -= size;
      if (frees) freed += size;
      if (!options.dryRun) pool.remove(digest);
    }
    return { removed, freed, kept, foreign };
  });
}

function isOldEnough(stat: BigIntStats, { maxAge, now }: GcOptions): boolean {
  if (maxAge === undefined) return true;
  if (now === undefined) throw new Error('maxAge needs now');
  return now - Number(stat.mtimeMs) > maxAge;
}

export interface PoolReport {
  readonly checked: number;
  /** Sorted by digest. */
  readonly bad: readonly BadBlob[];
  readonly foreign: readonly string[];
}

/** Reads every blob again, whatever is remembered of it. Removes nothing: repair is unlinking the bad ones and
 * building again what needs them. */
export async function verifyPool(pool: Pool): Promise<PoolReport> {
  const { blobs, foreign } = pool.list();
  for (const digest of blobs) pool.ledger.forget(digest);
  const bad = await pool.badOf(blobs);
  bad.sort((a, b) => byCodeUnit(a.digest, b.digest));
  pool.sync();
  return { checked: blobs.length, bad, foreign };
}
