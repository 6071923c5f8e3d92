/**
 * The shell patterns of `${name#pattern}`, `${name%pattern}` and `${name/pattern/text}`: `?` and `*`, no
 * brackets.
 *
 * After BuildKit v0.32.2 frontend/dockerfile/shell/lex.go. Unaware of words and variables.
 */

import { ReadingError } from './text.ts';

function toRegExp(pattern: string, greedy: boolean, anchored: boolean): RegExp {
  const runes = Array.from(pattern);
  let out = anchored ? '^' : '';
  for (let i = 0; i < runes.length; i++) {
    let rune = runes[i] ?? '';
    if (rune === '*') {
      // Go's `.` is any character but newline.
      out += greedy ? '[^\\n]*' : '[^\\n]*?';
      continue;
    }
    if (rune === '?') {
      out += '[^\\n]';
      continue;
    }
    if (rune === '\\') {
      const next = runes[i + 1];
      // `\}` and `\/` only end the escape that `${}` itself needs.
      if (next === '}' || next === '/') continue;
      if (next !== '*' && next !== '?' && next !== '\\') {
        throw new ReadingError(
          `invalid pattern (${pattern}) in substitution: invalid escape '\\${next ?? ''}'`,
        );
      }
      out += '\\';
      rune = next;
      i++;
    } else if (/[[\]{}.+()|^$/]/.test(rune)) {
      out += '\\';
    }
    out += rune;
  }
  return new RegExp(out, 'gu');
}

/** `${name#pattern}` (shortest) and `${name##pattern}` (greedy: longest). */
export function trimPrefix(pattern: string, value: string, greedy: boolean): string {
  const match = toRegExp(pattern, greedy, true).exec(value);
  return match === null ? value : value.slice(match[0].length);
}

/** `${name%pattern}` and `${name%%pattern}`: both reversed, as BuildKit does. */
export function trimSuffix(pattern: string, value: string, greedy: boolean): string {
  return reverse(trimPrefix(reversePattern(pattern), reverse(value), greedy));
}

function reverse(text: string): string {
  return Array.from(text).reverse().join('');
}

function reversePattern(pattern: string): string {
  const runes = Array.from(pattern);
  const parts: string[] = [];
  for (let i = 0; i < runes.length; i++) {
    const rune = runes[i] ?? '';
    if (rune === '\\' && i < runes.length - 1) {
      i++;
      parts.push(rune + (runes[i] ?? ''));
    } else {
      parts.push(rune);
    }
  }
  return parts.reverse().join('');
}

/** `${name/pattern/text}` (first) and `${name//pattern/text}` (all). Only the latter expands `$0` in `text`:
 * BuildKit passes it to Go's Regexp.ReplaceAllString. */
export function replace(pattern: string, value: string, replacement: string, all: boolean): string {
  const re = toRegExp(pattern, true, false);
  if (!all) {
    const match = re.exec(value);
    if (match === null) return value;
    return value.slice(0, match.index) + replacement + value.slice(match.index + match[0].length);
  }
  let out = '';
  let copied = 0;
  let from = 0;
  while (from <= value.length) {
    re.lastIndex = from;
    const match = re.exec(value);
    if (match === null) break;
    const end = match.index + match[0].length;
    out += value.slice(copied, match.index);
    // Go does not replace an empty match right after another match; JavaScript would.
    if (end > copied || match.index === 0) out += expandTemplate(replacement, match[0]);
    copied = end;
    const width = (value.codePointAt(from) ?? 0) > 0xffff ? 2 : 1;
    from = Math.max(from + width, end);
  }
  return out + value.slice(copied);
}

/** Go's Regexp.Expand for an expression without groups: only `$0` names anything. */
function expandTemplate(template: string, whole: string): string {
  if (!template.includes('$')) return template;
  return template.replace(/\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu, (text, braced, bare) => {
    if (text === '$$') return '$';
    return (braced ?? bare) === '0' ? whole : '';
  });
}
