/**
 * Outputs as sets of blobs in the pool.
 */
import type { Digest, Output } from '@stx-make/core/oci/index';
import type { BadBlob, Pool } from './pool.ts';

/** The digests of all blobs of an output, each once, from the index down. */
export function blobsOf(output: Output): Digest[] {
  const digests = new Set<Digest>([output.index.digest]);
  for (const image of output.images) {
    digests.add(image.manifest.digest);
    digests.add(image.config.digest);
    for (const layer of image.layers) digests.add(layer.digest);
  }
  return [...digests];
}

/** Bytes of all blobs of an output, each counted once. */
export function outputSize(output: Output): number {
  const sizes = new Map<Digest, number>([[output.index.digest, output.index.size]]);
  for (const image of output.images) {
    for (const { digest, size } of [image.manifest, image.config, ...image.layers]) sizes.set(digest, size);
  }
  let total = 0;
  for (const size of sizes.values()) total += size;
  return total;
}

/** True when every blob is there and known to be good: stats only, nothing is read. */
export function isOutputKnownGood(pool: Pool, output: Output): boolean {
  return blobsOf(output).every((digest) => pool.isKnownGood(digest));
}

/** The same of index, manifests and configs alone. */
export function areDocumentsKnownGood(pool: Pool, { index, images }: Output): boolean {
  const documents = [index, ...images.flatMap(({ manifest, config }) => [manifest, config])];
  return documents.every(({ digest }) => pool.isKnownGood(digest));
}

/** The same for many outputs at one moment: a blob that several share is looked at once. */
export function knownGoodAtOnce(pool: Pool): (output: Output) => boolean {
  const seen = new Map<Digest, boolean>();
  const isGood = (digest: Digest): boolean => {
    let good = seen.get(digest);
    if (good === undefined) {
      good = pool.isKnownGood(digest);
      seen.set(digest, good);
    }
    return good;
  };
  return ({ index, images }) =>
    isGood(index.digest) &&
    images.every(
      ({ manifest, config, layers }) =>
        isGood(manifest.digest) && isGood(config.digest) && layers.every(({ digest }) => isGood(digest)),
    );
}

/** The blobs of an output that are missing or damaged; those not known to be good are read. */
export function missingBlobs(pool: Pool, output: Output): Promise<BadBlob[]> {
  return pool.badOf(blobsOf(output));
}
