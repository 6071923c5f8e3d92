/** What is thrown away and what is checked. */
import { mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Digest } from '@stx-make/core/oci/index';
import { beforeEach, describe, expect, it } from 'vitest';
import { damage, outputIn } from '../../../../test/rig/outputs.ts';
import { collectGarbage, verifyPool } from './gc.ts';
import { memoryLedger } from './ledger.ts';
import { blobsOf, outputSize } from './output.ts';
import { openPool, type Pool } from './pool.ts';
import { publishOutput } from './publish.ts';

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

describe('garbage', () => {
  it('is what nobody keeps; a dry run only says so', async () => {
    const one = await output(SHARED, [{ path: 'one' }]);
    const two = await output(SHARED, [{ path: 'two' }]);
    publishOutput(pool, one, out, NAME);
    const keep = new Set(blobsOf(two));
    const plan = collectGarbage(pool, keep, { dryRun: true });
    expect(pool.list().blobs).toHaveLength(9);
    expect(collectGarbage(pool, keep, { dryRun: false })).toEqual(plan);
    expect(new Set(pool.list().blobs)).toEqual(keep);
    // Still linked from out/: removing them frees nothing yet.
    expect(plan.freed).toBe(0);
    expect(plan.kept).toBe(outputSize(two));
    expect(plan.removed.map(({ digest }) => digest).sort()).toEqual(
      blobsOf(one)
        .filter((digest) => !keep.has(digest))
        .sort(),
    );
  });

  it('goes by age and by size, oldest first', async () => {
    const one = await output([{ path: 'one' }]);
    const all = blobsOf(one);
    for (const [place, digest] of all.entries()) utimesSync(pool.path(digest), 1000 + place, 1000 + place);
    const none = new Set<Digest>();
    const now = 1_003_500;
    const aged = collectGarbage(pool, none, { dryRun: true, now, maxAge: 2000 });
    expect(aged.removed.map(({ digest }) => digest)).toEqual(all.slice(0, 2));
    const total = outputSize(one);
    const sized = collectGarbage(pool, none, { dryRun: true, maxSize: total - 1 });
    expect(sized.removed.map(({ digest }) => digest)).toEqual(all.slice(0, 1));
    expect(collectGarbage(pool, none, { dryRun: true, maxSize: total }).removed).toEqual([]);
  });

  it('a check of the pool reads what is known to be good, too', async () => {
    const one = await output(SHARED);
    const path = pool.path(one.index.digest);
    const { atimeMs, mtimeMs } = statSync(path);
    damage(path);
    utimesSync(path, atimeMs / 1000, mtimeMs / 1000);
    writeFileSync(join(pool.blobs, 'sha256', 'note'), '');
    const report = await verifyPool(pool);
    expect(report).toMatchObject({ checked: 4, bad: [{ digest: one.index.digest }], foreign: ['note'] });
  });
});
