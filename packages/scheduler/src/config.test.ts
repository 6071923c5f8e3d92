/** Where a setting comes from: option, environment, stx-make.toml, default. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NO_CONFIG } from '@stx-make/core/config/model';
import { plainWorker } from '@stx-make/core/config/worker';
import { expect, test } from 'vitest';
import { writeRecipes } from '../../../test/rig/tree.ts';
import { parseAddress } from './buildkit/address.ts';
import { platformOf, readTreeConfig, settingsOf, workersOf } from './config.ts';
import { openSession } from './session.ts';

function tree(config?: string): string {
  const root = mkdtempSync(join(tmpdir(), 'stx-config-'));
  writeRecipes(root, { 'core/a': 'FROM docker.io/library/debian:12\n' });
  if (config !== undefined) writeFileSync(join(root, 'stx-make.toml'), config);
  return root;
}

test('platform: option, PLATFORM, file, default; empty counts as unset', () => {
  const config = { ...NO_CONFIG, platform: 'linux/riscv64' };
  const env = { PLATFORM: 'linux/arm64' };
  expect(platformOf({ platform: 'linux/386', env }, config)).toBe('linux/386');
  expect(platformOf({ env }, config)).toBe('linux/arm64');
  expect(platformOf({ platform: '', env: { PLATFORM: '' } }, config)).toBe('linux/riscv64');
  expect(platformOf({ env: {} }, NO_CONFIG)).toBe('linux/amd64');
  expect(() => platformOf({ env: { PLATFORM: 'linux/amd64,linux/arm64' } }, config)).toThrow(
    'one platform at a time',
  );
});

test('workers: option, BUILDKIT_HOST, file, the managed one', async () => {
  const place = { line: 1, column: 1 };
  const config = { ...NO_CONFIG, workers: [{ spec: plainWorker('tcp://c:1'), place }], jobs: 3 };
  const env = { BUILDKIT_HOST: 'tcp://b:1' };
  expect(await workersOf({ worker: ['tcp://a:1'], jobs: 7 }, env, config, '/')).toEqual({
    addresses: ['tcp://a:1'],
    jobs: 7,
  });
  expect(await workersOf({ worker: [], jobs: undefined }, env, config, '/')).toEqual({
    addresses: ['tcp://b:1'],
    jobs: 3,
  });
  const none = await workersOf({ worker: [], jobs: undefined }, { BUILDKIT_HOST: '' }, config, '/');
  expect(none.addresses).toEqual(['tcp://c:1']);
  expect(await workersOf({ worker: [], jobs: undefined }, {}, NO_CONFIG, '/')).toEqual({
    addresses: [],
    jobs: undefined,
  });
});

test('a session takes platform and allowed images from the file', async () => {
  const root = tree('platform = "linux/arm64"\nallowed_images = ["debian:12"]\n');
  const session = await openSession({ cwd: root, env: {}, state: join(root, '.state') });
  expect(session.platform).toBe('linux/arm64');
  expect(session.tree.graph.targets.get('core-a')?.platforms).toEqual(['linux/arm64']);
  session.close();
  await expect(openSession({ cwd: tree(), env: {}, state: join(root, '.state') })).rejects.toThrow(
    'comes from outside the tree',
  );
});

test('a worker that is no address has its place; no file, no tree: no settings', async () => {
  const root = tree('workers = [\n  "tcp://a:1",\n  "b:1",\n]\n');
  await expect(readTreeConfig(root, {})).rejects.toMatchObject({
    problems: [{ code: 'bad-worker-address', file: 'stx-make.toml', line: 3, column: 3 }],
  });
  expect(await readTreeConfig(tree(), {})).toEqual(NO_CONFIG);
  expect(await settingsOf({ cwd: '/', env: {} })).toEqual(NO_CONFIG);
  const empty = mkdtempSync(join(tmpdir(), 'stx-config-'));
  await expect(settingsOf({ cwd: empty, root: empty, env: {} })).rejects.toThrow('no recipes');
});

test('workers of options and of a file: settings by address, TLS files by path, names once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'stx-config-'));
  const file = join(folder, 'workers.toml');
  writeFileSync(
    file,
    '[[workers]]\naddress = "tcp://b:1"\nname = "far"\ncacert = "ca.pem"\nservername = "b"\n',
  );
  const words = { worker: ['unix:///a,jobs=2,memory=1G'], workers: 'workers.toml', jobs: undefined };
  const far = `tcp://b:1?cacert=${encodeURIComponent(join(folder, 'ca.pem'))}&servername=b`;
  const found = await workersOf(words, { BUILDKIT_HOST: 'tcp://c:1' }, NO_CONFIG, folder);
  expect(found.addresses).toEqual(['unix:///a', far]);
  expect(found.settings?.get('unix:///a')).toMatchObject({ jobs: 2, memory: 1024 ** 3, name: null });
  expect(found.settings?.get(far)).toMatchObject({ name: 'far' });
  expect(parseAddress(far, {}).flags).toEqual([
    ...['--addr', 'tcp://b:1', '--tlscacert', join(folder, 'ca.pem'), '--tlsservername', 'b'],
  ]);

  const refused = (worker: string[], workers?: string) =>
    expect(workersOf({ worker, workers, jobs: undefined }, {}, NO_CONFIG, folder)).rejects;
  await refused(['tcp://a:1,name=x', 'tcp://b:1,name=x']).toThrow('called x');
  await refused(['tcp://a:1,jobs=0', 'tcp://b:1,nam=x']).toMatchObject({ problems: [{}, {}] });
  await refused([], 'missing.toml').toMatchObject({ problems: [{ code: 'unreadable-file', tag: 'input' }] });
  writeFileSync(file, '[[workers]]\naddress = "b:1"\n');
  await refused([], 'workers.toml').toMatchObject({
    problems: [{ code: 'bad-worker-address', file: 'workers.toml', line: 1 }],
  });
});
