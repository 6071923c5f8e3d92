/**
 * The last lines of a stream of bytes, in bounded memory whatever comes: no newline for gigabytes, a million
 * empty lines, half a character at the end. Pure.
 */
import { harmlessLine } from './text.ts';

/** A line longer than this keeps its end: errors stand there. Bytes. */
const LINE_BYTES = 4096;
const NEWLINE = 0x0a;

export class Tail {
  readonly #limit: number;
  /** Complete lines, oldest first. */
  #lines: Buffer[] = [];
  #open: Buffer = Buffer.alloc(0);

  constructor(limit: number) {
    this.#limit = limit;
  }

  push(bytes: Buffer): void {
    // Only what can still be seen is looked at: from the limit-th newline from the end on.
    let start = bytes.length;
    for (let found = 0; found <= this.#limit; found += 1) {
      const at = start === 0 ? -1 : bytes.lastIndexOf(NEWLINE, start - 1);
      start = Math.max(at, 0);
      if (at < 0) break;
    }
    if (start > 0) {
      // Everything before is out of sight.
      this.#lines = [];
      this.#open = Buffer.alloc(0);
      start += 1;
    }
    for (;;) {
      const end = bytes.indexOf(NEWLINE, start);
      const piece = bytes.subarray(start, end < 0 ? undefined : end);
      this.#open = Buffer.concat([this.#open, piece.subarray(-LINE_BYTES)]).subarray(-LINE_BYTES);
      if (end < 0) return;
      this.#lines.push(this.#open);
      if (this.#lines.length > this.#limit) this.#lines.shift();
      this.#open = Buffer.alloc(0);
      start = end + 1;
    }
  }

  /** The lines, oldest first, made harmless; empty ones at the end left out. */
  lines(): string[] {
    const all = this.#open.length > 0 ? [...this.#lines, this.#open] : this.#lines;
    const texts = all.slice(-this.#limit).map((line) => harmlessLine(line.toString('utf8')));
    while (texts.length > 0 && texts.at(-1)?.trim() === '') texts.pop();
    return texts;
  }
}
