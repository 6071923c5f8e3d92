/**
 * sha256 of files, read in pieces. Unaware of what they are.
 */
import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** Bytes read at once: large enough that the call does not count beside the hashing. */
const PIECE = 1024 * 1024;

/**
 * Feeds a file's bytes from the start to `take`, which may be slow: nothing is read ahead. @returns bytes read
 */
export async function readPieces(
  handle: FileHandle,
  signal: AbortSignal,
  take: (piece: Buffer) => unknown,
): Promise<number> {
  const buffer = Buffer.allocUnsafe(PIECE);
  let at = 0;
  for (;;) {
    signal.throwIfAborted();
    const { bytesRead } = await handle.read(buffer, 0, PIECE, at);
    if (bytesRead === 0) return at;
    at += bytesRead;
    await take(buffer.subarray(0, bytesRead));
  }
}

/** Opens for reading, never through a link in the last part of the path, never waiting for a FIFO. */
export function openPlain(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
}

/** The sha256 in hex of a regular file. Errors of the file system as they come. */
export async function hashFile(path: string, signal: AbortSignal): Promise<string> {
  const handle = await openPlain(path);
  try {
    const hash = createHash('sha256');
    await readPieces(handle, signal, (piece) => hash.update(piece));
    return hash.digest('hex');
  } finally {
    await handle.close();
  }
}

/** The digest so far, the hash goes on. */
export function hexSoFar(hash: Hash): string {
  return hash.copy().digest('hex');
}
