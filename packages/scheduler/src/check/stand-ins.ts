/**
 * A small OCI layout for BuildKit's lint, which asks for the config of every image that is named: the real manifest and
 * config where the image is here, an empty image in its place where it is not. Layers are never asked for.
 */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf, hexOf } from '@stx-make/core/oci/digest';
import { MEDIA } from '@stx-make/core/oci/documents';
import { EMPTY_INDEX, OCI_LAYOUT } from '@stx-make/core/oci/layout';
import type { Digest, ImageOutput } from '@stx-make/core/oci/model';
import { normalizePlatform } from '@stx-make/core/oci/platform';
import { errnoOf } from '../files/problems.ts';

export interface StandIns {
  readonly root: string;
  /** The digest to name for an image that should be here; null where it is not after all. */
  real(image: ImageOutput): Digest | null;
  /** The digest of an empty image for a platform. */
  empty(platform: string): Digest;
}

/** @param root is made @param pool the folder of the pool's layout */
export function openStandIns(root: string, pool: string): StandIns {
  const blobs = join(root, 'blobs', 'sha256');
  mkdirSync(blobs, { recursive: true });
  writeFileSync(join(root, 'oci-layout'), OCI_LAYOUT);
  writeFileSync(join(root, 'index.json'), EMPTY_INDEX);
  const written = new Set<Digest>();
  const put = (text: string): Digest => {
    const digest = digestOf(text);
    if (!written.has(digest)) writeFileSync(join(blobs, hexOf(digest)), text);
    written.add(digest);
    return digest;
  };
  const take = (digest: Digest): void => {
    if (written.has(digest)) return;
    copyFileSync(join(pool, 'blobs', 'sha256', hexOf(digest)), join(blobs, hexOf(digest)));
    written.add(digest);
  };
  return {
    root,
    real: (image) => {
      try {
        take(image.manifest.digest);
        take(image.config.digest);
        return image.manifest.digest;
      } catch (error) {
        // Records can outlive blobs; then it is as if it had never been built.
        if (errnoOf(error) === 'ENOENT') return null;
        throw error;
      }
    },
    empty: (platform) => {
      const [os, architecture, variant] = normalizePlatform(platform).split('/');
      const config = JSON.stringify({
        architecture,
        os,
        ...(variant === undefined ? {} : { variant }),
        config: {},
        rootfs: { type: 'layers', diff_ids: [] },
      });
      const manifest = {
        schemaVersion: 2,
        mediaType: MEDIA.manifest,
        config: { mediaType: MEDIA.config, digest: put(config), size: Buffer.byteLength(config) },
        layers: [],
      };
      return put(JSON.stringify(manifest));
    },
  };
}
