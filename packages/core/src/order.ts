/**
 * Ordering and hashing-safe helpers. Everything hashed or printed as a list is sorted by code unit, never
 * by locale.
 */

/** Compares by UTF-16 code unit: the order of `Array.prototype.sort` without arguments, for sort callbacks. */
export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The distinct items, sorted by code unit. */
export function sortedUnique(items: Iterable<string>): string[] {
  return [...new Set(items)].sort(byCodeUnit);
}
