/**
 * Where text goes: documents to stdout, people's text to stdout or, under --json, to stderr; problems to
 * stderr. Keeps the promise of one JSON document, also when it fails.
 */
import type { Problem } from '@stx-make/core/errors';
import type { Io, Terminal } from '../io.ts';
import { type Paint, paintFor } from '../text/paint.ts';
import { formatProblems } from './problems.ts';

/** Raised when a document's field changes meaning (shared interface). */
export const DOCUMENT_SCHEMA = 1;

export class Output {
  readonly json: boolean;
  /** Colours for `print`. */
  readonly paint: Paint;
  readonly #io: Io;
  readonly #paintErrors: Paint;
  #documents = 0;

  constructor(io: Io, terminal: Terminal) {
    this.#io = io;
    this.json = terminal.json;
    this.paint = paintFor(terminal.colour);
    this.#paintErrors = paintFor(terminal.colourErrors);
  }

  /** The stream for people. */
  get stream(): Io['stdout'] {
    return this.json ? this.#io.stderr : this.#io.stdout;
  }

  /** A line (or several) for people. */
  print(text: string): void {
    this.stream.write(`${text}\n`);
  }

  /** The answer itself, byte for byte, on stdout: for text formats like dot or a shell script. */
  raw(text: string): void {
    this.#io.stdout.write(text);
  }

  /** The one document of a --json command; `schema` is added. A second one is a bug of ours. */
  document(value: Readonly<Record<string, unknown>>): void {
    if (this.#documents > 0) throw new Error('a second JSON document');
    this.#documents++;
    this.#io.stdout.write(`${JSON.stringify({ schema: DOCUMENT_SCHEMA, ...value })}\n`);
  }

  /** Problems, on stderr for people; under --json also as the document, where there is none yet. */
  problems(problems: readonly Problem[]): void {
    if (problems.length === 0) return;
    this.#io.stderr.write(`${formatProblems(problems, this.#paintErrors)}\n`);
    if (this.json && this.#documents === 0 && problems.some(({ level }) => level === 'error')) {
      this.document({ ok: false, errors: problemDocuments(problems) });
    }
  }

  /** Something to know that is no failure, on stderr. */
  note(text: string): void {
    this.#io.stderr.write(`${text}\n`);
  }
}

/** Errors as the shared interface lists them; warnings are left out. */
export function problemDocuments(problems: readonly Problem[]): readonly Record<string, unknown>[] {
  return problems
    .filter((problem) => problem.level === 'error')
    .map(({ code, tag, file, line, column, text, hint }) => ({
      code,
      tag,
      file: file ?? null,
      line: line ?? null,
      column: column ?? null,
      text,
      hint: hint ?? null,
    }));
}
