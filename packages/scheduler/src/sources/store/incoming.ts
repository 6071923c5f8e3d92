/**
 * A file that is written into the store's folder of unfinished things and hashed on the way: its hash, known at the
 * end, decides whether the store gets it.
 */
import { createHash, type Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { throwFileProblem, unlinkIfThere } from '../../files/index.ts';

/** Takes a temporary file into the store. */
type Commit = (temporary: string, sha256: string) => Promise<void>;

/** A file on its way into the store. */
export class Incoming {
  readonly #commit: Commit;
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #hash: Hash = createHash('sha256');
  #size = 0;
  #open = true;

  constructor(path: string, handle: FileHandle, commit: Commit) {
    this.#commit = commit;
    this.#path = path;
    this.#handle = handle;
  }

  /** The bytes may be reused by the caller once the promise resolves. @throws ProblemError environment */
  async write(piece: Uint8Array): Promise<void> {
    this.#hash.update(piece);
    this.#size += piece.length;
    try {
      await writeAll(this.#handle, piece);
    } catch (error) {
      throwFileProblem(error, 'write a source', this.#path);
    }
  }

  /** Ends it: into the store where `accept` says so, else away. */
  async finish(
    accept: (sha256: string) => boolean,
  ): Promise<{ sha256: string; taken: boolean; size: number }> {
    const sha256 = this.#hash.digest('hex');
    const taken = accept(sha256);
    if (taken) {
      try {
        await this.#handle.sync();
      } catch (error) {
        throwFileProblem(error, 'write a source', this.#path);
      }
      await this.#close();
      await this.#commit(this.#path, sha256);
    }
    await this.discard();
    return { sha256, taken, size: this.#size };
  }

  /** Removes what was written unless it was taken. Harmless when called again. */
  async discard(): Promise<void> {
    await this.#close();
    unlinkIfThere(this.#path);
  }

  async #close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#handle.close();
  }
}

/** Writes all of it: a single write may take less. */
export async function writeAll(handle: FileHandle, piece: Uint8Array, position?: number): Promise<void> {
  let done = 0;
  while (done < piece.length) {
    const place = position === undefined ? null : position + done;
    const { bytesWritten } = await handle.write(piece, done, piece.length - done, place);
    done += bytesWritten;
  }
}
