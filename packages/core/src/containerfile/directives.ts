/**
 * Parser directives: `# syntax=`, `# escape=` and `# check=` in the first lines.
 *
 * After BuildKit v0.32.2 frontend/dockerfile/parser/directives.go. Unaware of instructions.
 */

import { cut, ReadingError, trimLeft } from './text.ts';

export interface Directive {
  readonly name: 'syntax' | 'escape' | 'check';
  readonly value: string;
  /** 1-based. */
  readonly line: number;
}

/** Go's `\s` is ASCII and has no \v. */
const DIRECTIVE = /^([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=[\t\n\f\r ]*(.+?)[\t\n\f\r ]*$/;

/** Reads lines in order until the first that is no directive; after that every line is none. */
export class DirectiveReader {
  private readonly seen = new Set<string>();
  private done = false;
  private readonly comment: string;

  constructor(comment = '#') {
    this.comment = comment;
  }

  /** The directive of `text`, null where there is none. @throws ReadingError where one is given twice. */
  read(text: string, line: number): Directive | null {
    if (this.done) return null;
    const match = text.startsWith(this.comment)
      ? DIRECTIVE.exec(trimLeft(text.slice(this.comment.length)))
      : null;
    const name = match?.[1]?.toLowerCase();
    const value = match?.[2];
    if (value === undefined || (name !== 'syntax' && name !== 'escape' && name !== 'check')) {
      this.done = true;
      return null;
    }
    if (this.seen.has(name)) throw new ReadingError(`only one ${name} parser directive can be used`);
    this.seen.add(name);
    return { name, value, line };
  }
}

/**
 * The frontend that BuildKit would be told to use instead of its own: `# syntax=`, `// syntax=` or a JSON
 * object with `syntax`, the first two after an optional `#!` line. Unlike the parser proper this looks at
 * lines as they are, indented ones are no directives. Null where there is none.
 */
export function detectSyntax(text: string): { readonly image: string; readonly line: number } | null {
  let body = text.startsWith('\ufeff') ? text.slice(1) : text;
  let first = 1;
  if (body.startsWith('#!')) {
    body = cut(body, '\n').after ?? '';
    first = 2;
  }
  for (const comment of ['#', '//']) {
    const directive = findSyntax(body, first, comment);
    if (directive !== null) return { image: cut(directive.value, ' ').before, line: directive.line };
  }
  if (!trimLeft(body).startsWith('{')) return null;
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === 'object' && parsed !== null && 'syntax' in parsed) {
      if (typeof parsed.syntax === 'string') return { image: parsed.syntax, line: first };
    }
  } catch {
    // Not JSON: no syntax. What it is instead is the parser's business.
  }
  return null;
}

function findSyntax(body: string, first: number, comment: string): Directive | null {
  const reader = new DirectiveReader(comment);
  let start = 0;
  for (let line = first; start < body.length; line++) {
    const newline = body.indexOf('\n', start);
    const end = newline === -1 ? body.length : newline;
    let directive: Directive | null;
    try {
      directive = reader.read(body.slice(start, end).replace(/\r$/, ''), line);
    } catch {
      return null;
    }
    if (directive === null) return null;
    if (directive.name === 'syntax') return directive;
    start = end + 1;
  }
  return null;
}
