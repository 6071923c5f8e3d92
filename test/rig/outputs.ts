/**
 * Outputs made by hand (images.ts) put into a real pool and verified there.
 */
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { parseDigest } from '../../packages/core/src/oci/index.ts';
import type { Output } from '../../packages/core/src/oci/model.ts';
import { type Pool, verifyOutput } from '../../packages/scheduler/src/store/index.ts';
import { ANNOTATIONS, fakeImage, fakeLayer, type TarFile } from './images.ts';

/** An output with these files, one layer a list, in the pool and verified. */
export async function outputIn(pool: Pool, ...layers: readonly (readonly TarFile[])[]): Promise<Output> {
  const image = fakeImage(layers.map((files) => fakeLayer(files)));
  for (const [digest, bytes] of image.blobs) {
    const path = pool.path(parseDigest(digest, 'test'));
    if (!existsSync(path)) writeFileSync(path, bytes, { mode: 0o444 });
  }
  return verifyOutput(pool, parseDigest(image.index, 'test'), {
    target: 'core-x',
    images: [{ platform: 'linux/amd64', base: null }],
    annotations: ANNOTATIONS,
    epoch: 1,
  });
}

/** Other bytes in a blob's place, as an editor would write them. */
export function damage(path: string): void {
  chmodSync(path, 0o644);
  writeFileSync(path, 'other');
}
