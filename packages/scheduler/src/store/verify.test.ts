/** What verification must find, one mistake at a time, on images made by hand. */
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Digest, type ImageOutput, MEDIA, parseDigest } from '@stx-make/core/oci/index';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  ANNOTATIONS,
  type FakeImage,
  type FakeLayer,
  fakeImage,
  fakeLayer,
  sha,
  tar,
} from '../../../../test/rig/images.ts';
import { memoryLedger } from './ledger.ts';
import { openPool, type Pool } from './pool.ts';
import { type Expectation, VerificationError, verifyOutput } from './verify.ts';

let folder: string;
let pool: Pool;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stx-verify-'));
  pool = openPool({ pool: join(folder, 'pool') }, memoryLedger());
  return () => rmSync(folder, { recursive: true });
});

const EXPECTED: Expectation = {
  target: 'core-x',
  images: [{ platform: 'linux/amd64', base: null }],
  annotations: ANNOTATIONS,
  epoch: 1,
};
const LAYERS = [fakeLayer([{ path: 'a', content: 'aa' }]), fakeLayer([{ path: 'b', content: 'bb' }])];

function store(image: FakeImage): void {
  for (const [digest, bytes] of image.blobs) writeFileSync(path(digest), bytes);
}

function path(digest: string): string {
  return pool.path(parseDigest(digest, 'test'));
}

async function verify(image: FakeImage, expected: Expectation = EXPECTED) {
  return verifyOutput(pool, parseDigest(image.index, 'test'), expected);
}

/** The codes of what is found, and the blobs blamed. */
async function findings(
  image: FakeImage,
  expected?: Expectation,
): Promise<{ codes: string[]; bad: readonly Digest[] }> {
  try {
    await verify(image, expected);
    return { codes: [], bad: [] };
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error;
    expect(new Set(error.problems.map(({ tag }) => tag))).toEqual(new Set(['integrity']));
    return { codes: error.problems.map(({ code }) => code), bad: error.bad };
  }
}

it('accepts a sound image and gives its parts', async () => {
  const image = fakeImage(LAYERS);
  store(image);
  const output = await verify(image);
  expect(output.index.digest).toBe(image.index);
  expect(output.images[0]).toMatchObject({
    platform: 'linux/amd64',
    manifest: { digest: image.manifest },
    config: { digest: image.config },
    diffIds: LAYERS.map(({ diffId }) => diffId),
  });
});

describe('damage to a blob is found and the blob is named', () => {
  const image = fakeImage(LAYERS);
  const layer = sha(LAYERS[1]?.bytes ?? '');
  const damages: [string, (file: string) => void][] = [
    ['a flipped bit', (file) => writeFileSync(file, flip(file, Math.floor(statSync(file).size / 2)))],
    ['a flipped last bit', (file) => writeFileSync(file, flip(file, statSync(file).size - 1))],
    ['truncated', (file) => truncateSync(file, statSync(file).size - 1)],
    ['empty', (file) => truncateSync(file, 0)],
    ['bytes behind it', (file) => writeFileSync(file, Buffer.concat([blob(file), Buffer.from('x')]))],
    ['missing', (file) => rmSync(file)],
    [
      'a link to another',
      (file) => replace(file, () => symlinkSync(path(layer === nameOf(file) ? image.config : layer), file)),
    ],
    ['a link to the same bytes', (file) => aside(file)],
    ['a link to nowhere', (file) => replace(file, () => symlinkSync('/nowhere', file))],
    ['a folder', (file) => replace(file, () => mkdirSync(file))],
  ];
  for (const [part, digest] of [
    ['index', image.index],
    ['manifest', image.manifest],
    ['config', image.config],
    ['layer', layer],
  ] as const) {
    it.each(damages)(`${part}: %s`, async (_, damage) => {
      store(image);
      await verify(image);
      damage(path(digest));
      const { codes, bad } = await findings(image);
      expect(bad).toEqual([digest]);
      expect(codes).toContain('bad-blob');
      expect(pool.isKnownGood(parseDigest(digest, 'test'))).toBe(false);
      // Taking it out and sending it again mends it.
      pool.remove(parseDigest(digest, 'test'));
      writeFileSync(path(digest), image.blobs.get(digest) ?? '');
      expect(await findings(image)).toEqual({ codes: [], bad: [] });
    });
  }

  function blob(file: string): Buffer {
    return image.blobs.get(nameOf(file)) ?? Buffer.alloc(0);
  }
  function flip(file: string, at: number): Buffer {
    const bytes = Buffer.from(blob(file));
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    return bytes;
  }
  function nameOf(file: string): string {
    return `sha256:${file.split('/').at(-1)}`;
  }
  function replace(file: string, make: () => void): void {
    rmSync(file);
    make();
  }
  function aside(file: string): void {
    renameSync(file, `${file}.aside`);
    symlinkSync(`${file}.aside`, file);
  }
});

