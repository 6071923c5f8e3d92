/**
 * Records between machines through a real registry: shared exactly, sent once, mounted, found by skopeo.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { recordTag } from '../../../packages/scheduler/src/remote/index.ts';
import { isOutputKnownGood } from '../../../packages/scheduler/src/store/index.ts';
import { TestRegistry } from '../../rig/registry.ts';
import { RegistryFront } from '../../rig/registry-front.ts';
import { fingerprintOfTarget, Machine, never } from './machine.ts';

let registry: TestRegistry;
let front: RegistryFront;
/** Each test has a path of its own. */
let place: string;
let tests = 0;

beforeAll(async () => {
  registry = await TestRegistry.start();
});
afterAll(() => registry[Symbol.asyncDispose]());
beforeEach(async () => {
  tests += 1;
  front = await RegistryFront.start(registry.host);
  place = `${front.host}/cache/n${tests}`;
  return () => front[Symbol.asyncDispose]();
});

test('what one built another takes, byte for byte, with one request for the record and one a layer', async () => {
  using one = new Machine(place);
  using two = new Machine(place, { write: false });
  const output = await one.built([{ path: 'a', content: 'a' }], [{ path: 'b', content: 'b' }]);
  expect(await one.give('core-x', output)).toEqual(new Map());
  front.passed.length = 0;
  const found = await two.find('core-x');
  expect(found).toMatchObject({ output, duration: 1500, created: 1_700_000_000_000 });
  expect(front.lines()).toEqual([
    `GET /v2/cache/n${tests}/core-x/manifests/${recordTag(fingerprintOfTarget('core-x').digest)}`,
  ]);
  expect(isOutputKnownGood(two.pool, output)).toBe(false);
  expect(await two.take('core-x')).toEqual(output);
  expect(isOutputKnownGood(two.pool, output)).toBe(true);
  expect(front.lines().filter((line) => line.includes('/blobs/'))).toHaveLength(2);
  expect([...one.warnings, ...two.warnings]).toEqual([]);
});

test('what nobody built is absent, quietly; another fingerprint of the same target too', async () => {
  using one = new Machine(place);
  expect(await one.find('core-x')).toBeNull();
  await one.give('core-x', await one.built([{ path: 'a' }]));
  expect(await one.find('core-x', fingerprintOfTarget('core-x', [['version', '2']]))).toBeNull();
  expect(one.warnings).toEqual([]);
});

test('what is known to be there is not asked for again; what another gave is seen, and nothing is sent', async () => {
  using one = new Machine(place);
  using two = new Machine(place);
  const files = [{ path: 'a', content: 'a' }];
  await one.give('core-x', await one.built(files));
  front.passed.length = 0;
  await one.give('core-x', await one.built(files));
  expect(front.lines()).toEqual([]);
  await two.give('core-x', await two.built(files));
  expect(front.passed.map(({ method, sent }) => [method, sent])).toEqual([['GET', 0]]);
  expect([...one.warnings, ...two.warnings]).toEqual([]);
});

test("a base's layers are mounted from its repository, in this run and in a later one", async () => {
  using one = new Machine(place);
  const base = [{ path: 'base', content: 'x'.repeat(100) }];
  const baseOutput = await one.built(base);
  await one.give('core-base', baseOutput);
  front.passed.length = 0;
  await one.give('core-x', await one.built(base, [{ path: 'x' }]));
  const layer = baseOutput.images[0]?.layers[0];
  expect(sentBlobs()).toBe(2);
  expect(front.lines().filter((line) => line.includes('mount='))).toEqual([
    `POST /v2/cache/n${tests}/core-x/blobs/uploads/?mount=${encodeURIComponent(layer?.digest ?? '')}&from=${encodeURIComponent(`cache/n${tests}/core-base`)}`,
  ]);
  using two = new Machine(place);
  front.passed.length = 0;
  const fingerprint = fingerprintOfTarget('core-y', [['dependency core-base', 'image sha256:0']]);
  await two.give('core-y', await two.built(base, [{ path: 'y' }]), fingerprint);
  // The config and its own layer.
  expect(sentBlobs()).toBe(2);
  using three = new Machine(place);
  expect(await three.take('core-y', fingerprint)).not.toBeNull();
});

test('many at once that share a layer send it once', async () => {
  using one = new Machine(place);
  const shared = [{ path: 'shared', content: 'y'.repeat(1000) }];
  const names = ['core-a', 'core-b', 'core-c', 'core-d', 'core-e', 'core-f'];
  const outputs = await Promise.all(names.map((name) => one.built(shared, [{ path: name }])));
  const given = names.map((name, index) => {
    const output = outputs[index];
    if (output === undefined) throw new Error(name);
    return one.give(name, output);
  });
  expect((await Promise.all(given)).map(({ size }) => size)).toEqual([0, 0, 0, 0, 0, 0]);
  const layer = outputs[0]?.images[0]?.layers[0];
  const sent = front.passed.filter(
    ({ method, path }) => method === 'PUT' && path.includes(encodeURIComponent(layer?.digest ?? '')),
  );
  expect(sent).toHaveLength(1);
  using two = new Machine(place);
  expect(await Promise.all(names.map((name) => two.take(name)))).toEqual(outputs);
});

test('skopeo copies an output by digest, and sees the same digest', async () => {
  using one = new Machine(place);
  const output = await one.built([{ path: 'a' }]);
  await one.give('core-x', output);
  const folder = mkdtempSync(join(tmpdir(), 'stx-skopeo-'));
  // Not through the front: it runs in this very process, which waits.
  const image = `docker://${registry.host}/cache/n${tests}/core-x@${output.index.digest}`;
  const flags = ['--all', '--preserve-digests', '--src-tls-verify=false'];
  execFileSync('skopeo', ['copy', ...flags, image, `oci:${folder}:x`], { stdio: 'pipe' });
  const manifest = execFileSync('skopeo', ['inspect', '--raw', `oci:${folder}:x`], { encoding: 'utf8' });
  expect(manifest).toContain(output.images[0]?.manifest.digest);
  rmSync(folder, { recursive: true });
});

test('the first of two outputs of one fingerprint stays, and it is said', async () => {
  using one = new Machine(place);
  using two = new Machine(place);
  const first = await one.built([{ path: 'a', content: '1' }]);
  await one.give('core-x', first);
  expect(await two.give('core-x', await two.built([{ path: 'a', content: '2' }]))).toEqual(new Map());
  expect(two.codes()).toEqual(['remote-differs']);
  using three = new Machine(place);
  expect(await three.take('core-x')).toEqual(first);
});

test('read only: nothing is asked and nothing is written', async () => {
  using one = new Machine(place, { write: false });
  expect(await one.give('core-x', await one.built([{ path: 'a' }]))).toEqual(new Map());
  expect(front.lines()).toEqual([]);
});

test('notes are moved, and are texts or an error', async () => {
  using one = new Machine(place);
  using two = new Machine(place);
  expect(await two.remote.notes.get('shard-1', never)).toBeNull();
  await one.remote.notes.put('shard-1', '{"a":1}', never);
  expect(await two.remote.notes.get('shard-1', never)).toBe('{"a":1}');
  await one.remote.notes.put('shard-1', 'später', never);
  expect(await two.remote.notes.get('shard-1', never)).toBe('später');
});

function sentBlobs(): number {
  return front.passed.filter(
    ({ method, path, sent }) => method === 'PUT' && path.includes('/blobs/') && sent > 0,
  ).length;
}
