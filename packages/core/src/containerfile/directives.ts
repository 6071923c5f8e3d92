/**
 * Parser directives: `# syntax=`, `# escape=` and `# check=` in the first lines.
 *
 * After BuildKit v0.32.2 frontend/dockerfile/parser/directives.go. Unaware of instructions.
 */

import { cut, parseBool, ReadingError, trimLeft, trimSpace } from './text.ts';

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
 * lines as they are: indented ones are no directives. Null where there is none.
 */
export function detectSyntax(text: string): { readonly image: string; readonly line: number } | null {
  const { body, first } = skipStart(text);
  for (const comment of ['#', '//']) {
    const directive = findDirective('syntax', body, first, comment);
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

/** `# check=`: the options of BuildKit's own lint, read like detectSyntax. */
export function detectCheck(text: string): { readonly value: string; readonly line: number } | null {
  const { body, first } = skipStart(text);
  const directive = findDirective('check', body, first, '#');
  return directive === null ? null : { value: cut(directive.value, ' ').before, line: directive.line };
}

/** What is wrong with lint options (`skip=A,B;error=true`), null where nothing is. */
export function checkOptionsFault(options: string): string | null {
  if (trimSpace(options) === '') return null;
  const [first = '', second, ...rest] = trimSpace(options).split(';');
  const parts = [
    first,
    ...(second === undefined ? [] : [second]),
    ...(rest.length > 0 ? [rest.join(';')] : []),
  ];
  for (const part of parts) {
    const { before, after } = cut(part, '=');
    const key = trimSpace(before);
    if (after === undefined) return `invalid check option ${JSON.stringify(part)}`;
    if (key === 'error' && parseBool(trimSpace(after)) === undefined) {
      return `failed to parse check option ${JSON.stringify(part)}`;
    }
    if (!['skip', 'experimental', 'error'].includes(key))
      return `invalid check option ${JSON.stringify(key)}`;
  }
  return null;
}

function skipStart(text: string): { body: string; first: number } {
  const body = text.startsWith('\ufeff') ? text.slice(1) : text;
  return body.startsWith('#!') ? { body: cut(body, '\n').after ?? '', first: 2 } : { body, first: 1 };
}

function findDirective(
  name: Directive['name'],
  body: string,
  first: number,
  comment: string,
): Directive | null {
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
    if (directive === null || directive.name === name) return directive;
    start = end + 1;
  }
  return null;
}
