/** The file two layers differ in. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { TarFile } from '../../../../test/rig/images.ts';
import { outputIn } from '../../../../test/rig/outputs.ts';
import { diffLayers, explainOutputs } from './diff.ts';
import { memoryLedger } from './ledger.ts';
import { openPool, type Pool } from './pool.ts';

let folder: string;
let pool: Pool;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stx-pool-'));
  pool = openPool({ pool: join(folder, 'pool') }, memoryLedger());
  return () => rmSync(folder, { recursive: true });
});

const output = (...layers: Parameters<typeof outputIn>[1][]) => outputIn(pool, ...layers);

describe('the last rung', () => {
  const base: TarFile[] = [
    { path: 'a', content: 'a' },
    { path: 'b', content: 'b' },
    { path: 'l', flag: '2', link: 'a' },
  ];
  it.each<[string, TarFile[], { path: string; kind: string } | undefined]>([
    ['nothing', base, undefined],
    ['content', [{ path: 'a', content: 'A' }, ...base.slice(1)], { path: 'a', kind: 'content' }],
    ['mode', [{ path: 'a', content: 'a', mode: 0o755 }, ...base.slice(1)], { path: 'a', kind: 'mode' }],
    ['owner', [{ path: 'a', content: 'a', uid: 5 }, ...base.slice(1)], { path: 'a', kind: 'owner' }],
    ['mtime', [{ path: 'a', content: 'a', mtime: 0 }, ...base.slice(1)], { path: 'a', kind: 'mtime' }],
    ['a link', [...base.slice(0, 2), { path: 'l', flag: '2', link: 'b' }], { path: 'l', kind: 'link' }],
    ['the type', [...base.slice(0, 2), { path: 'l', content: 'a' }], { path: 'l', kind: 'type' }],
    ['a file less', base.slice(1), { path: 'a', kind: 'only-before' }],
    ['a file more', [...base, { path: 'z' }], { path: 'z', kind: 'only-after' }],
    ['order', [...base].reverse(), { path: 'a', kind: 'order' }],
    [
      'attributes',
      [{ path: 'a', content: 'a', pax: { 'SCHILY.xattr.user.x': 'y' } }, ...base.slice(1)],
      { path: 'a', kind: 'xattrs' },
    ],
  ])('names the file: %s', async (_, files, expected) => {
    const before = await output(base);
    const after = await output(files);
    const [a, b] = [before.images[0]?.layers[0], after.images[0]?.layers[0]];
    if (a === undefined || b === undefined) throw new Error('no layers');
    const [found] = await diffLayers(pool, a, b);
    if (expected === undefined) expect(found).toBeUndefined();
    else expect(found).toMatchObject(expected);
  });

  it('ends above the files where a layer is gone', async () => {
    const before = await output(base);
    const after = await output(base.slice(1));
    rmSync(pool.path(before.images[0]?.layers[0]?.digest ?? before.index.digest));
    const found = await explainOutputs(pool, before, after);
    expect(found).toMatchObject({ difference: { cause: 'diff-id' }, file: null });
  });
});
