/** OCI documents: what BuildKit writes is read, everything else is refused with a reason. */
import { expect, it } from 'vitest';
import { ProblemError } from '../errors.ts';
import { MEDIA, parseConfig, parseDescriptor, parseIndex, parseManifest } from './documents.ts';

const D = `sha256:${'a'.repeat(64)}`;
const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const layer = { mediaType: MEDIA.layerGzip, digest: D, size: 3 };
const manifest = {
  schemaVersion: 2,
  mediaType: MEDIA.manifest,
  config: { mediaType: MEDIA.config, digest: D, size: 2 },
  layers: [layer],
};

/** The code of the one problem it throws. */
function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof ProblemError) return error.problems.map(({ code }) => code).join();
    throw error;
  }
  return 'none';
}

it('reads what BuildKit writes for an image without layers', () => {
  expect(parseManifest(bytes({ ...manifest, layers: null }), 'm').layers).toEqual([]);
  const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: null } };
  expect(parseConfig(bytes(config), 'c')).toEqual({
    platform: { os: 'linux', architecture: 'amd64' },
    diffIds: [],
  });
});

it.each<[string, unknown, string]>([
  ['a path for a digest', { ...layer, digest: 'sha256:../../../../etc/passwd' }, 'bad-digest'],
  ['upper case', { ...layer, digest: `sha256:${'A'.repeat(64)}` }, 'bad-digest'],
  ['a newline behind a digest', { ...layer, digest: `${D}\n` }, 'bad-digest'],
  ['another algorithm', { ...layer, digest: `sha512:${'a'.repeat(128)}` }, 'bad-digest'],
  ['a digest in a list', { ...layer, digest: [D] }, 'bad-digest'],
  ['a negative size', { ...layer, size: -1 }, 'bad-descriptor'],
  ['half a byte', { ...layer, size: 0.5 }, 'bad-descriptor'],
  ['a size as text', { ...layer, size: '3' }, 'bad-descriptor'],
  ['no size', { mediaType: MEDIA.layerGzip, digest: D }, 'bad-descriptor'],
  [
    'a Docker layer',
    { ...layer, mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip' },
    'bad-media-type',
  ],
  ['annotations that are no text', { ...layer, annotations: { a: 1 } }, 'bad-document'],
  ['a platform without an os', { ...layer, platform: { architecture: 'amd64' } }, 'bad-platform'],
  ['nothing', null, 'bad-document'],
])('refuses %s in a descriptor', (_, value, code) => {
  expect(codeOf(() => parseDescriptor(value, 'it', [MEDIA.layerGzip]))).toBe(code);
});

it.each<[string, Uint8Array, string]>([
  ['bytes that are no UTF-8', Uint8Array.of(0x22, 0xff, 0x22), 'bad-json'],
  ['nothing', new Uint8Array(0), 'bad-json'],
  ['a cut document', bytes(manifest).subarray(0, 40), 'bad-json'],
  ['a list', bytes([]), 'bad-document'],
  ['another schema', bytes({ ...manifest, schemaVersion: 1 }), 'bad-document'],
  [
    'a Docker manifest',
    bytes({ ...manifest, mediaType: 'application/vnd.docker.distribution.manifest.v2+json' }),
    'bad-media-type',
  ],
  ['no config', bytes({ ...manifest, config: undefined }), 'bad-document'],
  ['layers that are no list', bytes({ ...manifest, layers: {} }), 'bad-document'],
])('refuses %s for a manifest', (_, value, code) => {
  expect(codeOf(() => parseManifest(value, 'it'))).toBe(code);
});

it('refuses an index that is a manifest, and configs without sound diff ids', () => {
  expect(codeOf(() => parseIndex(bytes(manifest), 'it'))).toBe('bad-media-type');
  const config = { architecture: 'amd64', os: 'linux' };
  expect(codeOf(() => parseConfig(bytes(config), 'it'))).toBe('bad-document');
  const wrong = { ...config, rootfs: { type: 'layers', diff_ids: ['md5:x'] } };
  expect(codeOf(() => parseConfig(bytes(wrong), 'it'))).toBe('bad-digest');
});

it('hints at the way out of Docker media types', () => {
  const docker = bytes({ ...manifest, mediaType: 'application/vnd.docker.distribution.manifest.v2+json' });
  expect(() => parseManifest(docker, 'it')).toThrow('oci-mediatypes=true');
});
