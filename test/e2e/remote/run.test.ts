/**
 * Runs with a remote, by real BuildKit and a real registry: state folders that share it build what nobody built, whatever
 * the registry does; and workers that take from it and push to it themselves give the same digests.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Authority } from '../../rig/certificates.ts';
import { documentOf, type RunDocument, start, stx } from '../../rig/cli.ts';
import { startDaemon, type TestDaemon } from '../../rig/daemon.ts';
import { TestRegistry } from '../../rig/registry.ts';
import { RegistryFront } from '../../rig/registry-front.ts';
import { writeRecipes } from '../../rig/tree.ts';

/** Incompressible, so that a layer that passes somewhere can not be missed. */
const BIG = Array.from({ length: 40_000 }, (_, index) => Math.sin(index).toString(36)).join('\n');

let folder: string;
let daemon: TestDaemon;
let registry: TestRegistry;
let front: RegistryFront;
let root: string;
let tests = 0;
let place: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stx-remote-run-'));
  [daemon, registry] = await Promise.all([startDaemon(), TestRegistry.start()]);
});
afterAll(async () => {
  await daemon.stop();
  await registry[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  tests += 1;
  root = join(folder, `tree${tests}`);
  front = await RegistryFront.start(registry.host);
  place = `${front.host}/cache/n${tests}`;
  writeRecipes(root, {
    'core/a': { Containerfile: 'FROM scratch AS package\nCOPY a big /\n', a: `a${tests}\n`, big: BIG },
    'core/b': { Containerfile: 'FROM stagex/core-a AS package\nCOPY b /b\n', b: 'b1\n' },
    'user/c': 'FROM scratch AS package\nCOPY --from=stagex/core-b /b /c\nCOPY --from=stagex/user-d /d /d\n',
    'user/d': {
      'package.toml': '[package]\nname = "d"\nlicense = "0BSD"\nplatforms = ["linux/386"]\n',
      Containerfile: 'FROM scratch AS package\nCOPY d /d\n',
      d: 'd',
    },
  });
});
afterEach(() => front[Symbol.asyncDispose]());

interface Document extends RunDocument {
  readonly targets: readonly (RunDocument['targets'][number] & { origin: string; from?: string })[];
}
const options = (state: string) => ({
  cwd: root,
  state: join(folder, `${state}${tests}`),
  env: { BUILDKIT_HOST: daemon.address },
});

async function world(state: string, ...args: string[]) {
  const finished = await stx(['world', '--json', ...args], options(state));
  const document = documentOf<Document>(finished);
  return { ...document, code: finished.code, stderr: finished.stderr };
}
const write = (): string[] => ['--remote', place, '--remote-write'];
const resultsOf = ({ targets }: Document): string[] => targets.map(({ name, result }) => `${name} ${result}`);
const digestsOf = ({ targets }: Document) => targets.map(({ name, digest }) => [name, digest]);
const all = (result: string): string[] =>
  ['core-a', 'core-b', 'user-c', 'user-d'].map((name) => `${name} ${result}`);

test('what one state folder built another takes, and says from where; then nobody is asked', async () => {
  const one = await world('one', ...write());
  expect([one.code, resultsOf(one), one.stderr]).toMatchObject([
    0,
    all('built'),
    expect.not.stringMatching(/warning/i),
  ]);
  front.passed.length = 0;
  const two = await world('two', '--remote', place);
  expect([two.code, resultsOf(two)]).toEqual([0, all('hit')]);
  expect(digestsOf(two)).toEqual(digestsOf(one));
  expect(two.targets.map(({ origin, from }) => [origin, from])).toEqual(
    Array(4).fill(['substituted', place]),
  );
  expect(front.passed.every(({ method }) => method === 'GET')).toBe(true);
  expect(existsSync(join(root, 'out/user-c/index.json'))).toBe(true);
  front.passed.length = 0;
  expect(resultsOf(await world('two', '--remote', place))).toEqual(all('hit'));
  expect(resultsOf(await world('one', ...write()))).toEqual(all('hit'));
  expect(front.lines()).toEqual([]);
  writeFileSync(join(root, 'packages/core/b/b'), 'b2\n');
  expect(resultsOf(await world('two', '--remote', place))).toEqual([
    'core-a hit',
    'core-b built',
    'user-c built',
    'user-d hit',
  ]);
});

test('what was built without it is given later; plain lines say where a hit is from', async () => {
  await world('one');
  expect(front.lines()).toEqual([]);
  expect(resultsOf(await world('one', ...write()))).toEqual(all('hit'));
  expect(registry.tags(`cache/n${tests}/user-c`)).toHaveLength(1);
  const two = await stx(['world', '--ui', 'plain', '--remote', place], options('two'));
  expect(two.stdout + two.stderr).toContain(place);
  // To a registry of an own authority, as Node is told of it.
  const authority = new Authority(join(folder, 'authority'));
  await using secure = await TestRegistry.start({ tls: authority.sign('server') });
  const args = ['world', '--json', '--remote', `https://${secure.host}/cache`, '--remote-write'];
  const { env, ...where } = options('one');
  const strange = await stx(args, { ...where, env });
  expect([strange.code, strange.stderr]).toMatchObject([0, expect.stringMatching(/certificate/)]);
  const known = await stx(args, { ...where, env: { ...env, NODE_EXTRA_CA_CERTS: authority.certificate } });
  expect([known.code, known.stderr]).toMatchObject([0, expect.not.stringMatching(/certificate/)]);
  expect(secure.tags('cache/user-c')).toHaveLength(1);
});

test('a registry that is down, or dies on the way, fails no build, and is told', async () => {
  await registry.kill();
  const one = await world('one', ...write());
  expect([one.code, one.ok, resultsOf(one)]).toEqual([0, true, all('built')]);
  expect(one.stderr).toMatch(/could not be used/);
  expect(one.stderr).toMatch(/offers it again/);
  await registry.restart();
  expect(resultsOf(await world('one', ...write()))).toEqual(all('hit'));
  const two = start(['world', '--json', '--remote', place, '--remote-write'], options('two'));
  while (front.passed.length < 10) await new Promise((resolve) => setImmediate(resolve));
  await registry.kill();
  const ended = documentOf<Document>(await two.finished);
  expect([ended.ok, digestsOf(ended)]).toEqual([true, digestsOf(one)]);
  await registry.restart();
});

test('a layer with other bytes is refused, and its target built', async () => {
  const one = await world('one', ...write());
  front.fault = ({ url, method }) =>
    method === 'GET' && url?.includes('/core-a/blobs/') === true
      ? (_, response) => response.end('poison')
      : null;
  const two = await world('two', '--remote', place);
  expect([two.code, digestsOf(two)]).toEqual([0, digestsOf(one)]);
  expect(resultsOf(two)[0]).toBe('core-a built');
  expect(two.stderr).toMatch(/What .* has for core-a is not used/);
});

describe('--via-registry', () => {
  test('gives the digests of the local way, and no layer passes through here', async () => {
    const local = await world('local');
    // Another daemon: it has none of the outputs.
    const other = await startDaemon();
    try {
      const far = { ...options('far'), env: { BUILDKIT_HOST: other.address } };
      const args = ['world', '--json', '--remote', place, '--remote-write', '--via-registry'];
      const finished = await stx(args, far);
      const document = documentOf<Document>(finished);
      expect([finished.code, resultsOf(document), finished.stderr]).toMatchObject([
        0,
        all('built'),
        expect.anything(),
      ]);
      expect(digestsOf(document)).toEqual(digestsOf(local));
      const blobs = join(far.state, 'pool/blobs/sha256');
      const kinds = readdirSync(blobs).map((name) =>
        readFileSync(join(blobs, name)).subarray(0, 1).toString(),
      );
      // Index, manifest and config of each target, JSON all; layers begin with gzip's mark.
      expect(kinds).toEqual(Array(12).fill('{'));
      expect(documentOf<Document>(await stx(args, far)).counts).toMatchObject({ hit: 4, built: 0 });
      writeFileSync(join(root, 'packages/core/b/b'), 'b2\n');
      expect(resultsOf(documentOf<Document>(await stx(args, far)))).toEqual([
        'core-a hit',
        'core-b built',
        'user-c built',
        'user-d hit',
      ]);
      // Whoever goes the local way takes it from there.
      expect(resultsOf(await world('two', '--remote', place))).toEqual(all('hit'));
    } finally {
      await other.stop();
    }
  });

  test('puts there first what is only here', async () => {
    const local = await world('one');
    writeFileSync(join(root, 'packages/core/b/b'), 'b2\n');
    const far = await world('one', ...write(), '--via-registry');
    expect([far.code, far.counts]).toMatchObject([0, { built: 2, hit: 2 }]);
    expect(digestsOf(far)[0]).toEqual(digestsOf(local)[0]);
  });

  test('waits for a registry that goes away and comes back', async () => {
    const local = await world('local');
    const args = ['world', '--json', '--remote', place, '--remote-write', '--via-registry', '--no-cache'];
    let isDown = false;
    front.fault = ({ method, url }) => {
      isDown ||= method === 'PUT' && url?.includes('/core-a/blobs/') === true;
      return isDown ? ({ socket }) => socket.destroy() : null;
    };
    const far = start(args, options('far'));
    await far.saw(/trying again|could not be used/);
    front.fault = () => null;
    const ended = documentOf<Document>(await far.finished);
    expect([ended.ok, digestsOf(ended), resultsOf(ended)]).toEqual([true, digestsOf(local), all('built')]);
  });

  test('needs a remote to write to', async () => {
    expect((await stx(['world', '--remote', place, '--via-registry'], options('one'))).code).toBe(2);
  });
});
