/** Times, sizes, counts and digests for people. Unaware of terminals and colours. */

/** Milliseconds as `0.08 s`, `12.3 s`, `2m05s`, `1h02m`, `3d04h`. */
export function duration(ms: number): string {
  const s = Math.max(0, ms) / 1000;
  if (s < 9.995) return `${s.toFixed(2)} s`;
  if (s < 59.95) return `${s.toFixed(1)} s`;
  const whole = Math.round(s);
  if (whole < 3600) return `${Math.floor(whole / 60)}m${two(whole % 60)}s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)}h${two(minutes % 60)}m`;
  const hours = Math.floor(minutes / 60);
  return `${Math.floor(hours / 24)}d${two(hours % 24)}h`;
}

/** Milliseconds in whole seconds, for what changes on the screen: `5s`, `2m05s`, `1h02m`. */
export function elapsed(ms: number): string {
  const s = Math.floor(Math.max(0, ms) / 1000);
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m${two(s % 60)}s`;
  if (s < 86_400) return `${Math.floor(s / 3600)}h${two(Math.floor(s / 60) % 60)}m`;
  return `${Math.floor(s / 86_400)}d${two(Math.floor(s / 3600) % 24)}h`;
}

function two(n: number): string {
  return String(n).padStart(2, '0');
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** Bytes as `512 B`, `1.2 MiB`, `34 GiB`. */
export function bytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 1023.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 9.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit] ?? 'B'}`;
}

/** CPUs in use as `0.4`, `3.8`, `12`. */
export function cores(used: number): string {
  return used.toFixed(used < 9.95 ? 1 : 0);
}

/** What a build takes of its machine: `3.8 cpu, 402 MiB`. */
export function usageText(usage: { readonly cores: number; readonly memory: number }): string {
  return `${cores(usage.cores)} cpu, ${bytes(usage.memory)}`;
}

/** The head of a digest, enough to tell outputs apart by eye: `sha256:cee5701e9d52`. */
export function digestHead(digest: string): string {
  const colon = digest.indexOf(':');
  return digest.slice(0, colon + 1 + 12);
}

/** `1 target`, `5 targets`. */
export function count(n: number, noun: string, plural = `${noun}s`): string {
  return `${n} ${n === 1 ? noun : plural}`;
}
