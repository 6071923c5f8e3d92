/**
 * Reads blobs as files: hashes them, and layers also uncompressed, in one pass.
 *
 * Small ones at once, large ones as a stream. Links are never followed. Unaware of the pool and the ledger.
 */
import { createHash } from 'node:crypto';
import { type BigIntStats, closeSync, constants, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress, gunzipSync } from 'node:zlib';
import { integrityProblem, ProblemError } from '@stx-make/core/errors';
import { type Digest, digestOf, MEDIA, TarReader } from '@stx-make/core/oci/index';
import { errnoOf } from '../files/index.ts';
import type { LayerFacts } from './ledger.ts';

/** Blobs up to this size are read at once: below it a stream costs more than the bytes. */
const SMALL = 256 * 1024;
/** A small blob that unpacks to more than this is streamed. */
const SMALL_UNPACKED = 16 * 1024 * 1024;
const PIECE = 1024 * 1024;
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** What is in a blob's place. `unstable`: it changed while it was read. */
export type BlobReading =
  | { readonly kind: 'blob'; readonly digest: Digest; readonly stat: BigIntStats }
  | { readonly kind: 'missing' }
  | { readonly kind: 'not-a-file' }
  | { readonly kind: 'unreadable'; readonly error: Error }
  | { readonly kind: 'unstable' };

/** Bytes of a small blob, at once. Null bytes where it is no plain file of at most `limit` bytes. */
export function readSmall(
  path: string,
  limit: number,
): { readonly bytes: Buffer; readonly stat: BigIntStats } | null {
  let fd: number;
  try {
    fd = openSync(path, FLAGS);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ELOOP' || errno === 'ENXIO') return null;
    throw error;
  }
  try {
    const stat = fstatSync(fd, { bigint: true });
    if (!stat.isFile() || stat.size > BigInt(limit)) return null;
    return { bytes: readFileSync(fd), stat };
  } finally {
    closeSync(fd);
  }
}

/** As `readBlob`, at once: for the rare blob that must be looked at again in the middle of something. */
export function readBlobNow(path: string): BlobReading {
  let fd: number;
  try {
    fd = openSync(path, FLAGS);
  } catch (error) {
    return unreadable(error);
  }
  try {
    const stat = fstatSync(fd, { bigint: true });
    if (!stat.isFile()) return { kind: 'not-a-file' };
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafe(PIECE);
    for (let length = readSync(fd, buffer); length > 0; length = readSync(fd, buffer)) {
      hash.update(buffer.subarray(0, length));
    }
    return { kind: 'blob', digest: `sha256:${hash.digest('hex')}` as Digest, stat };
  } catch (error) {
    return unreadable(error);
  } finally {
    closeSync(fd);
  }
}

/** The digest of what really lies at `path`. Errors of the disk are values: one bad sector must not end a check
 * of the whole pool. */
export async function readBlob(path: string): Promise<BlobReading> {
  return read(path, undefined);
}

/**
 * A layer's digest, and what it holds. `facts` is null where the bytes are not the wanted ones, for then
 * nothing else about them matters.
 * @throws ProblemError `bad-layer`, `bad-tar` (integrity) where the right bytes are no layer
 */
export async function readLayer(
  path: string,
  mediaType: string,
  wanted: Digest,
): Promise<{ readonly reading: BlobReading; readonly facts: LayerFacts | null }> {
  const scan = new LayerScan(`layer ${wanted}`);
  let reading: BlobReading;
  let failure: unknown = null;
  try {
    reading = await read(path, { mediaType, scan });
  } catch (error) {
    // Damaged bytes do not unpack; only bytes with the right digest are a finding about the layer itself.
    failure = error;
    reading = await read(path, undefined);
  }
  if (failure === null && reading.kind === 'blob' && reading.digest !== wanted) {
    // An unpacker may stop before the last byte (bytes after the end of the gzip data): hash them all.
    reading = await read(path, undefined);
  }
  if (reading.kind !== 'blob' || reading.digest !== wanted) return { reading, facts: null };
  if (failure === null) return { reading, facts: scan.facts() };
  if (failure instanceof ProblemError) throw failure;
  throw new ProblemError(
    integrityProblem({
      code: 'bad-layer',
      text: `layer ${wanted} can not be unpacked: ${failure instanceof Error ? failure.message : String(failure)}`,
    }),
    { cause: failure },
  );
}

