/**
 * Digests of files of any size, at once and in bounded memory. Unaware of what the files mean.
 */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { digestOf } from '@stx-make/core/oci/digest';
import type { Digest } from '@stx-make/core/oci/model';

/** Bytes read at a time. Files up to this size are read whole: cheaper, and most are a few hundred bytes. */
const PIECE = 1024 * 1024;

/** @param size as a stat tells it, bytes. @param onRead gets what was read of a file that is read whole.
 * @throws system errors */
export function digestOfFile(path: string, size: number, onRead?: (bytes: Uint8Array) => void): Digest {
  if (size <= PIECE) {
    const bytes = readFileSync(path);
    onRead?.(bytes);
    return digestOf(bytes);
  }
  const fd = openSync(path, 'r');
  try {
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafe(PIECE);
    for (let length = readSync(fd, buffer); length > 0; length = readSync(fd, buffer)) {
      hash.update(buffer.subarray(0, length));
    }
    return `sha256:${hash.digest('hex')}` as Digest;
  } finally {
    closeSync(fd);
  }
}
