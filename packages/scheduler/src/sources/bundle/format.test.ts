/** The bundle of sources: its tar and manifest, deterministic and verified. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import {
  claimedHash,
  manifestText,
  readManifest,
  sumsText,
  tarEnd,
  tarHeader,
  tarPadding,
} from './format.ts';

const hex = 'ab'.repeat(32);

describe('tar', () => {
  it('is what tar reads', () => {
    const content = Buffer.from('hello');
    const entry = Buffer.concat([tarHeader(`sha256/${hex}`, 5), content, tarPadding(5)]);
    const archive = Buffer.concat([entry, tarEnd(entry.length)]);
    expect(archive.length % 10_240).toBe(0);
    const listed = execFileSync('tar', ['-tvf', '-', '--utc', '--full-time', '--numeric-owner'], {
      input: archive,
      encoding: 'utf8',
    });
    expect(listed).toBe(`-r--r--r-- 0/0               5 1970-01-01 00:00:01 sha256/${hex}\n`);
  });

  it('holds files of more than 8 GiB', () => {
    const header = tarHeader('big', 2 ** 35 + 7);
    const listed = execFileSync('sh', ['-c', 'tar -tvf - 2>/dev/null || true'], {
      input: header,
      encoding: 'utf8',
    });
    expect(listed).toContain(` ${2 ** 35 + 7} `);
  });
});

it('the sums are those of sha256sum', () => {
  expect(sumsText([{ sha256: hex, size: 1, places: [] }])).toBe(`${hex}  sha256/${hex}\n`);
});

it('only whole names claim a hash', () => {
  expect(claimedHash(`sha256/${hex}`)).toBe(hex);
  expect(claimedHash(`./some/sha256/${hex}`)).toBe(hex);
  expect(claimedHash(`xsha256/${hex}`)).toBe(null);
  expect(claimedHash(`sha256/${hex}.part`)).toBe(null);
});

describe('the manifest', () => {
  it('comes back', () => {
    expect(readManifest(manifestText([{ sha256: hex, size: 1, places: ['core/x/f'] }]), 'b')).toEqual([hex]);
  });

  it.each([
    '',
    '[]',
    '{}',
    '{"schema":2,"sources":[]}',
    '{"schema":1}',
    '{"schema":1,"sources":[{"sha256":"../x"}]}',
  ])('that makes no sense is told: %j', (text) => {
    expect(() => readManifest(text, 'b')).toThrow(/stx-make-sources.json/);
  });
});
