/**
 * The log file of one build: written as it happens, gathered for a tenth of a second, never a reason for a build to fail.
 *
 * Unaware of what is in it.
 */
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';

/** How long bytes are gathered, ms; and how many at most: then they are written before more is taken. */
const GATHER_MS = 100;
const GATHER_BYTES = 64 * 1024;

export class LogFile {
  readonly #file: FileHandle | null;
  #waiting: Buffer[] = [];
  #size = 0;
  #timer: NodeJS.Timeout | undefined;
  /** The write under way; they follow each other. */
  #writing: Promise<void> = Promise.resolve();
  /** Null while all is well; else why nothing more is written (disk full, no permission). */
  #error: Error | null;

  private constructor(file: FileHandle | null, error: Error | null) {
    this.#file = file;
    this.#error = error;
  }

  /** Opens for appending, so that the attempts of one target follow each other; makes its folder. */
  static async open(path: string): Promise<LogFile> {
    try {
      await mkdir(dirname(path), { recursive: true });
      return new LogFile(await open(path, 'a'), null);
    } catch (error) {
      return new LogFile(null, error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Takes bytes; they are written soon. */
  add(bytes: Buffer | string): void {
    if (this.#error !== null || this.#file === null) return;
    const taken = Buffer.from(bytes as string);
    this.#waiting.push(taken);
    this.#size += taken.length;
    this.#timer ??= setTimeout(() => void this.#write(), GATHER_MS).unref();
  }

  /** Resolves when more may come: at once, unless much is waiting to be written. */
  async flush(): Promise<void> {
    if (this.#size >= GATHER_BYTES) await this.#write();
  }

  /** @returns why the log is not complete, null where it is. */
  async close(): Promise<Error | null> {
    await this.#write();
    await this.#file?.close().catch(() => undefined);
    return this.#error;
  }

  #write(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#size = 0;
    this.#writing = this.#writing.then(() => this.#append(bytes));
    return this.#writing;
  }

  async #append(bytes: Buffer): Promise<void> {
    if (bytes.length === 0 || this.#file === null || this.#error !== null) return;
    try {
      await this.#file.appendFile(bytes);
    } catch (error) {
      this.#error = error instanceof Error ? error : new Error(String(error));
    }
  }
}