/** Hashes a layer's uncompressed bytes and looks at the times in it. */
class LayerScan {
  #newest = 0;
  readonly #hash = createHash('sha256');
  readonly #tar: TarReader;

  constructor(what: string) {
    const entry = ({ mtime }: { readonly mtime: number }): void => {
      if (mtime > this.#newest) this.#newest = mtime;
    };
    this.#tar = new TarReader({ entry }, what);
  }

  push(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.#tar.push(bytes);
  }

  finish(): void {
    this.#tar.finish();
  }

  facts(): LayerFacts {
    return { diffId: `sha256:${this.#hash.digest('hex')}` as Digest, newest: this.#newest };
  }
}

interface Unpack {
  readonly mediaType: string;
  readonly scan: LayerScan;
}

async function read(path: string, unpack: Unpack | undefined): Promise<BlobReading> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    const small = readSmall(path, SMALL);
    if (small !== null) {
      if (unpack === undefined || unpackSmall(small.bytes, unpack)) {
        return { kind: 'blob', digest: digestOf(small.bytes), stat: small.stat };
      }
    }
    handle = await open(path, FLAGS);
  } catch (error) {
    return unreadable(error);
  }
  try {
    const before = await handle.stat({ bigint: true });
    if (!before.isFile()) return { kind: 'not-a-file' };
    const hash = createHash('sha256');
    const stream = handle.createReadStream({ autoClose: false, highWaterMark: PIECE });
    if (unpack === undefined) {
      for await (const piece of stream) hash.update(piece as Buffer);
    } else {
      await pipeline(
        stream,
        async function* (pieces: AsyncIterable<Buffer>) {
          for await (const piece of pieces) {
            hash.update(piece);
            yield piece;
          }
        },
        ...decompressors(unpack.mediaType),
        async (pieces: AsyncIterable<Buffer>) => {
          for await (const piece of pieces) unpack.scan.push(piece);
        },
      );
      unpack.scan.finish();
    }
    const after = await handle.stat({ bigint: true });
    if (after.mtimeNs !== before.mtimeNs || after.size !== before.size) return { kind: 'unstable' };
    return { kind: 'blob', digest: `sha256:${hash.digest('hex')}` as Digest, stat: before };
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return unreadable(error);
  } finally {
    await handle.close();
  }
}

function unreadable(error: unknown): BlobReading {
  switch (errnoOf(error)) {
    case 'ENOENT':
      return { kind: 'missing' };
    case 'ELOOP':
    case 'ENXIO':
    case 'EISDIR':
      return { kind: 'not-a-file' };
    case null:
      throw error;
    default:
      if (!(error instanceof Error)) throw error;
      return { kind: 'unreadable', error };
  }
}

/** False where it is better streamed. */
function unpackSmall(bytes: Buffer, unpack: Unpack): boolean {
  let unpacked: Buffer;
  if (unpack.mediaType === MEDIA.layer) {
    unpacked = bytes;
  } else if (unpack.mediaType === MEDIA.layerGzip) {
    try {
      unpacked = gunzipSync(bytes, { maxOutputLength: SMALL_UNPACKED });
    } catch (error) {
      if (error instanceof RangeError) return false;
      throw error;
    }
  } else {
    return false;
  }
  unpack.scan.push(unpacked);
  unpack.scan.finish();
  return true;
}

/** The stream that unpacks a media type of layers; none for plain tar. */
export function decompressors(mediaType: string): Transform[] {
  switch (mediaType) {
    case MEDIA.layer:
      return [];
    case MEDIA.layerGzip:
      return [createGunzip({ chunkSize: PIECE })];
    case MEDIA.layerZstd:
      return [createZstdDecompress({ chunkSize: PIECE })];
    default:
      throw new ProblemError(
        integrityProblem({ code: 'bad-media-type', text: `${mediaType} is no kind of layer we can read` }),
      );
  }
}
