/**
 * The log file of one build: written as it happens, a chunk at a time, never a reason for a build to fail.
 *
 * Unaware of what is in it.
 */
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';

export class LogFile {
  readonly #file: FileHandle | null;
  #waiting: Buffer[] = [];
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

  /** Takes bytes; they are written at the next `flush`. */
  add(bytes: Buffer | string): void {
    if (this.#error === null) this.#waiting.push(Buffer.from(bytes as string));
  }

  async flush(): Promise<void> {
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    if (bytes.length === 0 || this.#file === null || this.#error !== null) return;
    try {
      await this.#file.appendFile(bytes);
    } catch (error) {
      this.#error = error instanceof Error ? error : new Error(String(error));
    }
  }

  /** @returns why the log is not complete, null where it is. */
  async close(): Promise<Error | null> {
    await this.flush();
    await this.#file?.close().catch(() => undefined);
    return this.#error;
  }
}
