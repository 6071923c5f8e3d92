/**
 * One blob from a registry into the pool, its bytes hashed as they come.
 *
 * Never in memory, and under its name only when it is whole. Unaware of outputs.
 */
import { closeSync, ftruncateSync, lstatSync, openSync, rmSync, writeSync } from 'node:fs';
import { type Descriptor, MAX_DOCUMENT, MEDIA } from '@stx-make/core/oci/index';
import { takePlace, temporaryBeside, withFileProblems } from '../files/index.ts';
import type { Pool } from '../store/index.ts';
import type { RegistryClient } from './client.ts';

/** A blob as it is asked for; the size of a manifest is not known beforehand. */
export type WantedBlob = Pick<Descriptor, 'digest' | 'mediaType'> & { readonly size: number | null };

/**
 * @returns false where the registry does not have it
 * @throws ProblemError as RegistryClient.read, and for the disk; the signal's reason
 */
export async function blobIntoPool(
  client: RegistryClient,
  repository: string,
  blob: WantedBlob,
  pool: Pool,
  signal?: AbortSignal,
): Promise<boolean> {
  const path = pool.path(blob.digest);
  const temporary = temporaryBeside(path);
  const onDisk = <T>(work: () => T): T => withFileProblems('write a blob', temporary, work);
  const file = onDisk(() => openSync(temporary, 'wx', 0o444));
  let position = 0;
  const isDocument = blob.mediaType === MEDIA.manifest || blob.mediaType === MEDIA.index;
  try {
    const found = await client.read(
      repository,
      isDocument ? 'manifests' : 'blobs',
      { digest: blob.digest, size: blob.size, limit: MAX_DOCUMENT },
      {
        write: (piece) =>
          onDisk(() => {
            for (let at = 0; at < piece.length; ) {
              const written = writeSync(file, piece, at, piece.length - at, position);
              at += written;
              position += written;
            }
          }),
        reset: () =>
          onDisk(() => {
            ftruncateSync(file, 0);
            position = 0;
          }),
      },
      signal,
    );
    if (!found) return false;
    onDisk(() => {
      takePlace(temporary, path);
      // The client hashed these very bytes; pool.sync() makes them durable before a record names them.
      const stat = lstatSync(path, { bigint: true });
      pool.judge(blob.digest, { kind: 'blob', digest: blob.digest, stat });
    });
    return true;
  } finally {
    closeSync(file);
    rmSync(temporary, { force: true });
  }
}
