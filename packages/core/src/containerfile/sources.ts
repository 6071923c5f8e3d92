/**
 * Which files of a build context a COPY, ADD or bind mount can take.
 *
 * After BuildKit's copy (tonistiigi/fsutil ResolveWildcards) and Go's filepath.Match. Knows paths only:
 * links within the context are not followed.
 */

import type { ContextSource } from './model.ts';

interface Matcher {
  /** The path must lie in this folder; '' is the root. */
  readonly folder: string;
  /** Then some leading part of what is left must match; null where the folder itself is what is taken. */
  readonly rest: RegExp | null;
}

const EVERYTHING: Matcher = { folder: '', rest: null };
const MATCHERS = new WeakMap<ContextSource, Matcher>();

/**
 * Whether `source` can take the context's file `path` (relative to the context, `/` between parts). A source
 * that names a folder takes all below it. `--exclude` and `.dockerignore` are not considered and a pattern
 * that Go refuses takes everything: true means maybe, false means never, as long as no symbolic link in the
 * context leads there.
 */
export function matchesContextSource(source: ContextSource, path: string): boolean {
  let matcher = MATCHERS.get(source);
  if (matcher === undefined) {
    matcher = compile(source.pattern);
    MATCHERS.set(source, matcher);
  }
  const { folder, rest } = matcher;
  if (folder !== '' && path !== folder && !path.startsWith(`${folder}/`)) return false;
  if (rest === null) return true;
  return rest.test(folder === '' ? path : path.slice(folder.length + 1));
}

function compile(pattern: string): Matcher {
  if (pattern === '.' || pattern === '') return EVERYTHING;
  const parts = pattern.split('/');
  // An escaped character needs the expression too: whether the backslash is one depends on who reads it.
  const first = parts.findIndex((part) => /[*?[\\]/.test(part));
  if (first === -1) return { folder: pattern, rest: null };
  const rest = toRegExp(parts.slice(first).join('/'));
  return rest === null ? EVERYTHING : { folder: parts.slice(0, first).join('/'), rest };
}

/** Null where Go's filepath.Match would call the pattern malformed. */
function toRegExp(pattern: string): RegExp | null {
  let out = '^';
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern.charAt(i);
    if (char === '*') out += '[^/]*';
    else if (char === '?') out += '[^/]';
    else if (char === '[') {
      const set = characterSet(pattern, i);
      if (set === null) return null;
      out += set.text;
      i = set.end;
    } else if (char === '\\') {
      i++;
      if (i === pattern.length) return null;
      // Without a real wildcard in the part BuildKit takes the backslash literally: allow for both.
      out += `\\\\?${escapeRegExp(pattern.charAt(i))}`;
    } else {
      out += escapeRegExp(char);
    }
  }
  try {
    return new RegExp(`${out}(?:/|$)`, 'su');
  } catch {
    return null;
  }
}

/** `[a-z]`, `[^a-z]` from `start`; `end` is its last character. */
function characterSet(pattern: string, start: number): { text: string; end: number } | null {
  let i = start + 1;
  const negated = pattern.charAt(i) === '^';
  if (negated) i++;
  let text = negated ? '[^/' : '[';
  for (let count = 0; ; count++) {
    if (pattern.charAt(i) === ']' && count > 0) return { text: `${text}]`, end: i };
    const low = setCharacter(pattern, i);
    if (low === null) return null;
    i = low.next;
    text += escapeRegExp(low.char);
    if (pattern.charAt(i) !== '-') continue;
    const high = setCharacter(pattern, i + 1);
    if (high === null) return null;
    i = high.next;
    text += `-${escapeRegExp(high.char)}`;
  }
}

function setCharacter(pattern: string, index: number): { char: string; next: number } | null {
  let i = index;
  if (pattern.charAt(i) === '-' || pattern.charAt(i) === ']') return null;
  if (pattern.charAt(i) === '\\') i++;
  const code = pattern.codePointAt(i);
  if (code === undefined) return null;
  const char = String.fromCodePoint(code);
  return { char, next: i + char.length };
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
