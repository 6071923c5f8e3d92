/**
 * One logical line into keyword, flags and arguments.
 *
 * After BuildKit v0.32.2 frontend/dockerfile/parser/{split_command,line_parsers}.go. Unaware of what the
 * instructions mean and of variables.
 */

import type { EscapeToken } from './lex.ts';
import { cut, isSpace, ReadingError, trimLeft, trimSpace } from './text.ts';

export interface LineWords {
  /** As written. */
  readonly keyword: string;
  readonly flags: readonly string[];
  readonly args: readonly string[];
  /** The arguments were a JSON array. */
  readonly json: boolean;
  /** Of an ONBUILD, its trigger. */
  readonly trigger: LineWords | null;
}

interface Arguments {
  readonly args: readonly string[];
  readonly json?: boolean;
  readonly trigger?: LineWords;
}

const WHITESPACE = /[\t\v\f\r ]+/;
const NO_WORDS: readonly string[] = [];
const NONE: Arguments = { args: NO_WORDS };

type ArgumentParser = (rest: string, escapeToken: EscapeToken) => Arguments;

const PARSERS: ReadonlyMap<string, ArgumentParser> = new Map<string, ArgumentParser>([
  ['add', jsonOrWords],
  ['arg', (rest, escapeToken) => ({ args: quotedWords(rest, escapeToken) })],
  ['cmd', jsonOrString],
  ['copy', jsonOrWords],
  ['entrypoint', jsonOrString],
  ['env', (rest, escapeToken) => keyValues(rest, 'ENV', escapeToken)],
  ['expose', words],
  ['from', words],
  ['healthcheck', healthcheck],
  ['label', (rest, escapeToken) => keyValues(rest, 'LABEL', escapeToken)],
  ['maintainer', oneString],
  ['onbuild', onbuild],
  ['run', jsonOrString],
  ['shell', jsonOrString],
  ['stopsignal', oneString],
  ['user', oneString],
  ['volume', jsonOrWords],
  ['workdir', oneString],
]);

/** Keywords BuildKit knows, upper case. */
export const KEYWORDS: readonly string[] = [...PARSERS.keys()].map((keyword) => keyword.toUpperCase());

/** Splits one logical line. An unknown keyword is no error here. @throws ReadingError */
export function parseLine(line: string, escapeToken: EscapeToken): LineWords {
  const trimmed = trimSpace(line);
  const space = WHITESPACE.exec(trimmed);
  const keyword = space === null ? trimmed : trimmed.slice(0, space.index);
  const after = space === null ? '' : trimmed.slice(space.index + space[0].length);
  const { flags, rest } = extractFlags(after, escapeToken);
  const parsed = (PARSERS.get(keyword.toLowerCase()) ?? (() => NONE))(trimSpace(rest), escapeToken);
  return {
    keyword,
    flags,
    args: parsed.args,
    json: parsed.json === true,
    trigger: parsed.trigger ?? null,
  };
}

/** Leading words that start with `--`. BuildKit goes byte by byte here: a non-ASCII character in a flag comes
 * out as its UTF-8 bytes read as Latin-1, and bytes 0x85 and 0xA0 are spaces. */
function extractFlags(line: string, escapeToken: EscapeToken): { flags: readonly string[]; rest: string } {
  const start = trimLeft(line);
  if (!start.startsWith('--')) return { flags: NO_WORDS, rest: line };
  const simple = extractSimpleFlags(start);
  if (simple !== null) return simple;
  if (!NON_ASCII.test(line)) return extractFlagsOfBytes(line, escapeToken);
  const bytes = Array.from(new TextEncoder().encode(line), (byte) => String.fromCharCode(byte)).join('');
  const { flags, rest } = extractFlagsOfBytes(bytes, escapeToken);
  const restBytes = Uint8Array.from(rest, (char) => char.charCodeAt(0));
  return { flags, rest: new TextDecoder('utf-8', { ignoreBOM: true }).decode(restBytes) };
}

const ONBUILD = /^onbuild(?:[\t\v\f\r ]|$)/i;
const NON_ASCII = /[^\0-\x7f]/;

/** Flags without quotes, escapes or anything else that needs a second look: nearly all there are. Null where
 * one is not of that kind. */
function extractSimpleFlags(line: string): { flags: readonly string[]; rest: string } | null {
  const flags: string[] = [];
  let pos = 0;
  for (;;) {
    SIMPLE_FLAG.lastIndex = pos;
    const match = SIMPLE_FLAG.exec(line);
    if (match === null) break;
    flags.push(match[1] ?? '');
    pos += match[0].length;
  }
  const rest = trimLeft(line.slice(pos));
  return rest.startsWith('--') ? null : { flags, rest };
}

