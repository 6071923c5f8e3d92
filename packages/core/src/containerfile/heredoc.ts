/**
 * Heredoc words: `<<EOF`, `<<-EOF`, `3<<'EOF'`.
 *
 * After BuildKit v0.32.2 frontend/dockerfile/parser/parser.go. Unaware of the bodies' lines.
 */

import { NO_VARIABLES, splitWords } from './lex.ts';
import { ReadingError } from './text.ts';

export interface HeredocWord {
  readonly name: string;
  /** Unquoted: variables in the body are expanded (by COPY and ADD; RUN leaves that to the shell). */
  readonly expand: boolean;
  /** `<<-`: leading tabs are cut from the body. */
  readonly chomp: boolean;
}

export interface Heredoc extends HeredocWord {
  /** The lines between, newlines included; tabs not yet cut. */
  readonly content: string;
}

const HEREDOC = /^[0-9]*<<(-?)[\t\n\f\r ]*([^<]*)$/;

/** The heredoc that `word` opens, null where it opens none. @throws ReadingError where its name can not be
 * split into shell words. */
export function parseHeredocWord(word: string): HeredocWord | null {
  if (!word.includes('<<')) return null;
  const match = HEREDOC.exec(word);
  const rest = match?.[2] ?? '';
  if (match === null || rest === '') return null;
  // Read with and without its quotes: where the counts differ some part was quoted.
  const words = splitWords(rest, NO_VARIABLES, { escapeToken: '\\', keepUnset: true });
  const name = words[0];
  if (words.length !== 1 || name === undefined) return null;
  const rawWords = splitWords(rest, NO_VARIABLES, { escapeToken: '\\', keepUnset: true, rawQuotes: true });
  const raw = rawWords[0];
  if (rawWords.length !== 1 || raw === undefined) {
    throw new ReadingError(`internal lexing of heredoc produced inconsistent results: ${rest}`);
  }
  return { name, expand: countQuotes(name) === countQuotes(raw), chomp: match[1] === '-' };
}

/** As parseHeredocWord; a word that can not be read opens none. */
export function findHeredocWord(word: string): HeredocWord | null {
  try {
    return parseHeredocWord(word);
  } catch {
    return null;
  }
}

/** All heredocs a line opens, in order. A line that can not be split into shell words opens none. */
export function heredocsOfLine(line: string): readonly HeredocWord[] {
  let words: readonly string[];
  try {
    words = splitWords(line, NO_VARIABLES, {
      escapeToken: '\\',
      rawQuotes: true,
      rawEscapes: true,
      keepUnset: true,
    });
  } catch {
    return [];
  }
  return words.map(parseHeredocWord).filter((word) => word !== null);
}

/** The body as COPY and ADD write it. */
export function heredocBody(heredoc: Heredoc): string {
  return heredoc.chomp ? heredoc.content.replace(/(^|\n)\t+/g, '$1') : heredoc.content;
}

function countQuotes(text: string): number {
  return text.split(/['"]/).length - 1;
}
