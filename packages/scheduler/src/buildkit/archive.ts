/**
 * Unpacks the OCI archive that buildctl prints (`--output type=oci,dest=-`) while it streams by: each blob becomes a
 * file, index.json tells what was built.
 *
 * A blob gets its name when all of it is written; large ones are on the disk by then. Whether its bytes are what its
 * name says is looked at elsewhere (store/verify.ts). Unaware of buildctl and of what blobs hold.
 */
import { closeSync, existsSync, fchmodSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { integrityProblem, ProblemError } from '@stx-make/core/errors';
import { isDigest } from '@stx-make/core/oci/digest';
import type { Digest } from '@stx-make/core/oci/model';
import { type TarEntry, TarReader } from '@stx-make/core/oci/tar';
import { fileProblem, temporaryBeside } from '../files/index.ts';
import type { BlobFolder } from './model.ts';

/** Blobs up to this size are kept in memory and written at once, bytes: most of an output's are documents of a few
 * hundred, for which turns of the event loop cost more than the writing. */
const AT_ONCE = 256 * 1024;
/** Of larger ones so much is gathered for one write. */
const PIECE = 1024 * 1024;
/** index.json names one image; anything longer is damage. */
const MAX_INDEX = 64 * 1024;
const BLOB_MODE = 0o444;

/** One entry that is being read. */
interface Incoming {
  readonly path: string | null;
  readonly pieces: Buffer[];
  gathered: number;
  left: number;
  /** Too large for `AT_ONCE`. */
  readonly isLarge: boolean;
}

type Write =
  | { readonly do: 'write'; readonly path: string; readonly pieces: readonly Buffer[] }
  | { readonly do: 'end'; readonly path: string };

export class ArchiveReader {
  readonly #folder: BlobFolder;
  readonly #tar = new TarReader(
    { entry: (entry) => this.#entry(entry), data: (piece) => this.#data(piece) },
    'what buildctl printed',
  );
  #incoming: Incoming | null = null;
  #index: Incoming | null = null;
  /** Of large blobs: what is still to be done, in order. */
  #writes: Write[] = [];
  #open: { readonly handle: FileHandle; readonly temporary: string } | null = null;

  constructor(folder: BlobFolder) {
    this.#folder = folder;
  }

  /**
   * Takes a piece of the archive; resolves when more may come.
   * @throws ProblemError `bad-tar` (integrity), environment (no space, ...)
   */
  async push(bytes: Uint8Array): Promise<void> {
    this.#tar.push(bytes);
    if (this.#writes.length === 0) return;
    const writes = this.#writes;
    this.#writes = [];
    for (const write of writes) await this.#perform(write);
  }

  /**
   * Says that the archive is complete.
   * @returns the digest that index.json names
   * @throws ProblemError `bad-tar`, `bad-archive` (integrity)
   */
  finish(): Digest {
    this.#tar.finish();
    const digest = readIndex(this.#index?.pieces ?? []);
    if (digest !== null) return digest;
    throw new ProblemError(
      integrityProblem({
        code: 'bad-archive',
        text: 'what buildctl printed has no index.json that names one image',
      }),
    );
  }

  /** Removes what is half written. Never throws. */
  async close(): Promise<void> {
    const half = this.#open;
    this.#open = null;
    if (half === null) return;
    await half.handle.close().catch(() => undefined);
    rmSync(half.temporary, { force: true });
  }

  #entry({ path, type, size }: TarEntry): void {
    this.#incoming = null;
    if (type !== 'file') return;
    const blob = this.#blobPath(path);
    const isIndex = path === 'index.json' && size <= MAX_INDEX;
    if (blob === null && !isIndex) return;
    this.#incoming = { path: blob, pieces: [], gathered: 0, left: size, isLarge: size > AT_ONCE };
    if (isIndex) this.#index = this.#incoming;
    if (size === 0) this.#complete(this.#incoming);
  }

  /** Where an entry is to be written; null where it need not be. */
  #blobPath(path: string): string | null {
    const hex = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(path)?.[1];
    const digest = `sha256:${hex}`;
    if (hex === undefined || !isDigest(digest) || this.#folder.has(digest)) return null;
    return join(this.#folder.blobs, hex);
  }

  #data(piece: Uint8Array): void {
    const incoming = this.#incoming;
    if (incoming === null) return;
    // A copy: the bytes are only valid now.
    incoming.pieces.push(Buffer.from(piece));
    incoming.gathered += piece.length;
    incoming.left -= piece.length;
    if (incoming.left === 0) this.#complete(incoming);
    else if (incoming.isLarge && incoming.gathered >= PIECE) this.#handOver(incoming);
  }

  #complete(incoming: Incoming): void {
    this.#incoming = null;
    const { path } = incoming;
    if (path === null) return;
    if (!incoming.isLarge) {
      writeAtOnce(path, Buffer.concat(incoming.pieces));
      return;
    }
    this.#handOver(incoming);
    this.#writes.push({ do: 'end', path });
  }

  #handOver(incoming: Incoming): void {
    const { path } = incoming;
    if (path === null) return;
    this.#writes.push({ do: 'write', path, pieces: incoming.pieces.splice(0) });
    incoming.gathered = 0;
  }

  async #perform(write: Write): Promise<void> {
    try {
      if (this.#open === null) {
        const temporary = temporaryBeside(write.path);
        this.#open = { handle: await open(temporary, 'wx', BLOB_MODE), temporary };
      }
      const { handle, temporary } = this.#open;
      if (write.do === 'write') {
        await writeAll(handle, write.pieces);
        return;
      }
      await handle.chmod(BLOB_MODE);
      await handle.datasync();
      await handle.close();
      this.#open = null;
      putInPlace(temporary, write.path);
    } catch (error) {
      throw asProblem(error, write.path);
    }
  }
}

