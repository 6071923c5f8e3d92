/**
 * OCI layouts in a folder that others wrote: what `out/<target>/` holds, from index.json down.
 *
 * Nothing in it is trusted: every blob is hashed. Unaware of targets and committed digests.
 */
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { integrityProblem, ProblemError } from '@stx-make/core/errors';
import {
  type Descriptor,
  type Digest,
  digestOf,
  hexOf,
  MAX_DOCUMENT,
  MEDIA,
  parseConfig,
  parseIndex,
  parseManifest,
  platformString,
} from '@stx-make/core/oci/index';
import { forEachLimited, withFileProblems } from '../files/index.ts';
import type { LayerFacts } from '../store/index.ts';
import { explainReading, PARALLEL } from '../store/pool.ts';
import { readLayer, readSmall } from '../store/read.ts';

export interface LayoutTop {
  /** Of the nested index; null where index.json names the manifest itself. */
  readonly index: Digest | null;
  /** One a platform; the first is what is published and signed. */
  readonly manifests: readonly Descriptor[];
}

/** Where a layout has a blob. */
export function blobPath(folder: string, digest: Digest): string {
  return join(folder, 'blobs', 'sha256', hexOf(digest));
}

/** Null where there is no layout (no index.json: make leaves an empty folder when a build fails).
 * @throws ProblemError integrity: it is there, and damaged */
export function readLayoutTop(folder: string): LayoutTop | null {
  const path = join(folder, 'index.json');
  return withFileProblems('read the layout', path, () => {
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return null;
    const top = readSmall(path, MAX_DOCUMENT);
    if (top === null) throw damaged(path, 'it is no plain file, or too large');
    const [first] = parseIndex(top.bytes, path).manifests;
    if (first === undefined) throw damaged(path, 'it names no image');
    if (first.mediaType !== MEDIA.index) return { index: null, manifests: [first] };
    const nested = parseIndex(readLayoutDocument(folder, first.digest), `${folder}: the index`);
    if (nested.manifests.length === 0) throw damaged(path, 'its index names no image');
    return { index: first.digest, manifests: nested.manifests };
  });
}

/** A small blob with its digest checked. @throws ProblemError `bad-blob` (integrity) */
export function readLayoutDocument(folder: string, digest: Digest): Buffer {
  const path = blobPath(folder, digest);
  const bytes = withFileProblems('read the layout', path, () => readSmall(path, MAX_DOCUMENT)?.bytes);
  if (bytes === undefined) throw damaged(path, 'it is missing, too large or no plain file');
  const found = digestOf(bytes);
  if (found !== digest) throw damaged(path, `its bytes have the digest ${found}`);
  return bytes;
}

/** Reads a whole image: every blob has its digest and size, every layer unpacks to the config's diff id.
 * @throws ProblemError (integrity) */
export async function checkImage(folder: string, manifest: Descriptor): Promise<void> {
  const bytes = readLayoutDocument(folder, manifest.digest);
  checkSize(folder, manifest, bytes.length);
  const { config, layers } = parseManifest(bytes, `${folder}: the manifest`);
  const configBytes = readLayoutDocument(folder, config.digest);
  checkSize(folder, config, configBytes.length);
  const { platform, diffIds } = parseConfig(configBytes, `${folder}: the config`);
  const path = blobPath(folder, config.digest);
  if (diffIds.length !== layers.length) {
    throw damaged(path, `it has ${diffIds.length} diff ids for ${layers.length} layers`);
  }
  if (manifest.platform !== undefined && platformString(manifest.platform) !== platformString(platform)) {
    const said = platformString(manifest.platform);
    throw damaged(path, `it is for ${platformString(platform)}, the index says ${said}`);
  }
  await forEachLimited(layers.entries(), PARALLEL, async ([place, layer]) => {
    const facts = await readLayerOf(folder, layer);
    if (facts.diffId !== diffIds[place]) {
      throw damaged(
        blobPath(folder, layer.digest),
        `it unpacks to ${facts.diffId}, the config says ${diffIds[place]}`,
      );
    }
  });
}

/** A layer's bytes hashed and unpacked. @throws ProblemError (integrity) */
export async function readLayerOf(folder: string, layer: Descriptor): Promise<LayerFacts> {
  const path = blobPath(folder, layer.digest);
  const { reading, facts } = await readLayer(path, layer.mediaType, layer.digest);
  if (reading.kind !== 'blob' || facts === null) throw damaged(path, explainReading(reading));
  checkSize(folder, layer, Number(reading.stat.size));
  return facts;
}

function checkSize(folder: string, { digest, size }: Descriptor, found: number): void {
  if (size !== found)
    throw damaged(blobPath(folder, digest), `it has ${found} bytes, not ${size} as is said`);
}

export function damaged(file: string, why: string): ProblemError {
  return new ProblemError(
    integrityProblem({
      code: 'bad-blob',
      text: `This part of an OCI layout is damaged: ${why}.`,
      file,
      hint: 'Remove the layout and get it again.',
    }),
  );
}
