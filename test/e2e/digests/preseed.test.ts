/**
 * Published images instead of builds, from a folder of layouts and from a real registry on loopback: the world after it
 * builds nothing but what is edited, what is damaged is not believed, and nothing is asked of a network by itself.
 */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { documentOf, type RunDocument, stx } from '../../rig/cli.ts';
import { startDaemon, type TestDaemon } from '../../rig/daemon.ts';
import { commitAll, initRepository } from '../../rig/git.ts';
import { MisbehavingServer, status } from '../../rig/http.ts';
import { digestOfOut, makeOut } from '../../rig/make.ts';
import { PASSWORD, TestRegistry, USER } from '../../rig/registry.ts';
import { writeRecipes } from '../../rig/tree.ts';

const TARGETS = [
  { name: 'core-a', dir: 'packages/core/a' },
  { name: 'core-b', dir: 'packages/core/b', needs: ['core-a'] },
  { name: 'user-c', dir: 'packages/user/c', needs: ['core-b'] },
  { name: 'user-d', dir: 'packages/user/d', platform: 'linux/386' },
] as const;

let folder: string;
let daemon: TestDaemon;
let registry: TestRegistry;
/** As published: recipes, digests and, beside it, the layouts. */
let published: string;
let layouts: string;
let root: string;
let state: string;
let copies = 0;
const here = (env: NodeJS.ProcessEnv = {}) => ({
  cwd: root,
  state,
  env: { BUILDKIT_HOST: daemon.address, ...env },
});

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stx-preseed-'));
  [daemon, registry] = await Promise.all([startDaemon(), TestRegistry.start()]);
  published = join(folder, 'published');
  layouts = join(folder, 'layouts');
  writeRecipes(published, {
    'core/a': { Containerfile: 'FROM scratch AS package\nCOPY a /a\n', a: 'a1\n' },
    'core/b': { Containerfile: 'FROM stagex/core-a AS package\nCOPY b /b\n', b: 'b1\n' },
    'user/c': 'FROM scratch AS package\nCOPY --from=stagex/core-b /b /c\n',
    'user/d': {
      'package.toml': '[package]\nname = "d"\nlicense = "0BSD"\nplatforms = ["linux/386"]\n',
      Containerfile: 'FROM scratch AS package\nCOPY d /d\n',
      d: 'd',
    },
  });
  makeOut(published, daemon, TARGETS);
  mkdirSync(join(published, 'digests'));
  for (const { name } of TARGETS) {
    const file = join(published, `digests/${name.split('-')[0]}.txt`);
    writeFileSync(file, `${digestOfOut(published, name).slice(7)} ${name}\n`, { flag: 'a' });
    registry.push(join(published, 'out', name), `stagex/${name}`);
  }
  cpSync(join(published, 'out'), layouts, { recursive: true });
  rmSync(join(published, 'out'), { recursive: true });
  writeFileSync(join(published, '.gitignore'), '/out/\n');
  initRepository(published);
  commitAll(published, 'a release');
});
afterAll(async () => {
  await daemon.stop();
  await registry[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  copies += 1;
  root = join(folder, `tree${copies}`);
  state = join(folder, `state${copies}`);
  cpSync(published, root, { recursive: true });
});

interface TakeDocument {
  readonly counts: Readonly<Record<string, number>>;
  readonly targets: readonly { name: string; result: string; action: string | null; text: string }[];
  readonly errors?: readonly { code: string; tag: string; text: string }[];
}

async function preseed(...args: string[]) {
  const finished = await stx(['preseed', '--json', ...args], here());
  return { ...documentOf<TakeDocument>(finished), code: finished.code };
}

async function worldBuilds(): Promise<string[]> {
  const finished = await stx(['world', '--json'], here());
  expect({ code: finished.code, stderr: finished.stderr }).toMatchObject({ code: 0 });
  return documentOf<RunDocument>(finished)
    .targets.filter(({ result }) => result !== 'hit')
    .map(({ name, result }) => `${name} ${result}`);
}

const resultsOf = ({ targets }: Partial<TakeDocument>): string[] =>
  (targets ?? []).map(({ name, result, action }) => `${name} ${result} ${action}`);

const ALL = ['core-a taken hit', 'core-b taken hit', 'user-c taken hit', 'user-d taken hit'];

describe.each(['folder', 'registry'] as const)('from a %s', (kind) => {
  const from = () => (kind === 'folder' ? layouts : registry.host);

  test('everything: no build, outputs as upstream has them, origin substituted', async () => {
    const taken = await preseed('--from', from());
    expect({ code: taken.code, results: resultsOf(taken) }).toEqual({ code: 0, results: ALL });
    for (const { name } of TARGETS) {
      expect(readFileSync(join(root, 'out', name, 'index.json'), 'utf8')).toBe(
        readFileSync(join(layouts, name, 'index.json'), 'utf8').trim(),
      );
      const blobs = (at: string) => readdirSync(join(at, 'blobs/sha256')).sort();
      expect(blobs(join(root, 'out', name))).toEqual(blobs(join(layouts, name)));
    }
    expect(await worldBuilds()).toEqual([]);
    const { targets } = documentOf<{ targets: Record<string, { origin: string }> }>(
      await stx(['digests', '--json'], here()),
    );
    expect(Object.values(targets).map(({ origin }) => origin)).toEqual(Array(4).fill('substituted'));
    expect((await stx(['verify'], here())).code).toBe(0);
  });

  test('one target with all it needs, and nothing else; an edit on top builds what it touches', async () => {
    const taken = await preseed('user-c', '--from', from());
    expect(resultsOf(taken)).toEqual(ALL.slice(0, 3));
    writeFileSync(join(root, 'packages/core/b/b'), 'b2\n');
    expect(await worldBuilds()).toEqual(['core-b built', 'user-c built', 'user-d built']);
  });
});

describe('what is not believed', () => {
  test('a damaged blob in a folder, exit 4, and the folder is as it was', async () => {
    const damaged = join(folder, `damaged${copies}`);
    cpSync(layouts, damaged, { recursive: true });
    const blobs = join(damaged, 'core-b/blobs/sha256');
    const manifest = digestOfOut(published.replace(/published$/, ''), '../layouts/core-b').slice(7);
    const { layers } = JSON.parse(readFileSync(join(blobs, manifest), 'utf8')) as {
      layers: { digest: string }[];
    };
    const layer = join(blobs, layers[1]?.digest.slice(7) ?? '');
    const bytes = readFileSync(layer);
    bytes.writeUInt8(bytes.readUInt8(30) ^ 1, 30);
    writeFileSync(layer, bytes);
    const taken = await preseed('--from', damaged);
    expect(taken.code).toBe(4);
    expect(taken.errors?.map(({ tag }) => tag)).toEqual(['integrity']);
    // What c needs of b is in b's documents, which are whole: c itself can be taken.
    expect(resultsOf(taken)).toEqual([
      'core-a taken hit',
      'core-b refused null',
      'user-c taken waiting',
      'user-d taken hit',
    ]);
    expect(statSync(layer).size).toBe(bytes.length);
    expect(await worldBuilds()).toEqual(['core-b built']);
  });

  test('other bytes from a registry, exit 4', async () => {
    const own = await TestRegistry.start();
    try {
      for (const { name } of TARGETS) own.push(join(layouts, name), `stagex/${name}`);
      const manifest = digestOfOut(folder, '../layouts/user-d');
      const { config } = JSON.parse(readFileSync(own.blobPath(manifest), 'utf8')) as {
        config: { digest: string };
      };
      const path = own.blobPath(config.digest);
      writeFileSync(path, readFileSync(path, 'utf8').replace('linux', 'minix'));
      const taken = await preseed('--from', `http://${own.host}/stagex`);
      expect(taken.code).toBe(4);
      expect(taken.errors?.[0]?.code).toBe('registry-other-bytes');
      expect(resultsOf(taken)).toEqual([...ALL.slice(0, 3), 'user-d refused null']);
    } finally {
      await own[Symbol.asyncDispose]();
    }
  });

  test('an image that is not there, another one, an empty folder: exit 1', async () => {
    const some = join(folder, `some${copies}`);
    cpSync(join(layouts, 'core-a'), join(some, 'core-a'), { recursive: true });
    cpSync(join(layouts, 'core-a'), join(some, 'core-b'), { recursive: true });
    const taken = await preseed('--from', some);
    expect(taken.code).toBe(1);
    expect(resultsOf(taken)).toEqual([
      'core-a taken hit',
      'core-b other null',
      'user-c absent null',
      'user-d absent null',
    ]);
    expect((await preseed('--from', join(folder, 'nowhere'))).code).toBe(2);
    // core-a is here by now: nobody is asked for it again.
    const empty = await preseed('--from', `${registry.host}/other`);
    expect(resultsOf(empty)).toEqual([
      'core-a taken hit',
      ...['core-b absent null', 'user-c absent null', 'user-d absent null'],
    ]);
    expect(empty.errors?.map(({ code }) => code)).toEqual(Array(3).fill('no-image'));
  });

  test('a registry that wants a login gets the one that docker has for it', async () => {
    await using closed = await TestRegistry.start({ login: true });
    closed.push(join(layouts, 'core-a'), 'stagex/core-a');
    const refused = await preseed('core-a', '--from', closed.host);
    expect([refused.code, refused.errors?.[0]?.code]).toEqual([3, 'registry-refused']);
    const config = join(folder, `docker${copies}`);
    mkdirSync(config);
    const auth = Buffer.from(`${USER}:${PASSWORD}`).toString('base64');
    writeFileSync(join(config, 'config.json'), JSON.stringify({ auths: { [closed.host]: { auth } } }));
    const args = ['preseed', 'core-a', '--json', '--from', closed.host];
    const taken = await stx(args, here({ DOCKER_CONFIG: config }));
    expect(resultsOf(documentOf<TakeDocument>(taken))).toEqual(ALL.slice(0, 1));
  });

  test('a registry that wants a login, or plain http elsewhere, or nobody there', async () => {
    const server = await MisbehavingServer.start();
    const { port } = server;
    try {
      const manifest = digestOfOut(folder, '../layouts/core-a');
      const challenge = { 'WWW-Authenticate': 'Basic realm="x"' };
      server.on(`/v2/stagex/core-a/manifests/${manifest}`, status(401, challenge));
      const refused = await preseed('core-a', '--from', `127.0.0.1:${port}`);
      expect([refused.code, refused.errors?.[0]?.code]).toEqual([3, 'registry-refused']);
    } finally {
      await server[Symbol.asyncDispose]();
    }
    const plain = await preseed('--from', 'http://registry.example/stagex');
    expect([plain.code, plain.errors?.[0]?.code]).toEqual([2, 'bad-registry']);
    const nobody = await preseed('core-a', '--from', `127.0.0.1:${port}`);
    expect([nobody.code, nobody.errors?.[0]?.code]).toEqual([3, 'registry-failed']);
  });

  test('a token is fetched where it is wanted, and follows no redirect to another host', async () => {
    const server = await MisbehavingServer.start();
    const store = await MisbehavingServer.start();
    try {
      const path = (kind: string, digest: string) => `/v2/stagex/core-a/${kind}/${digest}`;
      const manifest = digestOfOut(folder, '../layouts/core-a');
      const blob = (digest: string) => readFileSync(join(layouts, 'core-a/blobs/sha256', digest.slice(7)));
      const realm = `${server.url('/token')}`;
      const ask = {
        'WWW-Authenticate': `Bearer realm="${realm}",service="s",scope="repository:stagex/core-a:pull"`,
      };
      const seen: (string | undefined)[] = [];
      const guarded =
        (answer: Parameters<typeof server.on>[1]): Parameters<typeof server.on>[1] =>
        (request, response) =>
          (request.headers.authorization === 'Bearer t1' ? answer : status(401, ask))(request, response);
      const give =
        (digest: string): Parameters<typeof server.on>[1] =>
        (request, response) => {
          seen.push(request.headers.authorization);
          response.end(blob(digest));
        };
      server.on(path('manifests', manifest), status(503, { 'Retry-After': '0' }), guarded(give(manifest)));
      server.on(
        '/token?service=s&scope=repository%3Astagex%2Fcore-a%3Apull',
        status(200, {}, '{"token":"t1"}'),
      );
      const document = JSON.parse(blob(manifest).toString()) as {
        config: { digest: string };
        layers: { digest: string }[];
      };
      for (const { digest } of [document.config, ...document.layers]) {
        store.on(`/${digest}`, give(digest));
        server.on(
          path('blobs', digest),
          guarded(status(307, { Location: store.url(`/${digest}`, 'localhost') })),
        );
      }
      const taken = await preseed('core-a', '--from', `127.0.0.1:${server.port}`);
      expect({ code: taken.code, results: resultsOf(taken) }).toEqual({
        code: 0,
        results: ['core-a taken hit'],
      });
      expect(seen).toEqual(['Bearer t1', undefined, undefined]);
    } finally {
      await server[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    }
  });
});
