/** Images whose blobs are all sound, but which are not what was asked for. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MEDIA, parseDigest } from '@stx-make/core/oci/index';
import { beforeEach, expect, it } from 'vitest';
import { ANNOTATIONS, fakeImage, fakeLayer, KINDS, type Mutations } from '../../../../test/rig/images.ts';
import { memoryLedger } from './ledger.ts';
import { openPool, type Pool } from './pool.ts';
import { VerificationError, verifyOutput } from './verify.ts';

let pool: Pool;

beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'stx-structure-'));
  pool = openPool({ pool: join(folder, 'pool') }, memoryLedger());
  return () => rmSync(folder, { recursive: true });
});

const LAYERS = [fakeLayer([{ path: 'a', content: 'aa' }]), fakeLayer([{ path: 'b', content: 'bb' }])];
const [A, B] = LAYERS.map(({ diffId }) => diffId);
const DOCKER = 'application/vnd.docker.';

type Item = Record<string, unknown>;
const items = (value: unknown): Item[] => value as Item[];
const diffIds = (...ids: unknown[]): Mutations => ({
  config: () => ({ rootfs: { type: 'layers', diff_ids: ids } }),
});
/** Changes the first entry of the index. */
const entry = (change: Item): Mutations => ({
  index: ({ manifests }) => ({ manifests: items(manifests).map((item) => ({ ...item, ...change })) }),
});
/** Adds an entry like the first. */
const another = (change: Item): Mutations => ({
  index: ({ manifests }) => ({ manifests: [...items(manifests), { ...items(manifests)[0], ...change }] }),
});

it.each<[string, string, Mutations]>([
  ['a layer less in the config', 'wrong-diff-id', diffIds(A)],
  ['a layer more in the config', 'wrong-diff-id', diffIds(A, B, B)],
  ['diff ids in another order', 'wrong-diff-id', diffIds(B, A)],
  ['no diff ids', 'bad-document', { config: () => ({ rootfs: undefined }) }],
  ['the config of another platform', 'wrong-platforms', { config: () => ({ architecture: 'arm64' }) }],
  [
    'an annotation too many',
    'wrong-annotations',
    { manifest: () => ({ annotations: { ...ANNOTATIONS, x: 'x' } }) },
  ],
  ['an annotation missing', 'wrong-annotations', { manifest: () => ({ annotations: undefined }) }],
  ['annotations on the index', 'unexpected-annotation', { index: () => ({ annotations: { a: 'b' } }) }],
  ['annotations in the index', 'unexpected-annotation', entry({ annotations: { a: 'b' } })],
  [
    'a Docker manifest',
    'bad-media-type',
    { manifest: () => ({ mediaType: `${DOCKER}distribution.manifest.v2+json` }) },
  ],
  [
    'a Docker config',
    'bad-media-type',
    {
      manifest: ({ config }) => ({
        config: { ...(config as Item), mediaType: `${DOCKER}container.image.v1+json` },
      }),
    },
  ],
  [
    'a wrong size of a layer',
    'wrong-size',
    { manifest: ({ layers }) => ({ layers: items(layers).map((layer) => ({ ...layer, size: 1 })) }) },
  ],
  ['a wrong size of a manifest', 'wrong-size', entry({ size: 1 })],
  ['no platform', 'wrong-platforms', entry({ platform: undefined })],
  ['another platform', 'wrong-platforms', entry({ platform: { os: 'linux', architecture: '386' } })],
  ['an attestation', 'wrong-platforms', another({ platform: { os: 'unknown', architecture: 'unknown' } })],
  ['the same image twice', 'wrong-platforms', another({})],
  [
    'an image for one more platform',
    'wrong-platforms',
    another({ platform: { os: 'linux', architecture: '386' } }),
  ],
  ['a digest that is a path', 'bad-digest', entry({ digest: 'sha256:../../../../../etc/passwd' })],
  ['no images', 'wrong-platforms', { index: () => ({ manifests: [] }) }],
  ['an index in the index', 'bad-media-type', entry({ mediaType: MEDIA.index })],
  ['a manifest for an index', 'bad-media-type', { index: () => ({ mediaType: KINDS.manifest }) }],
])('%s is found, and no blob blamed', async (_, code, mutations) => {
  const image = fakeImage(LAYERS, mutations);
  for (const [digest, bytes] of image.blobs) writeFileSync(pool.path(parseDigest(digest, 'test')), bytes);
  const expected = {
    target: 'core-x',
    images: [{ platform: 'linux/amd64', base: null }],
    annotations: ANNOTATIONS,
    epoch: 1,
  };
  const error: unknown = await verifyOutput(pool, parseDigest(image.index, 'test'), expected).catch(
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(VerificationError);
  if (!(error instanceof VerificationError)) return;
  expect(error.problems.map((problem) => problem.code)).toContain(code);
  expect(error.bad).toEqual([]);
});
