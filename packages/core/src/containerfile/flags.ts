/**
 * Flags of instructions: `--name`, `--name=value`.
 *
 * After BuildKit v0.32.2 frontend/dockerfile/instructions/bflag.go.
 */

import { ReadingError } from './text.ts';

/** `switch` may stand without a value; `list` may be given several times. */
export type FlagKind = 'switch' | 'text' | 'list';

/** All values given, by flag name; a switch has `true` or `false`. */
export type Flags = ReadonlyMap<string, readonly string[]>;

const NO_FLAGS: Flags = new Map();

/** Checks `given` against what the instruction knows. @throws ReadingError */
export function parseFlags(given: readonly string[], known: Readonly<Record<string, FlagKind>>): Flags {
  if (given.length === 0) return NO_FLAGS;
  const flags = new Map<string, string[]>();
  for (const flag of given) {
    if (flag === '--') break;
    if (!flag.startsWith('--')) throw new ReadingError(`arg should start with -- : ${flag}`);
    const equals = flag.indexOf('=');
    const shown = equals === -1 ? flag : flag.slice(0, equals);
    const value = equals === -1 ? undefined : flag.slice(equals + 1);
    const name = shown.slice(2);
    const kind = Object.hasOwn(known, name) ? known[name] : undefined;
    if (kind === undefined) throw new ReadingError(unknownFlag(shown, Object.keys(known)));
    const values = flags.get(name);
    if (values !== undefined && kind !== 'list') {
      throw new ReadingError(`duplicate flag specified: ${shown}`);
    }
    const checked = checkValue(shown, kind, value);
    if (values === undefined) flags.set(name, [checked]);
    else values.push(checked);
  }
  return flags;
}

function unknownFlag(shown: string, known: readonly string[]): string {
  const choices = known.map((name) => `--${name}`).join(', ');
  return `unknown flag: ${shown} (${choices === '' ? 'it takes none' : `known are ${choices}`})`;
}

function checkValue(shown: string, kind: FlagKind, value: string | undefined): string {
  if (kind !== 'switch') {
    if (value === undefined) throw new ReadingError(`missing a value on flag: ${shown}`);
    return value;
  }
  if (value === undefined) return 'true';
  if (value === '') throw new ReadingError(`missing a value on flag: ${shown}`);
  const lower = value.toLowerCase();
  if (lower === 'true' || lower === 'false') return lower;
  throw new ReadingError(`expecting boolean value for flag ${shown}, not: ${value}`);
}

/** The one value of a flag, `otherwise` where it is not given. */
export function flagText(flags: Flags, name: string, otherwise = ''): string {
  return flags.get(name)?.[0] ?? otherwise;
}
