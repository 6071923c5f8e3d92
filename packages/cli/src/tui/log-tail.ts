/**
 * The end of a growing log file in memory, for the live view: reads only what is new, keeps a fixed number of
 * harmless lines, so that a build that prints gigabytes costs nothing.
 *
 * Unaware of the screen.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { sanitizeLine } from '../text/sanitize.ts';

/** Lines kept. */
const LINES = 5_000;
/** Bytes read at the beginning, and most at one time: what is skipped in between is not shown. */
const WINDOW = 1 << 20;

export class LogTail {
  readonly #path: string;
  #position = 0;
  #partial = '';
  #decoder = new StringDecoder('utf8');
  #lines: string[] = [];

  constructor(path: string) {
    this.#path = path;
  }

  /** The last lines, oldest first. The line being written is the last. */
  get lines(): readonly string[] {
    return this.#partial === '' ? this.#lines : [...this.#lines, sanitizeLine(this.#partial)];
  }

  /** Takes in what is new. @returns true where something was. A file that is not there yet is empty. */
  read(): boolean {
    let file: number;
    try {
      file = openSync(this.#path, 'r');
    } catch {
      return false;
    }
    try {
      const { size } = fstatSync(file);
      if (size < this.#position) this.#restart(0);
      if (size === this.#position) return false;
      const skip = size - this.#position > WINDOW;
      if (skip) this.#restart(size - WINDOW);
      const buffer = Buffer.alloc(size - this.#position);
      const got = readSync(file, buffer, 0, buffer.length, this.#position);
      this.#position += got;
      this.#take(this.#decoder.write(buffer.subarray(0, got)), skip);
      return got > 0;
    } finally {
      closeSync(file);
    }
  }

  #restart(position: number): void {
    this.#position = position;
    this.#partial = '';
    this.#decoder = new StringDecoder('utf8');
    this.#lines = [];
  }

  #take(text: string, midLine: boolean): void {
    const pieces = (this.#partial + text).split('\n');
    // After a jump the first piece is the rest of a line nobody saw.
    if (midLine) pieces.shift();
    const partial = pieces.pop() ?? '';
    // A line without end must not grow without end: only its head is ever shown.
    this.#partial = partial.length > WINDOW ? partial.slice(0, WINDOW) : partial;
    this.#lines.push(...pieces.slice(-LINES).map(sanitizeLine));
    if (this.#lines.length > LINES) this.#lines = this.#lines.slice(-LINES);
  }
}
