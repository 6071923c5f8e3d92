/**
 * One published image, taken by its manifest digest from wherever it is, into the pool, and verified there.
 *
 * Unaware of recipes and records.
 */
import { inputProblem, integrityProblem, ProblemError } from '@stx-make/core/errors';
import {
  type Descriptor,
  type Digest,
  digestOf,
  MAX_DOCUMENT,
  MEDIA,
  nestedIndex,
  normalizePlatform,
  type Output,
  parseConfig,
  parseManifest,
  platformString,
} from '@stx-make/core/oci/index';
import { forEachLimited } from '../files/index.ts';
import { type Pool, VerificationError, verifyOutput } from '../store/index.ts';
import { PARALLEL } from '../store/pool.ts';
import { readSmall } from '../store/read.ts';
import type { ImageOrigin } from './origins.ts';

export interface WantedImage {
  readonly target: string;
  readonly manifest: Digest;
  readonly platform: string;
}

/** What can be seen of an image, from its manifest and config alone: enough for fingerprints of what needs it. Its layers
 * are neither brought nor looked at, so it is no output to record. @throws ProblemError */
export async function describeImage(
  pool: Pool,
  origin: ImageOrigin,
  wanted: Omit<WantedImage, 'platform'>,
  signal: AbortSignal,
): Promise<Output> {
  const { target } = wanted;
  const what = `${origin.name}: ${target}`;
  signal.throwIfAborted();
  await origin.bring(target, { digest: wanted.manifest, mediaType: MEDIA.manifest, size: null }, pool);
  const bytes = documentIn(pool, wanted.manifest, what);
  const { config, layers } = parseManifest(bytes, `${what}: the manifest`);
  await origin.bring(target, config, pool);
  const { platform, diffIds } = parseConfig(documentIn(pool, config.digest, what), `${what}: the config`);
  const manifest: Descriptor = { mediaType: MEDIA.manifest, digest: wanted.manifest, size: bytes.length };
  const image = { platform: platformString(platform), manifest, config, layers, diffIds };
  const index = nestedIndex([image]);
  return {
    index: { mediaType: MEDIA.index, digest: digestOf(index), size: Buffer.byteLength(index) },
    images: [image],
  };
}

/** The committed manifest, and all it names. The index around it is made anew, as BuildKit writes it: what an origin has
 * there is pinned by nothing. @throws ProblemError */
export async function takeImage(
  pool: Pool,
  origin: ImageOrigin,
  wanted: WantedImage,
  signal: AbortSignal,
): Promise<Output> {
  const { target, platform } = wanted;
  const bring = (blob: Parameters<ImageOrigin['bring']>[1]): Promise<void> => {
    signal.throwIfAborted();
    return origin.bring(target, blob, pool);
  };
  const what = `${origin.name}: ${target}`;
  await bring({ digest: wanted.manifest, mediaType: MEDIA.manifest, size: null });
  const bytes = documentIn(pool, wanted.manifest, what);
  const { config, layers } = parseManifest(bytes, `${what}: the manifest`);
  await bring(config);
  const { platform: own } = parseConfig(documentIn(pool, config.digest, what), `${what}: the config`);
  if (platformString(own) !== normalizePlatform(platform)) {
    throw new ProblemError(
      inputProblem({
        code: 'other-platform',
        text: `The committed digest of ${target} is that of an image for ${platformString(own)}, asked for is ${platform}.`,
        hint: 'Committed digests are of one platform: use that with --platform.',
      }),
    );
  }
  await forEachLimited(layers, PARALLEL, bring);
  const manifest: Descriptor = { mediaType: MEDIA.manifest, digest: wanted.manifest, size: bytes.length };
  const index = pool.write(nestedIndex([{ manifest, platform: platformString(own) }]));
  try {
    return await verifyOutput(pool, index, {
      target,
      giver: origin.name,
      images: [{ platform, base: null }],
      annotations: null,
      epoch: null,
    });
  } catch (error) {
    if (error instanceof VerificationError) for (const digest of error.bad) pool.remove(digest);
    throw error;
  }
}

function documentIn(pool: Pool, digest: Digest, what: string): Buffer {
  const bytes = readSmall(pool.path(digest), MAX_DOCUMENT)?.bytes;
  if (bytes !== undefined && digestOf(bytes) === digest) return bytes;
  throw new ProblemError(
    integrityProblem({ code: 'bad-blob', text: `${what}: ${digest} is too large or changed in the pool` }),
  );
}
