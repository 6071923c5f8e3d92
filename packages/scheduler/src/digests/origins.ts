/**
 * Where published images come from: folders of layouts, or a registry. Both give blobs by digest, into the pool.
 *
 * Unaware of claims and records.
 */
import { chmodSync, existsSync, lstatSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { environmentProblem, inputProblem, ProblemError } from '@stx-make/core/errors';
import { type Digest, MEDIA } from '@stx-make/core/oci/index';
import {
  copyExact,
  errnoOf,
  linkOrCopy,
  takePlace,
  temporaryBeside,
  withFileProblems,
} from '../files/index.ts';
import { type RegistryClient, type RegistryPlace, repositoryOf } from '../registry/index.ts';
import { blobIntoPool, type WantedBlob } from '../registry/into-pool.ts';
import type { Pool } from '../store/index.ts';
import { explainReading } from '../store/pool.ts';
import { type BlobReading, readBlob, readLayer } from '../store/read.ts';
import { blobPath, damaged, readLayoutTop } from './layout.ts';

export type { WantedBlob };

/** What an origin has for a target. */
export type Offer =
  | { readonly kind: 'here' }
  | { readonly kind: 'absent' }
  /** An image, but another one. */
  | { readonly kind: 'other'; readonly digest: Digest };

export interface ImageOrigin {
  /** For people. */
  readonly name: string;
  /** @throws ProblemError integrity where what is there is damaged */
  offer(target: string, manifest: Digest, pool: Pool): Promise<Offer>;
  /** Has a blob in the pool, its bytes hashed on the way. @throws ProblemError */
  bring(target: string, blob: WantedBlob, pool: Pool): Promise<void>;
}

/** Layouts as `out/` holds them: `<folder>/<target>/`; or one layout with everything in it. */
export function layoutOrigin(folder: string, name: string): ImageOrigin {
  const single = existsSync(join(folder, 'oci-layout')) && existsSync(join(folder, 'blobs'));
  const layoutOf = (target: string): string => (single ? folder : join(folder, target));
  return {
    name,
    offer: async (target, manifest) => {
      const layout = layoutOf(target);
      if (single) {
        const there = lstatSync(blobPath(layout, manifest), { throwIfNoEntry: false });
        return { kind: there === undefined ? 'absent' : 'here' };
      }
      const first = readLayoutTop(layout)?.manifests[0];
      if (first === undefined) return { kind: 'absent' };
      return first.digest === manifest ? { kind: 'here' } : { kind: 'other', digest: first.digest };
    },
    bring: (target, blob, pool) => bringFile(blobPath(layoutOf(target), blob.digest), blob, pool),
  };
}

const LAYERS: ReadonlySet<string> = new Set([MEDIA.layer, MEDIA.layerGzip, MEDIA.layerZstd]);

/** Hashes the file, whatever the pool already has: a damaged layout must not pass because another one is whole. */
async function bringFile(path: string, blob: WantedBlob, pool: Pool): Promise<void> {
  const { digest, mediaType } = blob;
  let reading: BlobReading;
  if (LAYERS.has(mediaType) && pool.ledger.layer(digest) === undefined) {
    const read = await readLayer(path, mediaType, digest);
    reading = read.reading;
    if (read.facts !== null) pool.ledger.rememberLayer(digest, read.facts);
  } else {
    reading = await readBlob(path);
  }
  if (reading.kind !== 'blob' || reading.digest !== digest) throw damaged(path, explainReading(reading));
  if (blob.size !== null && Number(reading.stat.size) !== blob.size) {
    throw damaged(path, `it has ${reading.stat.size} bytes, not ${blob.size} as its manifest says`);
  }
  if (pool.isKnownGood(digest)) return;
  const place = pool.path(digest);
  const made = withFileProblems('put a blob into the pool', place, () => {
    const temporary = temporaryBeside(place);
    const how = linkReadOnly(path, temporary);
    takePlace(temporary, place);
    return how;
  });
  if (made === 'link') {
    const stat = lstatSync(place, { bigint: true });
    const same = stat.size === reading.stat.size && stat.mtimeNs === reading.stat.mtimeNs;
    if (same && stat.ino === reading.stat.ino) {
      pool.judge(digest, { kind: 'blob', digest, stat });
      return;
    }
  }
  const bad = await pool.check(digest);
  if (bad !== null) {
    pool.remove(digest);
    throw damaged(path, bad.why);
  }
}

/** Read-only before it has its name: a write through the layout's name must not reach the pool unseen. */
function linkReadOnly(path: string, temporary: string): 'link' | 'copy' {
  const how = linkOrCopy(path, temporary);
  try {
    chmodSync(temporary, 0o444);
    return how;
  } catch (error) {
    if (how === 'copy' || errnoOf(error) !== 'EPERM') throw error;
    // Somebody else's file, whose mode is not ours to change.
    rmSync(temporary);
    copyExact(path, temporary);
    chmodSync(temporary, 0o444);
    return 'copy';
  }
}

/** Images by digest from a registry. */
export function registryOrigin(client: RegistryClient, place: RegistryPlace): ImageOrigin {
  const underWay = new Map<Digest, Promise<boolean>>();
  /** Each blob once, however many images share it. False where the registry does not have it. */
  const bring = (target: string, blob: WantedBlob, pool: Pool): Promise<boolean> => {
    if (pool.isKnownGood(blob.digest)) return Promise.resolve(true);
    let download = underWay.get(blob.digest);
    if (download === undefined) {
      download = blobIntoPool(client, repositoryOf(place, target), blob, pool);
      underWay.set(blob.digest, download);
      const done = (): void => void underWay.delete(blob.digest);
      download.then(done, done);
    }
    return download;
  };
  return {
    name: place.name,
    offer: async (target, manifest, pool) => {
      // Reading it is the question: it is small, and needed next.
      const found = await bring(target, { digest: manifest, mediaType: MEDIA.manifest, size: null }, pool);
      return { kind: found ? 'here' : 'absent' };
    },
    bring: async (target, blob, pool) => {
      if (await bring(target, blob, pool)) return;
      throw new ProblemError(
        environmentProblem({
          code: 'registry-incomplete',
          text: `The registry ${place.name} has the manifest of ${target}, but not its blob ${blob.digest}.`,
        }),
      );
    },
  };
}

/** Several, asked in turn for each image. */
export function firstOf(origins: readonly ImageOrigin[]): ImageOrigin {
  const [only, ...others] = origins;
  if (only === undefined) throw new Error('no place to take images from');
  if (others.length === 0) return only;
  /** By target: where its manifest was found. One image of a target is taken at a time. */
  const chosen = new Map<string, ImageOrigin>();
  return {
    name: origins.map(({ name }) => name).join(', '),
    offer: async (target, manifest, pool) => {
      for (const origin of origins) {
        const offer = await origin.offer(target, manifest, pool);
        if (offer.kind === 'absent') continue;
        chosen.set(target, origin);
        return offer;
      }
      return { kind: 'absent' };
    },
    bring: (target, blob, pool) => (chosen.get(target) ?? only).bring(target, blob, pool),
  };
}

/** Where a folder of layouts is meant, its absolute path; null for a registry. Paths and folders that exist are folders.
 * @throws ProblemError `no-layouts` (input) */
export function layoutsFolder(from: string, cwd: string, isFolder: (path: string) => boolean): string | null {
  const path = from.replace(/^(oci|dir):/, '');
  const folder = resolve(cwd, path);
  if (isFolder(folder)) return folder;
  if (path === from && !/^(\/|\.{1,2}(\/|$))/.test(path)) return null;
  throw new ProblemError(
    inputProblem({
      code: 'no-layouts',
      text: `There is no folder ${folder}.`,
      hint: 'Name a folder with <target>/index.json in it, or a registry as HOST[:PORT][/NAMESPACE].',
    }),
  );
}
