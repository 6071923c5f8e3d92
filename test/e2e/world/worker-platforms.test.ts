/**
 * Platforms: what no worker can run is said before anything starts, or left aside with --keep-going; what runs nothing is built
 * anywhere; a plan says it beforehand.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { documentOf, type RunDocument, stx } from '../../rig/cli.ts';
import { startDaemon, type TestDaemon } from '../../rig/daemon.ts';
import { writeBusybox, writeRecipes } from '../../rig/tree.ts';

let folder: string;
let root: string;
let daemon: TestDaemon;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stx-platforms-'));
  root = join(folder, 'tree');
  // Its image runs nothing: it can be had for any platform.
  writeBusybox(root);
  writeRecipes(root, {
    'core/data': 'FROM scratch\nCOPY --from=stagex/core-busybox /bin/sh /data\n',
    'core/tool':
      'FROM stagex/core-busybox AS build\nRUN --network=none ["/bin/busybox", "touch", "/tool"]\nFROM scratch\nCOPY --from=build /tool /\n',
    'core/user': 'FROM scratch\nCOPY --from=stagex/core-tool . /\n',
  });
  daemon = await startDaemon();
});
afterAll(async () => {
  await daemon.stop();
  rmSync(folder, { recursive: true, force: true });
});

const run = (state: string, ...args: string[]) =>
  stx([...args, '--json', '--worker', daemon.address, '--out', join(folder, `out-${state}`)], {
    cwd: root,
    state: join(folder, state),
  });

test('nothing is started where something can be built nowhere', async () => {
  const finished = await run('arm', 'world', '--platform', 'linux/arm64');
  const { errors } = documentOf<RunDocument>(finished);
  expect(errors).toMatchObject([{ code: 'no-worker-for-platform', tag: 'environment' }]);
  expect(errors?.[0]?.text).toMatch(
    /^core-tool runs steps for linux\/arm64, which no worker can: .*linux\/amd64/,
  );
  expect(finished.code).toBe(3);

  // The workers that were seen are known now, and nobody has to be asked.
  const plan = documentOf<{ homeless: unknown; counts: Record<string, number> }>(
    await run('arm', 'plan', '--platform', 'linux/arm64'),
  );
  expect(plan.homeless).toEqual([{ target: 'core-tool', platforms: ['linux/arm64'] }]);
  expect(plan.counts).toMatchObject({ hit: 0, build: 1 });
  const text = await stx(['plan', '--platform', 'linux/arm64', '--worker', daemon.address], {
    cwd: root,
    state: join(folder, 'arm'),
  });
  expect(text.stderr).toMatch(/core-tool runs steps for linux\/arm64/);
  expect(text.code).toBe(0);
});

test('with --keep-going the rest is built, what needs it is skipped', async () => {
  const finished = await run('keep', 'world', '--platform', 'linux/arm64', '--keep-going');
  const { targets } = documentOf<RunDocument>(finished);
  expect(Object.fromEntries(targets.map(({ name, result }) => [name, result]))).toEqual({
    'core-busybox': 'built',
    'core-data': 'built',
    'core-tool': 'failed',
    'core-user': 'skipped',
  });
  expect(finished.code).toBe(3);
});

test('a worker said to build for other platforms only is not used for this one', async () => {
  const args = ['world', '--json', '--worker', `${daemon.address},platforms=linux/386`];
  const finished = await stx(args, { cwd: root, state: join(folder, 'said') });
  expect(documentOf<RunDocument>(finished).errors?.[0]?.text).toMatch(
    /core-tool runs steps for linux\/amd64/,
  );
  expect(finished.code).toBe(3);
});
