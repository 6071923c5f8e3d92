/**
 * Times that say something: an mtime derived from content, so that BuildKit's comparison of uploads by path, size
 * and mtime becomes one by content (BUILDKIT.md 3). Unaware of files.
 */

/** Every such mtime lies between 2 s and 10^9 s: after the epoch tools treat as "no time", never in the future. */
const EARLIEST = 2;
const LATEST = 1_000_000_000;
/** 48 bits: exact in a double. */
const DIGITS = 12;

/**
 * The mtime of a file, or of a staged context, whose sha256 is `hex`: whole seconds since 1970, at least 2 and
 * less than 10^9.
 */
export function mtimeOfHash(hex: string): number {
  const head = hex.slice(0, DIGITS);
  if (!/^[0-9a-f]{12}$/.test(head)) throw new Error(`not a hash: ${JSON.stringify(hex)}`);
  return EARLIEST + (Number.parseInt(head, 16) % (LATEST - EARLIEST));
}