const SIMPLE_FLAG = /[\t\v\f\r ]*(--[^\s'"\\`\x80-\uffff]+)(?=[\t\v\f\r ]|$)/y;

function extractFlagsOfBytes(line: string, escapeToken: EscapeToken): { flags: string[]; rest: string } {
  const flags: string[] = [];
  let word = '';
  let quoted = false;
  let phase: 'spaces' | 'word' | 'quote' = 'spaces';
  let quote = '';
  for (let pos = 0; pos < line.length; pos++) {
    let char = line.charAt(pos);
    if (phase === 'spaces') {
      if (isSpace(char)) continue;
      if (char !== '-' || line.charAt(pos + 1) !== '-') return { flags, rest: line.slice(pos) };
      phase = 'word';
    }
    if (phase === 'word') {
      if (isSpace(char)) {
        if (word === '--') return { flags, rest: line.slice(pos) };
        phase = 'spaces';
        if (quoted || word !== '') flags.push(word);
        word = '';
        quoted = false;
        continue;
      }
      if (char === "'" || char === '"') {
        quote = char;
        quoted = true;
        phase = 'quote';
        continue;
      }
    } else if (char === quote) {
      phase = 'word';
      continue;
    }
    if (char === escapeToken) {
      // An escape character at the very end is dropped.
      if (pos + 1 === line.length) break;
      pos++;
      char = line.charAt(pos);
    }
    word += char;
  }
  if (phase !== 'spaces' && word !== '--' && (quoted || word !== '')) flags.push(word);
  return { flags, rest: '' };
}

/** Words split at space, quotes and escapes kept, as ENV, LABEL and ARG take them. */
function quotedWords(rest: string, escapeToken: EscapeToken): string[] {
  const out: string[] = [];
  let word = '';
  let quoted = false;
  let quote = '';
  for (let pos = 0; pos < rest.length; pos++) {
    let char = rest.charAt(pos);
    if (quote === '' && isSpace(char)) {
      if (quoted || word !== '') out.push(word);
      word = '';
      quoted = false;
      continue;
    }
    if (quote === '') {
      if (char === "'" || char === '"') {
        quote = char;
        quoted = true;
      }
    } else if (char === quote) {
      quote = '';
    }
    // Within single quotes nothing is escaped.
    if (char === escapeToken && quote !== "'") {
      if (pos + 1 === rest.length) break;
      word += char;
      pos++;
      char = rest.charAt(pos);
    }
    word += char;
  }
  if (quoted || word !== '') out.push(word);
  return out;
}

/** ENV and LABEL: triples of key, value and separator (`=`, or nothing in the old form `KEY some value`). */
function keyValues(rest: string, keyword: string, escapeToken: EscapeToken): Arguments {
  const list = quotedWords(rest, escapeToken);
  const first = list[0];
  if (first === undefined) return NONE;
  if (!first.includes('=')) {
    const space = WHITESPACE.exec(rest);
    if (space === null) throw new ReadingError(`${keyword} must have two arguments`);
    return { args: [rest.slice(0, space.index), rest.slice(space.index + space[0].length), ''] };
  }
  return {
    args: list.flatMap((word) => {
      const { before, after } = cut(word, '=');
      if (after === undefined) {
        throw new ReadingError(
          `Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`,
        );
      }
      return [before, after, '='];
    }),
  };
}

function words(rest: string): Arguments {
  return rest === '' ? NONE : { args: rest.split(WHITESPACE) };
}

function oneString(rest: string): Arguments {
  return rest === '' ? NONE : { args: [rest] };
}

function jsonOrString(rest: string): Arguments {
  return parseJson(rest) ?? oneString(rest);
}

function jsonOrWords(rest: string): Arguments {
  return parseJson(rest) ?? words(rest);
}

function healthcheck(rest: string): Arguments {
  const match = /^([^\t\n\v\f\r ]+)[\t\n\v\f\r ]*/.exec(rest);
  if (match === null) return NONE;
  const command = jsonOrString(rest.slice(match[0].length));
  return { args: [match[1] ?? '', ...command.args], json: command.json === true };
}

function onbuild(rest: string, escapeToken: EscapeToken): Arguments {
  if (rest === '') return NONE;
  // Here already: a line of nothing but ONBUILD would go as deep as it is long.
  if (ONBUILD.test(rest)) throw new ReadingError("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  const trigger = parseLine(rest, escapeToken);
  return { args: [trigger.keyword, ...trigger.args], trigger };
}

/** A JSON array of strings, null where it is none. @throws ReadingError for an array of other things. */
function parseJson(rest: string): Arguments | null {
  if (!rest.startsWith('[')) return null;
  let list: unknown;
  try {
    list = JSON.parse(rest);
  } catch {
    return null;
  }
  if (!Array.isArray(list)) return null;
  const strings = list.filter((item: unknown) => typeof item === 'string');
  if (strings.length === list.length) return { args: strings, json: true };
  // Go refuses a number that no float64 holds, and BuildKit then takes it for no JSON.
  if (!isFinite64(list)) return null;
  throw new ReadingError('when using JSON array syntax, arrays must be comprised of strings only');
}

function isFinite64(value: unknown): boolean {
  const pending = new Set([value]);
  // A set hands out what is added while it is walked.
  for (const item of pending) {
    if (typeof item === 'number' && !Number.isFinite(item)) return false;
    if (typeof item === 'object' && item !== null)
      for (const inner of Object.values(item)) pending.add(inner);
  }
  return true;
}
