/** buildctl's archive unpacked: cut anywhere, blobs that are there, blobs too large for memory, a disk that refuses. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProblemError } from '@stx-make/core/errors';
import { digestOf, hexOf } from '@stx-make/core/oci/digest';
import type { Digest } from '@stx-make/core/oci/model';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { tar } from '../../../../test/rig/images.ts';
import { ArchiveReader } from './archive.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stx-archive-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const small = 'a small blob';
const large = 'x'.repeat(3 * 1024 * 1024 + 17);
const index = (digest: string) => JSON.stringify({ schemaVersion: 2, manifests: [{ digest }] });
const blobPath = (content: string) => `blobs/sha256/${hexOf(digestOf(content))}`;

function archiveOf(contents: readonly string[], named = digestOf(small) as string): Buffer {
  return tar([
    { path: 'blobs/', flag: '5' },
    { path: 'blobs/sha256/', flag: '5' },
    ...contents.map((content) => ({ path: blobPath(content), content })),
    { path: 'index.json', content: index(named) },
    { path: 'oci-layout', content: '{"imageLayoutVersion":"1.0.0"}' },
  ]);
}

async function unpack(
  bytes: Buffer,
  { step = 64 * 1024, has = () => false }: { step?: number; has?: (digest: Digest) => boolean } = {},
): Promise<Digest> {
  const reader = new ArchiveReader({ blobs: folder, has });
  try {
    for (let at = 0; at < bytes.length; at += step) await reader.push(bytes.subarray(at, at + step));
    return reader.finish();
  } finally {
    await reader.close();
  }
}

const contentOf = (content: string) => readFileSync(join(folder, hexOf(digestOf(content))), 'utf8');
const codeOf = async (work: Promise<unknown>) =>
  await work.then(
    () => null,
    (error: unknown) => (error instanceof ProblemError ? error.problems[0]?.code : error),
  );

test.each([1000, 64 * 1024, 50 * 1024 * 1024])('blobs become files, cut into pieces of %i', async (step) => {
  const empty = '';
  const umask = process.umask(0o077);
  try {
    expect(await unpack(archiveOf([small, large, empty, 'y'.repeat(300_000)]), { step })).toBe(
      digestOf(small),
    );
  } finally {
    process.umask(umask);
  }
  expect(contentOf(small)).toBe(small);
  expect(contentOf(large) === large).toBe(true);
  expect(contentOf(empty)).toBe('');
  expect(readdirSync(folder)).toHaveLength(4);
  for (const name of readdirSync(folder)) expect(lstatSync(join(folder, name)).mode & 0o777).toBe(0o444);
});

test('a blob that is known is not written; a file that is there keeps its inode', async () => {
  writeFileSync(join(folder, hexOf(digestOf(large))), large);
  const before = lstatSync(join(folder, hexOf(digestOf(large)))).ino;
  await unpack(archiveOf([small, large]), { has: (digest) => digest === digestOf(small) });
  expect(existsSync(join(folder, hexOf(digestOf(small))))).toBe(false);
  expect(lstatSync(join(folder, hexOf(digestOf(large)))).ino).toBe(before);
  expect(readdirSync(folder)).toHaveLength(1);
});

test('what is cut leaves no half blob', async () => {
  const bytes = archiveOf([large, small]);
  expect(await codeOf(unpack(bytes.subarray(0, 2 * 1024 * 1024)))).toBe('bad-tar');
  expect(readdirSync(folder)).toEqual([]);
});

test('names that are no blobs are passed over, also those that would lead out of the folder', async () => {
  const evil = tar([
    { path: 'blobs/sha256/../../evil', content: 'x' },
    { path: `blobs/sha256/${'A'.repeat(64)}`, content: 'x' },
    { path: `blobs/sha512/${'a'.repeat(128)}`, content: 'x' },
    { path: blobPath(small), flag: '2', link: '/etc/passwd' },
    { path: 'index.json', content: index(digestOf(small)) },
  ]);
  expect(await unpack(evil)).toBe(digestOf(small));
  expect(readdirSync(folder)).toEqual([]);
});

test.each([
  ['none', tar([{ path: 'oci-layout', content: '{}' }])],
  ['no JSON', tar([{ path: 'index.json', content: '{' }])],
  ['no digest', tar([{ path: 'index.json', content: index('sha256:0') }])],
  ['two images', tar([{ path: 'index.json', content: '{"manifests":[{},{}]}' }])],
  ['far too long', tar([{ path: 'index.json', content: ' '.repeat(70_000) }])],
])('an index.json that names no image: %s', async (_what, bytes) => {
  expect(await codeOf(unpack(bytes))).toBe('bad-archive');
});

test('a folder that can not be written is the machine’s fault', async () => {
  const gone = join(folder, 'gone');
  mkdirSync(gone);
  rmSync(gone, { recursive: true });
  for (const content of [small, large]) {
    const reader = new ArchiveReader({ blobs: gone, has: () => false });
    expect(await codeOf(reader.push(archiveOf([content])))).toBe('file-error');
    await reader.close();
  }
});
