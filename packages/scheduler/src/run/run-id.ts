/**
 * Names of runs. Unaware of what a run is.
 */

/** Sorted by time to the millisecond (the first three digits of its end), unique also among many runs a second:
 * `20261123-224501-078a07c2`. */
export function runId(started: number): string {
  const hex = (value: number, digits: number): string => Math.floor(value).toString(16).padStart(digits, '0');
  // A name, no secret: node:crypto would cost 8 ms.
  const unique = hex(started % 1_000, 3) + hex(Math.random() * 16 ** 5, 5);
  const digits = new Date(started).toISOString().replaceAll(/[-:]/g, '');
  return `${digits.slice(0, 8)}-${digits.slice(9, 15)}-${unique}`;
}