describe('times', () => {
  const NEWER = { path: 'n', content: '', mtime: 2 };
  it.each<[string, FakeLayer, boolean]>([
    ['an entry of 1 s', fakeLayer([{ path: 'n', mtime: 1 }]), true],
    ['an entry of 0 s', fakeLayer([{ path: 'n', mtime: 0 }]), true],
    ['no entry', fakeLayer([]), true],
    ['an entry of 2 s', fakeLayer([NEWER]), false],
    ['a folder of 2 s', fakeLayer([{ path: 'd/', flag: '5', mtime: 2 }]), false],
    ['a last entry of 2 s', fakeLayer([{ path: 'a', content: 'x'.repeat(2000) }, NEWER]), false],
    ['a PAX time of 1.5 s', fakeLayer([{ path: 'n', mtime: 1, pax: { mtime: '1.5' } }]), false],
    ['a PAX time of 1 s over a newer one', fakeLayer([{ path: 'n', mtime: 9, pax: { mtime: '1' } }]), true],
    ['a PAX time before 1970', fakeLayer([{ path: 'n', pax: { mtime: '-3.5' } }]), true],
    ['no mark', fakeLayer([{ path: 'n' }], null), false],
    ['a mark of another time', fakeLayer([{ path: 'n' }], '2'), false],
  ])('%s', async (_, layer, sound) => {
    const image = fakeImage([layer]);
    store(image);
    const { codes } = await findings(image);
    expect(new Set(codes)).toEqual(new Set(sound ? [] : ['times-not-rewritten']));
  });

  it('are remembered: a layer is judged by them without being read again', async () => {
    const image = fakeImage([fakeLayer([NEWER])]);
    store(image);
    const before = await findings(image);
    expect(await findings(image)).toEqual(before);
    expect(before.codes).toEqual(['times-not-rewritten']);
  });

  it('are found in a large layer, which is streamed', async () => {
    // Hashes do not compress, so the blob is large as well.
    const noise = Array.from({ length: 10_000 }, (_, place) => sha(String(place))).join('');
    const large = { path: 'large', content: noise };
    const sound = fakeImage([fakeLayer([large, { path: 'n', mtime: 1 }])]);
    store(sound);
    expect(await findings(sound)).toEqual({ codes: [], bad: [] });
    const late = fakeImage([fakeLayer([large, NEWER])]);
    store(late);
    expect((await findings(late)).codes).toEqual(['times-not-rewritten']);
  });
});

describe('layers that do not unpack', () => {
  it.each<[string, FakeLayer]>([
    ['no gzip', { bytes: Buffer.from('plain'), diffId: sha('plain') }],
    ['cut gzip', { bytes: gzipSync(tar([])).subarray(0, 20), diffId: sha(tar([])) }],
    ['no tar', { bytes: gzipSync('x'.repeat(600)), diffId: sha('x'.repeat(600)) }],
  ])('%s', async (_, layer) => {
    const image = fakeImage([layer]);
    store(image);
    const { codes, bad } = await findings(image);
    expect(codes.some((code) => code === 'bad-layer' || code === 'bad-tar')).toBe(true);
    expect(bad).toEqual([]);
  });

  it('a layer that is not gzip is not what was asked for', async () => {
    const raw = tar([{ path: 'a' }]);
    const plain: FakeLayer = {
      bytes: raw,
      diffId: sha(raw),
      mediaType: MEDIA.layer,
      annotations: { 'buildkit/rewritten-timestamp': '1' },
    };
    const image = fakeImage([plain]);
    store(image);
    expect((await findings(image)).codes).toEqual(['bad-media-type']);
  });
});

describe('the base', () => {
  const [bottom, top] = LAYERS as [FakeLayer, FakeLayer];
  const unmarked = ({ bytes, diffId }: FakeLayer): FakeLayer => ({ bytes, diffId });
  async function baseOf(...layers: FakeLayer[]): Promise<ImageOutput> {
    const image = fakeImage(layers);
    store(image);
    const [found] = (await verify(image)).images;
    if (found === undefined) throw new Error('no image');
    return found;
  }
  const on = (base: ImageOutput): Expectation => ({
    ...EXPECTED,
    images: [{ platform: 'linux/amd64', base }],
  });

  it('must be at the bottom, unmarked, in order', async () => {
    const base = await baseOf(bottom, top);
    const own = fakeLayer([{ path: 'own' }]);
    const sound = fakeImage([unmarked(bottom), unmarked(top), own]);
    store(sound);
    expect((await findings(sound, on(base))).codes).toEqual([]);
    for (const layers of [
      [unmarked(top), unmarked(bottom), own],
      [unmarked(bottom), own],
      [bottom, unmarked(top), own],
      [],
    ]) {
      const image = fakeImage(layers);
      store(image);
      expect((await findings(image, on(base))).codes).toContain('wrong-base');
    }
  });

  it('may have newer times than our own layers', async () => {
    const foreign = fakeLayer([{ path: 'n', mtime: 99 }]);
    const image = fakeImage([unmarked(foreign)]);
    store(image);
    const base = (await verify(image, { ...EXPECTED, epoch: null })).images[0];
    expect((await findings(image, base && on(base))).codes).toEqual([]);
  });
});
