/** The pool under damage. */
import { mkdtempSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { damage, outputIn } from '../../../../test/rig/outputs.ts';
import { memoryLedger } from './ledger.ts';
import { isOutputKnownGood, missingBlobs } from './output.ts';
import { openPool, type Pool } from './pool.ts';

let folder: string;
let pool: Pool;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stx-pool-'));
  pool = openPool({ pool: join(folder, 'pool') }, memoryLedger());
  return () => rmSync(folder, { recursive: true });
});

const output = (...layers: Parameters<typeof outputIn>[1][]) => outputIn(pool, ...layers);
const SHARED = [{ path: 'shared', content: 's' }];

describe('the pool', () => {
  it('does not read blobs again whose stat is the noted one', async () => {
    const { index } = await output(SHARED);
    const path = pool.path(index.digest);
    const { mtimeMs, atimeMs } = statSync(path);
    expect(pool.isKnownGood(index.digest)).toBe(true);
    utimesSync(path, atimeMs / 1000, mtimeMs / 1000 + 1);
    expect(pool.isKnownGood(index.digest)).toBe(false);
    expect(await pool.check(index.digest)).toBeNull();
    expect(pool.isKnownGood(index.digest)).toBe(true);
  });

  it('takes out what is not good before an export, and leaves what is not its own', async () => {
    const { index, images } = await output(SHARED);
    const config = images[0]?.config.digest ?? index.digest;
    damage(pool.path(index.digest));
    const blobs = join(pool.blobs, 'sha256');
    writeFileSync(join(blobs, 'README'), 'mine');
    writeFileSync(join(blobs, '.tmp-1-1-litter'), '');
    pool.removeStale();
    expect((await pool.prepareForExport()).map(({ digest }) => digest)).toEqual([index.digest]);
    const listing = pool.list();
    expect(listing.blobs).toContain(config);
    expect(listing.blobs).not.toContain(index.digest);
    expect(listing).toMatchObject({ foreign: ['README'], temporary: [] });
  });

  it('mends its own small files and refuses a newer layout', () => {
    const layout = join(pool.root, 'oci-layout');
    writeFileSync(layout, '{"imageLay');
    writeFileSync(join(pool.root, 'index.json'), '');
    openPool({ pool: pool.root }, memoryLedger());
    expect(statSync(layout).size).toBe(30);
    writeFileSync(layout, '{"imageLayoutVersion":"2.0.0"}');
    expect(() => openPool({ pool: pool.root }, memoryLedger())).toThrow('newer stx-make');
  });

  it('says what stands in its way', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(() => openPool({ pool: join(folder, 'file') }, memoryLedger())).toThrow('open the pool of blobs');
  });

  it('gives export folders whose blobs are its own', () => {
    const made = pool.makeExportDir(join(folder, 'work'), 'core-x');
    writeFileSync(join(made, 'blobs/sha256/foreign'), '');
    expect(pool.list().foreign).toEqual(['foreign']);
  });

  it('syncs what several found good together, and keeps what is known of nothing else', async () => {
    const { index, images } = await output(SHARED);
    const [layer] = images[0]?.layers ?? [];
    if (layer === undefined) throw new Error('no layer');
    const kept: string[] = [];
    const ledger = { ...memoryLedger(), keep: (digest: string) => void kept.push(digest) };
    const other = openPool({ pool: pool.root }, ledger);
    await other.check(index.digest);
    const first = other.syncTogether();
    await other.check(layer.digest);
    const second = other.syncTogether();
    await first;
    expect(kept).toContain(index.digest);
    await second;
    expect(kept.toSorted()).toEqual([index.digest, layer.digest].toSorted());
    await other.syncTogether();
    expect(kept).toHaveLength(2);

    // Gone, and another file in its place, while it was under way.
    const config = images[0]?.config.digest ?? index.digest;
    await other.check(config);
    const late = other.syncTogether();
    const { mtimeMs, atimeMs } = statSync(other.path(config));
    utimesSync(other.path(config), atimeMs / 1000, mtimeMs / 1000 + 1);
    await other.check(config);
    rmSync(other.path(index.digest));
    await late;
    expect(kept).not.toContain(config);
    await other.syncTogether();
    expect(kept).toContain(config);
  });

  it('tells a sync that failed to whoever asked, and tries again', async () => {
    const { index } = await output(SHARED);
    const other = openPool({ pool: pool.root }, memoryLedger());
    await other.check(index.digest);
    const folder = join(other.blobs, 'sha256');
    renameSync(folder, `${folder}.away`);
    await expect(other.syncTogether()).rejects.toThrow('sync the pool of blobs');
    renameSync(`${folder}.away`, folder);
    await other.syncTogether();
  });

  it('names missing and damaged blobs of an output', async () => {
    const whole = await output(SHARED, [{ path: 'b' }]);
    expect(isOutputKnownGood(pool, whole)).toBe(true);
    expect(await missingBlobs(pool, whole)).toEqual([]);
    rmSync(pool.path(whole.index.digest));
    damage(pool.path(whole.images[0]?.layers[1]?.digest ?? whole.index.digest));
    expect(isOutputKnownGood(pool, whole)).toBe(false);
    const bad = (await missingBlobs(pool, whole)).map(({ digest }) => digest).sort();
    expect(bad).toEqual([whole.index.digest, whole.images[0]?.layers[1]?.digest].sort());
  });
});
