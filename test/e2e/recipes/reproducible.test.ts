/**
 * Our own distribution once more, as differently as can be: another state folder, the native snapshotter, one build
 * at a time. programs.test.ts builds it on overlayfs, eight at a time; both must give the committed digests.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { documentOf, REPOSITORY, type RunDocument, stx } from '../../rig/cli.ts';
import { startDaemon } from '../../rig/daemon.ts';
import { committedDigests, digestsOf } from './committed.ts';

test('native snapshotter, one at a time: the committed digests', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'stx-recipes-'));
  const daemon = await startDaemon({ snapshotter: 'native' });
  try {
    const out = join(folder, 'out');
    const args = ['world', '--json', '-j', '1', '--worker', daemon.address, '--out', out];
    const run = documentOf<RunDocument>(await stx(args, { cwd: REPOSITORY, state: join(folder, 'state') }));
    expect(run.counts).toMatchObject({ hit: 0, failed: 0, skipped: 0 });
    expect(digestsOf(run)).toEqual(committedDigests());
  } finally {
    await daemon.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