async function writeAll(handle: FileHandle, pieces: readonly Buffer[]): Promise<void> {
  const bytes = pieces.length === 1 ? (pieces[0] ?? Buffer.alloc(0)) : Buffer.concat(pieces);
  for (let at = 0; at < bytes.length; ) at += (await handle.write(bytes, at)).bytesWritten;
}

function writeAtOnce(path: string, bytes: Buffer): void {
  const temporary = temporaryBeside(path);
  try {
    const fd = openSync(temporary, 'wx', BLOB_MODE);
    try {
      writeFileSync(fd, bytes);
      // Whatever the umask took away.
      fchmodSync(fd, BLOB_MODE);
    } finally {
      closeSync(fd);
    }
    putInPlace(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw asProblem(error, path);
  }
}

/** Another build may have written the same blob meanwhile, and what was noted of that file is worth keeping. Nothing
 * happens between the look and the rename: one process writes here, and neither call lets another in. */
function putInPlace(temporary: string, path: string): void {
  if (existsSync(path)) rmSync(temporary);
  else renameSync(temporary, path);
}

function asProblem(error: unknown, path: string): unknown {
  const problem = fileProblem(error, 'keep what was built', path);
  return problem === null ? error : new ProblemError(problem, { cause: error });
}

/** The only manifest of an index.json; null where it names none or several. */
function readIndex(pieces: readonly Buffer[]): Digest | null {
  try {
    const value: unknown = JSON.parse(Buffer.concat(pieces).toString('utf8'));
    const manifests: unknown =
      typeof value === 'object' && value !== null ? Reflect.get(value, 'manifests') : null;
    if (!Array.isArray(manifests) || manifests.length !== 1) return null;
    const [only]: unknown[] = manifests;
    const digest: unknown = typeof only === 'object' && only !== null ? Reflect.get(only, 'digest') : null;
    return isDigest(digest) ? digest : null;
  } catch {
    return null;
  }
}
