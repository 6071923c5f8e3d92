/**
 * The modes and times everything in a staged context gets, so that BuildKit's comparison by metadata is one by
 * content (BUILDKIT.md 3).
 *
 * Unaware of files on disk.
 */
import { createHash } from 'node:crypto';
import type { ContextFile } from '@stx-make/core/fingerprint/encode';
import { byCodeUnit } from '@stx-make/core/order';
import { mtimeOfHash } from '../files/mtime.ts';

/**
 * The mode of staged sources: what upstream's download gives. It is visible in images (`ADD fetch/x .` keeps it), so
 * 0444 would give other digests than the published ones. Files of the source store that have it, and the time of
 * their hash, can be linked; others must be copied.
 */
export const SOURCE_MODE = 0o644;

/** The time of a source, in whole seconds: it belongs to its sha256 (hex digits). */
export const timeOf: (sha256: string) => number = mtimeOfHash;

/** The one time of all recipe files and folders of a context: it changes when any of them does. One for all,
 * because `make` inside a RUN compares times, and different ones would order the files at random. */
export function contextTime(files: readonly ContextFile[]): number {
  const hash = createHash('sha256').update('stx-make context 1\n');
  const sorted = [...files].sort((a, b) => byCodeUnit(a.path, b.path));
  for (const { path, mode, digest } of sorted) hash.update(`${JSON.stringify([path, mode, digest])}\n`);
  return timeOf(hash.digest('hex'));
}
