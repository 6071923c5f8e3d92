/** Layouts in out/, whatever happened to them. */
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hexOf } from '@stx-make/core/oci/index';
import { beforeEach, describe, expect, it } from 'vitest';
import { damage, outputIn } from '../../../../test/rig/outputs.ts';
import { memoryLedger } from './ledger.ts';
import { blobsOf, isOutputKnownGood } from './output.ts';
import { openPool, type Pool } from './pool.ts';
import { isPublished, publishOutput, removeStaleOutputs } from './publish.ts';
import { VerificationError } from './verify.ts';

let folder: string;
let out: string;
let pool: Pool;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stx-pool-'));
  out = join(folder, 'out');
  mkdirSync(out);
  pool = openPool({ pool: join(folder, 'pool') }, memoryLedger());
  return () => rmSync(folder, { recursive: true });
});

const output = (...layers: Parameters<typeof outputIn>[1][]) => outputIn(pool, ...layers);
const NAME = { name: 'core-x', tag: 'stagex/core-x:1.0' };
const SHARED = [{ path: 'shared', content: 's' }];

describe('published outputs', () => {
  it('are hard links, whole, and stay as they are when published again', async () => {
    const one = await output(SHARED);
    publishOutput(pool, one, out, NAME);
    expect(isPublished(pool, one, out, NAME)).toBe(true);
    const blob = join(out, 'core-x/blobs/sha256', hexOf(one.index.digest));
    expect(lstatSync(blob).ino).toBe(lstatSync(pool.path(one.index.digest)).ino);
    const before = lstatSync(join(out, 'core-x/index.json')).ctimeMs;
    publishOutput(pool, one, out, NAME);
    expect(lstatSync(join(out, 'core-x/index.json')).ctimeMs).toBe(before);
    expect(isOutputKnownGood(pool, one)).toBe(true);
  });

  it.each<[string, (target: string) => void]>([
    ['an empty index.json', (target) => writeFileSync(join(target, 'index.json'), '')],
    ['a cut index.json', (target) => writeFileSync(join(target, 'index.json'), '{"schemaVersion":2')],
    ['no index.json', (target) => rmSync(join(target, 'index.json'))],
    [
      'an index.json that is a folder',
      (target) => {
        rmSync(join(target, 'index.json'));
        mkdirSync(join(target, 'index.json'));
      },
    ],
    ['no oci-layout', (target) => rmSync(join(target, 'oci-layout'))],
    ['a missing blob', (target) => rmSync(blobIn(target))],
    ['a blob replaced by a link', (target) => replace(target, (blob) => symlinkSync('/nowhere', blob))],
    ['a blob replaced by other bytes', (target) => replace(target, (blob) => writeFileSync(blob, 'x'))],
    [
      'a blob replaced by a folder',
      (target) => replace(target, (blob) => mkdirSync(join(blob, 'deep'), { recursive: true })),
    ],
    ['no blobs', (target) => rmSync(join(target, 'blobs'), { recursive: true })],
    [
      'blobs elsewhere',
      (target) => {
        renameSync(join(target, 'blobs'), join(folder, 'elsewhere'));
        symlinkSync(join(folder, 'elsewhere'), join(target, 'blobs'));
        rmSync(blobIn(target));
      },
    ],
    [
      'nothing but the folder',
      (target) => {
        rmSync(target, { recursive: true });
        mkdirSync(target);
      },
    ],
    ['nothing', (target) => rmSync(target, { recursive: true })],
  ])('with %s are not taken for published, and mended', async (_, harm) => {
    const one = await output(SHARED);
    const target = publishOutput(pool, one, out, NAME);
    harm(target);
    expect(isPublished(pool, one, out, NAME)).toBe(false);
    publishOutput(pool, one, out, NAME);
    expect(isPublished(pool, one, out, NAME)).toBe(true);
    expect(lstatSync(join(target, 'blobs')).isDirectory()).toBe(true);
    for (const digest of blobsOf(one)) {
      expect(readFileSync(join(target, 'blobs/sha256', hexOf(digest)))).toEqual(
        readFileSync(pool.path(digest)),
      );
    }
    expect(readdirSync(out)).toEqual(['core-x']);
  });

  function replace(target: string, make: (blob: string) => void): void {
    const blob = blobIn(target);
    rmSync(blob);
    make(blob);
  }

  function blobIn(target: string): string {
    const blobs = join(target, 'blobs/sha256');
    return join(blobs, readdirSync(blobs).sort()[0] ?? '');
  }

  it('change in place and keep nothing of before', async () => {
    const one = await output(SHARED, [{ path: 'old' }]);
    publishOutput(pool, one, out, NAME);
    const two = await output(SHARED, [{ path: 'new' }]);
    expect(isPublished(pool, two, out, NAME)).toBe(false);
    mkdirSync(join(out, 'core-x/ingest/half'), { recursive: true });
    publishOutput(pool, two, out, NAME);
    expect(readdirSync(join(out, 'core-x')).sort()).toEqual(['blobs', 'index.json', 'oci-layout']);
    expect(readdirSync(join(out, 'core-x/blobs/sha256')).sort()).toEqual(blobsOf(two).map(hexOf).sort());
  });

  it('are never made of damaged blobs', async () => {
    const one = await output(SHARED);
    publishOutput(pool, one, out, NAME);
    // Through the link in out/, as an editor would.
    damage(join(out, 'core-x/blobs/sha256', hexOf(one.index.digest)));
    expect(isPublished(pool, one, out, NAME)).toBe(false);
    expect(() => publishOutput(pool, one, out, NAME)).toThrow(VerificationError);
  });

  it('do not mind a blob that only has another time', async () => {
    const one = await output(SHARED);
    utimesSync(pool.path(one.index.digest), 5, 5);
    publishOutput(pool, one, out, NAME);
    expect(isPublished(pool, one, out, NAME)).toBe(true);
  });

  it('do not replace what is not theirs', async () => {
    writeFileSync(join(out, 'core-x'), 'mine');
    const one = await output(SHARED);
    expect(() => publishOutput(pool, one, out, NAME)).toThrow('no folder');
    expect(readFileSync(join(out, 'core-x'), 'utf8')).toBe('mine');
  });

  it('of dead runs are cleared away', async () => {
    mkdirSync(join(out, '.tmp-1-1-core-x/blobs'), { recursive: true });
    mkdirSync(join(out, 'core-y'));
    expect(removeStaleOutputs(out)).toEqual(['.tmp-1-1-core-x']);
    expect(readdirSync(out)).toEqual(['core-y']);
    expect(removeStaleOutputs(join(folder, 'none'))).toEqual([]);
  });
});
