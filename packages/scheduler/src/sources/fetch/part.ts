/**
 * The unfinished download of one content: `partial/<hex>.part`, kept over failures and runs to go on from, with
 * what is known of where it came from beside it.
 *
 * The caller holds the content's lock. Bytes are hashed as they are written, so the end costs no second reading;
 * what an earlier attempt left is read once. Nothing in it is believed: the hash of the whole decides.
 */
import { createHash, type Hash } from 'node:crypto';
import { constants, readFileSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { throwFileProblem, unlinkIfThere } from '../../files/index.ts';
import { hexSoFar, readPieces } from '../store/hash.ts';
import { writeAll } from '../store/incoming.ts';
import type { SourceStore } from '../store/store.ts';

/** Where the bytes come from: a resumed request must mean the same entity (RFC 9110 13.1.5). */
export interface PartOrigin {
  readonly url: string;
  /** A strong ETag, else Last-Modified, else null. */
  readonly validator: string | null;
}

/** Bytes read at once. */
const READ_BYTES = 256 * 1024;

export class Part {
  readonly path: string;
  readonly #handle: FileHandle;
  #hash: Hash = createHash('sha256');
  #size = 0;
  #origin: PartOrigin | null;
  #open = true;

  private constructor(path: string, handle: FileHandle, origin: PartOrigin | null) {
    this.path = path;
    this.#handle = handle;
    this.#origin = origin;
  }

  /** Opens or begins it. @throws ProblemError environment; the signal's reason */
  static async open(store: SourceStore, sha256: string, signal: AbortSignal): Promise<Part> {
    const path = join(store.partial, `${sha256}.part`);
    try {
      const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
      const handle = await open(path, flags, 0o600);
      const part = new Part(path, handle, readOrigin(path));
      try {
        part.#size = await readPieces(handle, signal, (piece) => part.#hash.update(piece));
      } catch (error) {
        await handle.close();
        throw error;
      }
      return part;
    } catch (error) {
      return throwFileProblem(error, 'open an unfinished download', path);
    }
  }

  /** Bytes that are here. */
  get size(): number {
    return this.#size;
  }

  get origin(): PartOrigin | null {
    return this.#origin;
  }

  /** sha256 of what is here. */
  get sha256(): string {
    return hexSoFar(this.#hash);
  }

  /** Notes where the next bytes come from, so that a later run can go on. Losing it costs a check, no bytes. */
  setOrigin(origin: PartOrigin): void {
    this.#origin = origin;
    try {
      writeFileSync(originPath(this.path), JSON.stringify(origin), { mode: 0o600 });
    } catch (error) {
      throwFileProblem(error, 'write an unfinished download', this.path);
    }
  }

  async append(piece: Uint8Array): Promise<void> {
    try {
      await writeAll(this.#handle, piece, this.#size);
    } catch (error) {
      throwFileProblem(error, 'write a download', this.path);
    }
    this.#hash.update(piece);
    this.#size += piece.length;
  }

  /** Throws away what is here. */
  async reset(): Promise<void> {
    try {
      await this.#handle.truncate(0);
    } catch (error) {
      throwFileProblem(error, 'write a download', this.path);
    }
    this.#hash = createHash('sha256');
    this.#size = 0;
    this.#origin = null;
    unlinkIfThere(originPath(this.path));
  }

  /** All bytes, from the start. */
  async *pieces(): AsyncGenerator<Buffer> {
    for (let at = 0; at < this.#size; ) {
      const { bytesRead, buffer } = await this.#handle.read({
        buffer: Buffer.allocUnsafe(READ_BYTES),
        position: at,
      });
      if (bytesRead === 0) return;
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  /** Into the store; the caller has seen that the hash is right. */
  async commit(store: SourceStore, sha256: string): Promise<void> {
    try {
      await this.#handle.sync();
    } catch (error) {
      throwFileProblem(error, 'write a download', this.path);
    }
    await store.commit(this.path, sha256);
    unlinkIfThere(originPath(this.path));
    await this.close();
  }

  /** Removes it. */
  async discard(): Promise<void> {
    unlinkIfThere(this.path);
    unlinkIfThere(originPath(this.path));
    await this.close();
  }

  /** Keeps it for another time; an empty one is of no use. */
  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#handle.close();
    if (this.#size === 0) {
      unlinkIfThere(this.path);
      unlinkIfThere(originPath(this.path));
    }
  }
}

function originPath(path: string): string {
  return `${path}.json`;
}

/** Null where it is missing or makes no sense: the part can still be resumed, only without If-Range. */
function readOrigin(path: string): PartOrigin | null {
  try {
    const value: unknown = JSON.parse(readFileSync(originPath(path), 'utf8'));
    if (typeof value !== 'object' || value === null) return null;
    const { url, validator } = value as Record<string, unknown>;
    if (typeof url !== 'string') return null;
    // It becomes a header: printable ASCII only.
    const sound = typeof validator === 'string' && /^[ -~]{1,500}$/.test(validator);
    return { url, validator: sound ? validator : null };
  } catch {
    return null;
  }
}

/** The content whose unfinished download, or whose lock, a file in `partial` is; null for other files. */
export function partContent(name: string): string | null {
  return /^([0-9a-f]{64})\.(part(\.json)?|lock(\.holder)?)$/.exec(basename(name))?.[1] ?? null;
}
