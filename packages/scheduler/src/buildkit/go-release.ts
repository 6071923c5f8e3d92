/**
 * Which Go compiled a program, read from the program: the release is part of the digests (BUILDKIT.md 1).
 *
 * Unaware of BuildKit.
 */
import { open } from 'node:fs/promises';

/** debug/buildinfo: the block begins so; with the second flag bit the version follows 32 bytes on, its length
 * first as a varint. */
const MAGIC = Buffer.from('\u00ff Go buildinf:', 'latin1');
const INLINE = 2;
const CHUNK = 1024 * 1024;

/** For example `go1.26.8`; null where the program is no Go program or can not be read. */
export async function goReleaseOf(path: string): Promise<string | null> {
  const file = await open(path, 'r').catch(() => null);
  if (file === null) return null;
  try {
    const window = Buffer.alloc(CHUNK + 256);
    for (let at = 0; ; at += CHUNK) {
      const { bytesRead } = await file.read(window, 0, window.length, at);
      const bytes = window.subarray(0, bytesRead);
      for (let found = bytes.indexOf(MAGIC); found >= 0; found = bytes.indexOf(MAGIC, found + 1)) {
        const release = releaseAt(bytes.subarray(found));
        if (release !== null) return release;
      }
      if (bytesRead < window.length) return null;
    }
  } finally {
    await file.close();
  }
}

function releaseAt(block: Buffer): string | null {
  const flags = block[15] ?? 0;
  const length = block[32] ?? 0;
  // A length above 127 would be a longer varint; no release has such a name.
  if ((flags & INLINE) === 0 || length === 0 || length > 127) return null;
  const text = block.subarray(33, 33 + length).toString('latin1');
  return /^go\d/.test(text) ? (text.split(' ')[0] ?? null) : null;
}
