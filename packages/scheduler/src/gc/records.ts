/**
 * Which records go: the incomplete, the old, then the least recently used until the rest fits.
 *
 * Pure; what is protected and which blobs are there is for the caller.
 */
import type { Digest } from '@stx-make/core/oci/model';
import type { KeptRecord } from '../state/retention.ts';
import { blobsOf } from '../store/output.ts';

export interface Choice {
  readonly kept: readonly KeptRecord[];
  readonly dropped: readonly KeptRecord[];
}

export interface ChoiceOptions {
  readonly isProtected: (record: KeptRecord) => boolean;
  /** Bytes of a blob in the pool; undefined where it is not there. */
  readonly sizeOf: (digest: Digest) => number | undefined;
  /** Dropped where last used before this; ms since the epoch. */
  readonly usedBefore: number | null;
  readonly maxSize: number | null;
}

/** @param records least recently used first */
export function chooseRecords(records: readonly KeptRecord[], options: ChoiceOptions): Choice {
  const { isProtected, sizeOf, usedBefore, maxSize } = options;
  const dropped = new Set<KeptRecord>();
  for (const record of records) {
    if (isProtected(record)) continue;
    const old = usedBefore !== null && record.used < usedBefore;
    // What lacks a blob answers nothing any more.
    if (old || blobsOf(record.output).some((digest) => sizeOf(digest) === undefined)) dropped.add(record);
  }
  if (maxSize !== null) dropUntil(maxSize, records, dropped, options);
  return {
    kept: records.filter((record) => !dropped.has(record)),
    dropped: records.filter((record) => dropped.has(record)),
  };
}

/** Blobs are shared, so what a record frees depends on what else is kept: counted, not summed. */
function dropUntil(
  maxSize: number,
  records: readonly KeptRecord[],
  dropped: Set<KeptRecord>,
  { isProtected, sizeOf }: ChoiceOptions,
): void {
  const users = new Map<Digest, number>();
  let size = 0;
  for (const record of records) {
    if (dropped.has(record)) continue;
    for (const digest of blobsOf(record.output)) {
      const before = users.get(digest) ?? 0;
      if (before === 0) size += sizeOf(digest) ?? 0;
      users.set(digest, before + 1);
    }
  }
  for (const record of records) {
    if (size <= maxSize) return;
    if (dropped.has(record) || isProtected(record)) continue;
    dropped.add(record);
    for (const digest of blobsOf(record.output)) {
      const left = (users.get(digest) ?? 0) - 1;
      users.set(digest, left);
      if (left === 0) size -= sizeOf(digest) ?? 0;
    }
  }
}
