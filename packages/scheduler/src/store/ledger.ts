/**
 * What is remembered of blobs so that they need not be read again.
 *
 * A stamp says which bytes on disk were found to be right (size, mtime in nanoseconds, inode); it is worth
 * nothing once the file's stat is another one. What was read out of a layer belongs to its digest and stays
 * true for ever. ctime is not in the stamp: making a hard link changes it.
 */
import type { BigIntStats } from 'node:fs';
import type { Digest } from '@stx-make/core/oci/index';

/** `<size>:<mtime ns>:<inode>` of a blob that was hashed and found good. */
export type Stamp = string;

export function stampOf(stat: BigIntStats): Stamp {
  return `${stat.size}:${stat.mtimeNs}:${stat.ino}`;
}

/** Bytes. */
export function sizeOfStamp(stamp: Stamp): number {
  return Number(stamp.slice(0, stamp.indexOf(':')));
}

/** What a layer was found to hold. */
export interface LayerFacts {
  /** sha256 of the layer uncompressed. */
  readonly diffId: Digest;
  /** The newest mtime of its entries, in seconds (PAX can give fractions); 0 where it has none. */
  readonly newest: number;
}

/** Where these are kept. The state database implements it; nothing here is needed for a right build, losing it
 * costs only reading. */
export interface BlobLedger {
  stamp(digest: Digest): Stamp | undefined;
  /** For this process. */
  remember(digest: Digest, stamp: Stamp): void;
  /** What is remembered of it may outlive the process: its bytes are on the disk. A stat survives a power cut that
   * its bytes do not. */
  keep(digest: Digest): void;
  forget(digest: Digest): void;
  layer(digest: Digest): LayerFacts | undefined;
  rememberLayer(digest: Digest, facts: LayerFacts): void;
}

/** A ledger that lives as long as the process. */
export function memoryLedger(): BlobLedger {
  const stamps = new Map<Digest, Stamp>();
  const layers = new Map<Digest, LayerFacts>();
  return {
    stamp: (digest) => stamps.get(digest),
    remember: (digest, stamp) => void stamps.set(digest, stamp),
    keep: () => {},
    forget: (digest) => void stamps.delete(digest),
    layer: (digest) => layers.get(digest),
    rememberLayer: (digest, facts) => void layers.set(digest, facts),
  };
}
