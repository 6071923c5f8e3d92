/**
 * HEALTHCHECK: only whether BuildKit takes it.
 *
 * After BuildKit v0.32.2 frontend/dockerfile/instructions/parse.go and Go's time.ParseDuration.
 */

import { flagText, parseFlags } from './flags.ts';
import type { Statement } from './statements.ts';
import { ReadingError } from './text.ts';

const DURATION_FLAGS = ['interval', 'timeout', 'start-period', 'start-interval'] as const;

/** Nanoseconds. */
const UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** @throws ReadingError */
export function checkHealthcheck(statement: Statement): void {
  const [form, ...command] = statement.args;
  if (form === undefined) throw new ReadingError('HEALTHCHECK requires at least one argument');
  const type = form.toUpperCase();
  if (type === 'NONE') {
    if (command.length > 0) throw new ReadingError('HEALTHCHECK NONE takes no arguments');
    return;
  }
  const flags = parseFlags(statement.flags, {
    interval: 'text',
    timeout: 'text',
    'start-period': 'text',
    'start-interval': 'text',
    retries: 'text',
  });
  if (type !== 'CMD') throw new ReadingError(`Unknown type ${JSON.stringify(type)} in HEALTHCHECK (try CMD)`);
  if (command.length === 0) throw new ReadingError('Missing command after HEALTHCHECK CMD');
  for (const name of DURATION_FLAGS) checkDuration(name, flagText(flags, name));
  const retries = flagText(flags, 'retries');
  if (retries === '') return;
  if (!/^[+-]?[0-9]+$/.test(retries) || Math.abs(Number(retries)) >= 2 ** 31) {
    throw new ReadingError(`--retries is no 32-bit number: ${retries}`);
  }
  if (Number(retries) < 0) throw new ReadingError(`--retries cannot be negative (${retries})`);
}

/** Durations are 0 or at least a millisecond. */
function checkDuration(name: string, value: string): void {
  if (value === '') return;
  const nanoseconds = parseDuration(value);
  if (nanoseconds === undefined)
    throw new ReadingError(`--${name}: invalid duration ${JSON.stringify(value)}`);
  if (nanoseconds !== 0 && nanoseconds < 1e6) {
    throw new ReadingError(`--${name}: ${value} cannot be less than 1ms`);
  }
}

function parseDuration(value: string): number | undefined {
  const sign = value.startsWith('-') ? -1 : 1;
  const rest = value.replace(/^[+-]/, '');
  if (rest === '0') return 0;
  if (!/^((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(rest)) return undefined;
  let total = 0;
  for (const match of rest.matchAll(/([0-9.]+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    total += Math.trunc(Number(match[1]) * (UNITS[match[2] ?? ''] ?? 0));
  }
  return total >= 2 ** 63 ? undefined : sign * total;
}
