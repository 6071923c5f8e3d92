/**
 * Tar archives as a stream of entries with their bytes, whatever they are compressed with.
 *
 * gzip and zstd are Node's own; xz and bzip2 are asked of the programs of that name. Names in an archive are only
 * handed on, never used as paths. Unaware of sources.
 */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { type Readable, type Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { environmentProblem, integrityProblem, ProblemError } from '@stx-make/core/errors';
import { type TarHandler, TarReader } from '@stx-make/core/oci/tar';
import { throwFileProblem } from '../../files/index.ts';
import { findProgram, start } from '../../process/index.ts';

export type Compression = 'none' | 'gzip' | 'zstd' | 'xz' | 'bzip2';

const MAGIC: readonly { readonly bytes: readonly number[]; readonly kind: Compression }[] = [
  { bytes: [0x1f, 0x8b], kind: 'gzip' },
  { bytes: [0x28, 0xb5, 0x2f, 0xfd], kind: 'zstd' },
  { bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], kind: 'xz' },
  { bytes: [0x42, 0x5a, 0x68], kind: 'bzip2' },
];

/** What a file begins like; null where it is neither compressed nor a tar. A compressed file may still be no tar.
 * @throws ProblemError environment */
export async function sniff(path: string): Promise<Compression | null> {
  try {
    const handle = await open(path);
    try {
      const head = Buffer.alloc(512);
      await handle.read(head, 0, head.length, 0);
      const found = MAGIC.find(({ bytes }) => bytes.every((byte, place) => head[place] === byte));
      if (found !== undefined) return found.kind;
      return head.toString('latin1', 257, 262) === 'ustar' ? 'none' : null;
    } finally {
      await handle.close();
    }
  } catch (error) {
    return throwFileProblem(error, 'read an archive', path);
  }
}

export interface ArchiveOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

/** Called in the order of the archive; the next bytes are read only when `flush` has resolved. */
export interface ArchiveHandler extends TarHandler {
  /** Does what `entry` and `data` noted: they are called in between and can not wait. */
  flush(): Promise<void>;
}

/**
 * Reads an archive to its end.
 * @throws ProblemError `bad-tar`, `bad-archive` (integrity), `decompressor-missing`, environment; the signal's reason
 */
export async function readArchive(
  path: string,
  compression: Compression,
  handler: ArchiveHandler,
  options: ArchiveOptions,
): Promise<void> {
  const opened = openStream(path, compression, options);
  const reader = new TarReader(handler, path);
  const sink = new Writable({
    write: (piece: Buffer, _encoding, done) => {
      try {
        reader.push(piece);
      } catch (error) {
        done(error instanceof Error ? error : new Error(String(error)));
        return;
      }
      handler.flush().then(() => done(), done);
    },
  });
  try {
    await run(opened, sink, options.signal);
    await opened.ended();
    reader.finish();
    await handler.flush();
  } catch (error) {
    options.signal.throwIfAborted();
    throw isDamage(error) ? damaged(path, compression, error) : error;
  }
}

async function run(opened: Opened, sink: Writable, signal: AbortSignal): Promise<void> {
  const { bytes, decoder } = opened;
  if (decoder === null) await pipeline(bytes, sink, { signal });
  else await pipeline(bytes, decoder, sink, { signal });
}

interface Opened {
  readonly bytes: Readable;
  /** Unpacks `bytes`, null where they are plain. */
  readonly decoder: Transform | null;
  /** Resolves when whoever unpacks is done and content. */
  readonly ended: () => Promise<void>;
}

function openStream(path: string, compression: Compression, options: ArchiveOptions): Opened {
  const nothing = async (): Promise<void> => {};
  switch (compression) {
    case 'none':
      return { bytes: createReadStream(path), decoder: null, ended: nothing };
    case 'gzip':
      return { bytes: createReadStream(path), decoder: createGunzip(), ended: nothing };
    case 'zstd':
      return { bytes: createReadStream(path), decoder: createZstdDecompress(), ended: nothing };
    case 'xz':
    case 'bzip2':
      return decompressor(compression, path, options);
    default:
      return compression satisfies never;
  }
}

function decompressor(name: 'xz' | 'bzip2', path: string, options: ArchiveOptions): Opened {
  const program = findProgram(name, options.env);
  if (program === null) {
    throw new ProblemError(
      environmentProblem({
        code: 'decompressor-missing',
        text: `The archive is compressed with ${name}, and there is no program ${name} in PATH.`,
        file: path,
        hint: `Install ${name}, or unpack the archive and import the folder.`,
      }),
    );
  }
  const child = start(program, ['-dc', '--', path], {
    env: options.env,
    stderr: 'ignore',
    signal: options.signal,
  });
  if (child.stdout === null) throw new Error(`${name} has no output`);
  const ended = async (): Promise<void> => {
    const { code } = await child.exit;
    if (code !== 0) throw damaged(path, name, new Error(`${name} ended with exit code ${code ?? 'none'}`));
  };
  return { bytes: child.stdout, decoder: null, ended };
}

/** Errors of zlib; those of the file system have a syscall. */
function isDamage(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    !('syscall' in error) &&
    /^(Z_|ZSTD_)/.test(String(error.code))
  );
}

function damaged(path: string, compression: Compression, error: unknown): ProblemError {
  const why = error instanceof Error ? error.message : String(error);
  return new ProblemError(
    integrityProblem({
      code: 'bad-archive',
      text: `The archive can not be unpacked (${compression}): ${why}.`,
      file: path,
      hint: 'Copy it again: it seems to be damaged or cut.',
    }),
    { cause: error },
  );
}
