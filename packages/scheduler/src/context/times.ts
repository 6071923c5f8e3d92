/**
 * The modes and times everything in a staged context gets, so that BuildKit's comparison by metadata is one by
 * content (BUILDKIT.md 3).
 *
 * Unaware of files on disk.
 */
import { createHash } from 'node:crypto';
import type { ContextFile } from '@stx-make/core/fingerprint/encode';
import { byCodeUnit } from '@stx-make/core/order';

/** Seconds; 1 would look like an already rewritten time, 0 like none. */
const EARLIEST = 2;
/** Seconds, exclusive: September 2001, never in the future of any clock. */
const LATEST = 1_000_000_000;

/**
 * The mode of staged sources, and so of files in the source store that are linked into contexts: what upstream's
 * download gives. It is visible in images (`ADD fetch/x .` keeps it), so 0444 would give other digests than the
 * published ones.
 */
export const SOURCE_MODE = 0o644;

/** A time in whole seconds since 1970 that belongs to a sha256 (hex digits). */
export function timeOf(sha256: string): number {
  const number = Number.parseInt(sha256.slice(0, 12), 16);
  if (!Number.isSafeInteger(number)) throw new Error(`not a sha256: ${JSON.stringify(sha256)}`);
  return EARLIEST + (number % (LATEST - EARLIEST));
}

/** The one time of all recipe files and folders of a context: it changes when any of them does. One for all,
 * because `make` inside a RUN compares times, and different ones would order the files at random. */
export function contextTime(files: readonly ContextFile[]): number {
  const hash = createHash('sha256').update('stx-make context 1\n');
  const sorted = [...files].sort((a, b) => byCodeUnit(a.path, b.path));
  for (const { path, mode, digest } of sorted) hash.update(`${JSON.stringify([path, mode, digest])}\n`);
  return timeOf(hash.digest('hex'));
}
