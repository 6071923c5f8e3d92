/** Made-up durations with heavy tails, and what a scheduler could know of them. All from a seed. */

/** mulberry32: 32 bits of state, the same on every machine. @returns numbers in [0, 1) */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Normal, mean 0, deviation 1 (Box and Muller). */
function normal(next: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

/** Most take a minute, some hours: the logarithm is normal with deviation 1.5 (1 in 20 takes 12 times the median). */
export function lognormal(count: number, seed: number): number[] {
  const next = random(seed);
  return Array.from({ length: count }, () => Math.exp(1.5 * normal(next)));
}

/** Heavier still: Pareto with exponent 1.1, cut at 10,000. */
export function pareto(count: number, seed: number): number[] {
  const next = random(seed);
  return Array.from({ length: count }, () => Math.min(10_000, (1 - next()) ** (-1 / 1.1)));
}

/** What history says of durations that vary: the logarithm is off by a normal of this deviation. */
export function roughly(durations: readonly number[], deviation: number, seed: number): number[] {
  const next = random(seed);
  return durations.map((duration) => duration * Math.exp(deviation * normal(next)));
}
