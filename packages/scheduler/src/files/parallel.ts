/**
 * Bounded parallelism over a list. Unaware of what is done.
 */

/**
 * Runs `work` for every item, at most `limit` at a time, in the order of the list. After the first failure
 * nothing new is started; what runs is waited for, so nothing works on behind the caller's back.
 */
export async function forEachLimited<T>(
  items: Iterable<T>,
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  let failed: { readonly error: unknown } | null = null;
  const lane = async (): Promise<void> => {
    while (failed === null) {
      const next = iterator.next();
      if (next.done === true) return;
      try {
        await work(next.value);
      } catch (error) {
        failed ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: limit }, lane));
  // The closure's assignment is invisible to control flow analysis.
  const outcome = failed as { readonly error: unknown } | null;
  if (outcome !== null) throw outcome.error;
}
