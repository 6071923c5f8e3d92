/**
 * Bytes into statements: comments, directives, continued lines, heredoc bodies.
 *
 * After BuildKit v0.32.2 frontend/dockerfile/parser/parser.go. Unaware of what the instructions mean.
 */

import { DirectiveReader, detectCheck, detectSyntax } from './directives.ts';
import { type Heredoc, type HeredocWord, heredocsOfLine } from './heredoc.ts';
import type { EscapeToken } from './lex.ts';
import { PlacedError, ReadingError, trimLeft } from './text.ts';
import { type LineWords, parseLine } from './words.ts';

export interface Statement extends LineWords {
  /** The logical line: continuations joined. */
  readonly original: string;
  readonly heredocs: readonly Heredoc[];
  /** First and last line, 1-based; the last is that of the last heredoc's end. */
  readonly line: number;
  readonly endLine: number;
}

export interface Statements {
  readonly statements: readonly Statement[];
  readonly escapeToken: EscapeToken;
  readonly syntax: { readonly image: string; readonly line: number } | null;
  /** The value of `# check=`. */
  readonly check: { readonly value: string; readonly line: number } | null;
}

/** Bytes a line may have, its newline included: Go's bufio.MaxScanTokenSize. */
const MAX_LINE = 65_536;
/** Not fatal: BuildKit works on bytes and takes what is no UTF-8. */
const DECODER = new TextDecoder('utf-8', { ignoreBOM: true });
const HEREDOC_KEYWORDS: ReadonlySet<string> = new Set(['add', 'copy', 'run']);

/** Reads a whole Containerfile. @throws PlacedError at the first thing BuildKit's parser refuses. */
export function parseStatements(bytes: Uint8Array): Statements {
  if (bytes.length === 0) throw new PlacedError('the Dockerfile cannot be empty', 1);
  checkLineLengths(bytes);
  const text = DECODER.decode(bytes);
  const parser = new StatementParser(text.startsWith('\ufeff') ? text.slice(1) : text);
  const statements = parser.parse();
  if (statements.length === 0) throw new PlacedError('file with no instructions', parser.line);
  return {
    statements,
    escapeToken: parser.escapeToken,
    syntax: detectSyntax(text),
    check: detectCheck(text),
  };
}

/** Reads the text of an ONBUILD trigger, which BuildKit parses as a file of its own: with `\` as escape
 * character whatever the outer file says. @throws PlacedError, ReadingError */
export function parseTrigger(expression: string): Statement {
  const [statement, ...more] = new StatementParser(expression).parse();
  if (statement === undefined) throw new ReadingError('file with no instructions');
  if (more.length > 0) throw new ReadingError('onbuild trigger should be a single expression');
  return statement;
}

function checkLineLengths(bytes: Uint8Array): void {
  if (bytes.length < MAX_LINE) return;
  let start = 0;
  for (let line = 1; start < bytes.length; line++) {
    const newline = bytes.indexOf(0x0a, start);
    const length = newline === -1 ? bytes.length - start + 1 : newline + 1 - start;
    if (length > MAX_LINE) {
      throw new PlacedError(`dockerfile line greater than max allowed size of ${MAX_LINE - 1}`, line);
    }
    start += length;
  }
}

class StatementParser {
  escapeToken: EscapeToken = '\\';
  /** Lines read so far; so the number of the last one read. */
  line = 0;
  private position = 0;
  private readonly directives = new DirectiveReader();
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  parse(): Statement[] {
    const statements: Statement[] = [];
    for (let raw = this.nextLine(); raw !== null; raw = this.nextLine()) {
      const line = trimLeft(trimNewline(raw));
      this.readDirective(line);
      if (line === '' || line.startsWith('#')) continue;
      const first = this.line;
      const original = this.joinContinued(line);
      try {
        const parsed = parseLine(original, this.escapeToken);
        const opened = opensHeredocs(parsed) && original.includes('<<') ? heredocsOfLine(original) : [];
        const heredocs = opened.map((word) => this.readHeredoc(word));
        statements.push({ ...parsed, original, heredocs, line: first, endLine: this.line });
      } catch (error) {
        if (error instanceof ReadingError) throw new PlacedError(error.message, first);
        throw error;
      }
    }
    return statements;
  }

  /** With its newline; null at the end. */
  private nextLine(): string | null {
    if (this.position >= this.text.length) return null;
    const newline = this.text.indexOf('\n', this.position);
    const end = newline === -1 ? this.text.length : newline + 1;
    const line = this.text.slice(this.position, end);
    this.position = end;
    this.line++;
    return line;
  }

  private readDirective(line: string): void {
    try {
      const directive = this.directives.read(line, this.line);
      if (directive?.name !== 'escape') return;
      if (directive.value !== '\\' && directive.value !== '`') {
        throw new ReadingError(`invalid escape token '${directive.value}' does not match \` or \\`);
      }
      this.escapeToken = directive.value;
    } catch (error) {
      if (error instanceof ReadingError) throw new PlacedError(error.message, this.line);
      throw error;
    }
  }

  /** `line` and what continues it. Comments and blank lines between do not end it; leading space of the
   * continuing lines is kept. */
  private joinContinued(line: string): string {
    let continued = cutContinuation(line, this.escapeToken);
    if (continued === null) return line;
    let joined = continued;
    for (let raw = this.nextLine(); raw !== null; raw = this.nextLine()) {
      const next = trimNewline(raw);
      const start = trimLeft(next);
      if (start === '' || start.startsWith('#')) continue;
      continued = cutContinuation(next, this.escapeToken);
      if (continued === null) return joined + next;
      joined += continued;
    }
    return joined;
  }

  private readHeredoc(word: HeredocWord): Heredoc {
    const start = this.position;
    for (let from = start, raw = this.nextLine(); raw !== null; from = this.position, raw = this.nextLine()) {
      const line = trimNewline(raw);
      if ((word.chomp ? line.replace(/^\t+/, '') : line) === word.name) {
        return { ...word, content: this.text.slice(start, from) };
      }
    }
    throw new ReadingError(`unterminated heredoc: no line that is ${word.name}`);
  }
}

function trimNewline(line: string): string {
  let end = line.length;
  while (end > 0 && (line.charCodeAt(end - 1) === 0x0a || line.charCodeAt(end - 1) === 0x0d)) end--;
  return end === line.length ? line : line.slice(0, end);
}

/** `line` without the escape character that continues it, null where none does. One that is itself escaped
 * does not; neither does the last of three, which BuildKit documents as its limit. */
function cutContinuation(line: string, escapeToken: EscapeToken): string | null {
  let last = line.length - 1;
  while (last >= 0 && (line.charCodeAt(last) === 0x20 || line.charCodeAt(last) === 0x09)) last--;
  if (last < 0 || line.charAt(last) !== escapeToken) return null;
  if (last > 0 && line.charAt(last - 1) === escapeToken) return null;
  return line.slice(0, last);
}

function opensHeredocs(line: LineWords): boolean {
  const inner = line.keyword.toLowerCase() === 'onbuild' && line.trigger !== null ? line.trigger : line;
  return HEREDOC_KEYWORDS.has(inner.keyword.toLowerCase()) && !inner.json;
}
