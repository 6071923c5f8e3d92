/**
 * Undoes a Content-Encoding that was not asked for.
 *
 * Some servers label a .tar.gz as gzip-encoded and send it as it is, others really compress what they were asked to
 * send plain. The bytes as they came are judged first; only when their hash is wrong is this tried.
 */
import { Readable, type Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import { ProblemError } from '@stx-make/core/errors';
import type { Incoming } from '../store/incoming.ts';
import type { Transfer } from './transfer.ts';

type Decoder = Transform;

const DECODERS: Readonly<Record<string, () => Decoder>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
};

/** True where the decoded bytes are the wanted ones; they are then in the store. @throws ProblemError; the
 * signal's reason */
export async function decodePart(job: Transfer, encoding: string): Promise<boolean> {
  const decoder = DECODERS[encoding];
  if (decoder === undefined) return false;
  const incoming = await job.store.begin();
  try {
    await pump(job, decoder(), incoming);
    const { taken } = await incoming.finish((sha256) => sha256 === job.sha256);
    return taken;
  } catch (error) {
    if (job.signal.aborted) throw job.signal.reason;
    if (error instanceof ProblemError) throw error;
    // Not what its label says.
    return false;
  } finally {
    await incoming.discard();
  }
}

async function pump(job: Transfer, decoder: Decoder, incoming: Incoming): Promise<void> {
  let written = 0;
  const sink = new Writable({
    write: (piece: Buffer, _encoding, done) => {
      written += piece.length;
      if (written > job.limits.maxBytes) done(new Error('too large'));
      else incoming.write(piece).then(() => done(), done);
    },
  });
  await pipeline(Readable.from(job.part.pieces()), decoder, sink, { signal: job.signal });
}
