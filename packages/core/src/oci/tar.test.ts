/** Reading tar streams: ustar, PAX and GNU forms, cut anywhere, damaged anywhere. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tar } from '../../../../test/rig/images.ts';
import { type TarEntry, TarReader } from './tar.ts';

/** Entries with contents, fed in pieces of `step` bytes. */
function read(bytes: Buffer, step = bytes.length): (TarEntry & { content: string })[] {
  const found: (TarEntry & { content: string })[] = [];
  const reader = new TarReader(
    {
      entry: (entry) => void found.push({ ...entry, content: '' }),
      data: (piece) => {
        const last = found.at(-1);
        if (last !== undefined) last.content += Buffer.from(piece).toString();
      },
    },
    'it',
  );
  for (let at = 0; at < bytes.length; at += step) reader.push(bytes.subarray(at, at + step));
  reader.finish();
  return found;
}

const SMALL = tar([
  { path: 'd/', flag: '5', mode: 0o755 },
  { path: 'd/a', content: 'x'.repeat(513), mtime: 7 },
  { path: 'short', content: 'y', pax: { path: `${'long/'.repeat(40)}ü`, mtime: '1.5', size: '1' } },
  { path: 'l', flag: '2', link: 'd/a' },
]);

it('reads entries whatever the size of the pieces', () => {
  const whole = read(SMALL);
  expect(whole.map(({ path, type, size }) => [path.slice(-6), type, size])).toEqual([
    ['d', 'folder', 0],
    ['d/a', 'file', 513],
    ['long/ü', 'file', 1],
    ['l', 'symlink', 0],
  ]);
  expect(whole.map(({ mtime }) => mtime)).toEqual([1, 7, 1.5, 1]);
  for (const step of [1, 7, 511, 512, 513, 1000]) expect(read(SMALL, step)).toEqual(whole);
});

it('says so when an archive is cut inside an entry, wherever', () => {
  const end = SMALL.length - 1024;
  const boundaries = new Set([512, 512 * 4, end - 512]);
  for (let length = 1; length < end; length += 100) {
    if (!boundaries.has(length))
      expect(() => read(SMALL.subarray(0, length)), `${length}`).toThrow('not a sound tar');
  }
  // A PAX header with nothing behind it.
  expect(() => read(SMALL.subarray(0, 512 * 4 + 1024))).toThrow('in the middle');
});

it('refuses headers that are no headers', () => {
  const damaged = Buffer.from(SMALL);
  damaged[5] = 1;
  expect(() => read(damaged)).toThrow('checksum');
  const late = Buffer.concat([Buffer.alloc(512), SMALL]);
  expect(() => read(late)).toThrow('after a zero block');
});

it('takes an empty archive and one without an end mark, as Go does', () => {
  expect(read(Buffer.alloc(0))).toEqual([]);
  expect(read(Buffer.alloc(1024))).toEqual([]);
  expect(read(SMALL.subarray(0, SMALL.length - 1024))).toHaveLength(4);
});

it.each(['gnu', 'pax', 'ustar'])('reads what the tar program writes as %s', (format) => {
  const folder = mkdtempSync(join(tmpdir(), 'stx-tar-'));
  try {
    const long = format === 'ustar' ? 'n'.repeat(90) : 'n'.repeat(200);
    mkdirSync(join(folder, 'in', 'deep'), { recursive: true });
    writeFileSync(join(folder, 'in', 'deep', long), 'content');
    symlinkSync(long, join(folder, 'in', 'link'));
    utimesSync(join(folder, 'in', 'deep', long), 5_000_000_000, 5_000_000_000);
    const args = [
      '--format',
      format,
      '--sort=name',
      '--owner=0',
      '--group=0',
      '-cf',
      '-',
      '-C',
      folder,
      'in',
    ];
    const found = read(execFileSync('tar', args));
    expect(found.map(({ path }) => path)).toEqual(['in', 'in/deep', `in/deep/${long}`, 'in/link']);
    expect(found[2]).toMatchObject({ content: 'content', mtime: 5_000_000_000, type: 'file', uid: 0 });
    expect(found[3]).toMatchObject({ type: 'symlink', link: long });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('reads numbers in base 256', () => {
  const bytes = tar([{ path: 'a', content: '' }]);
  bytes.fill(0, 136, 148);
  bytes[136] = 0x80;
  bytes.writeUInt32BE(12_345_678, 144);
  bytes.fill(' ', 148, 156);
  const sum = bytes.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  expect(read(bytes)[0]?.mtime).toBe(12_345_678);
});
