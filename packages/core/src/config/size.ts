/**
 * Sizes as people write them: `8GiB`, `512M`. Pure.
 */

/** Bytes: digits, maybe with a fraction, and k, M, G or T (powers of 1024, with or without B or iB). Null
 * where it is none or is 0. */
export function parseSize(text: string): number | null {
  const match = /^([0-9]{1,15}(?:\.[0-9]{1,6})?)\s?(?:([kKmMgGtT])(?:i?[bB])?|[bB])?$/.exec(text);
  if (match === null) return null;
  const power = match[2] === undefined ? 0 : 'kmgt'.indexOf(match[2].toLowerCase()) + 1;
  const size = Math.floor(Number(match[1]) * 1024 ** power);
  return size > 0 && Number.isSafeInteger(size) ? size : null;
}
