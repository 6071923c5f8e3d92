/**
 * Registries that want a login, tokens or certificates, as users of docker and podman have them; and what may only be read.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Authority } from '../../rig/certificates.ts';
import { PASSWORD, TestRegistry, USER } from '../../rig/registry.ts';
import { TokenServer } from '../../rig/token-server.ts';
import { fingerprintOfTarget, Machine } from './machine.ts';

let folder: string;
/** What the helper was asked, a line each. */
let asked: string;
let homes = 0;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'stx-logins-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => {
  asked = join(folder, `asked-${homes}`);
  writeFileSync(asked, '');
});

/** A home with these files, and a PATH with a credential helper that knows our login. */
function home(files: Readonly<Record<string, unknown>>, helper = ANSWERS): NodeJS.ProcessEnv {
  homes += 1;
  const own = join(folder, `home-${homes}`);
  for (const [path, content] of Object.entries(files)) {
    const file = join(own, path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  }
  const bin = join(own, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'docker-credential-test'), `#!/bin/sh\n${helper}\n`, { mode: 0o755 });
  return { HOME: own, PATH: `${bin}:/usr/bin:/bin`, ASKED: asked };
}

const ANSWERS = `[ "$1" = get ] || exit 9
read -r server; echo "$server" >>"$ASKED"
echo '{"ServerURL":"'"$server"'","Username":"${USER}","Secret":"${PASSWORD}"}'`;
const KNOWS_NOTHING = 'cat >/dev/null; echo "credentials not found in native keychain"; exit 1';
const BREAKS = `cat >/dev/null; echo 'a secret: ${PASSWORD}' >&2; exit 3`;

const auth = Buffer.from(`${USER}:${PASSWORD}`).toString('base64');
const wrong = Buffer.from(`${USER}:wrong`).toString('base64');

async function shares(place: string, env: NodeJS.ProcessEnv): Promise<void> {
  using one = new Machine(place, { env });
  using two = new Machine(place, { env, write: false });
  const output = await one.built([{ path: 'a', content: String(homes) }]);
  expect([await one.give('core-x', output), one.warnings]).toEqual([new Map(), []]);
  expect([await two.take('core-x'), two.warnings]).toEqual([output, []]);
}

describe('user and password', () => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await TestRegistry.start({ login: true });
  });
  afterAll(() => registry[Symbol.asyncDispose]());
  const place = (): string => `${registry.host}/cache/n${homes}`;

  test.each([
    ["docker's own file", () => home({ '.docker/config.json': { auths: { [registry.host]: { auth } } } })],
    [
      'a URL as the key, user and password apart',
      () =>
        home({
          '.docker/config.json': {
            auths: { [`https://${registry.host}/v2/`]: { username: USER, password: PASSWORD } },
          },
        }),
    ],
    [
      "podman's file",
      () => home({ '.config/containers/auth.json': { auths: { [registry.host]: { auth } } } }),
    ],
    [
      'the file of the session',
      () => {
        const env = home({ 'run/containers/auth.json': { auths: { [registry.host]: { auth } } } });
        return { ...env, XDG_RUNTIME_DIR: join(env['HOME'] ?? '', 'run') };
      },
    ],
    [
      'REGISTRY_AUTH_FILE before all others',
      () => {
        const env = home({
          'x.json': { auths: { [registry.host]: { auth } } },
          '.docker/config.json': { auths: { [registry.host]: { auth: wrong } } },
        });
        return { ...env, REGISTRY_AUTH_FILE: join(env['HOME'] ?? '', 'x.json') };
      },
    ],
    [
      'DOCKER_CONFIG',
      () => {
        const env = home({ 'd/config.json': { auths: { [registry.host]: { auth } } } });
        return { ...env, DOCKER_CONFIG: join(env['HOME'] ?? '', 'd') };
      },
    ],
    [
      'the longest prefix',
      () =>
        home({
          '.config/containers/auth.json': {
            auths: { [registry.host]: { auth: wrong }, [`${registry.host}/cache`]: { auth } },
          },
        }),
    ],
    [
      'a helper of one registry',
      () => home({ '.docker/config.json': { auths: {}, credHelpers: { [registry.host]: 'test' } } }),
    ],
    [
      'the store of all',
      () => home({ '.docker/config.json': { auths: { [registry.host]: {} }, credsStore: 'test' } }),
    ],
  ])('from %s', async (_, env) => {
    await shares(place(), env());
  });

  test('a helper is asked for the registry, once a repository, and only when a login is wanted', async () => {
    const env = home({ '.docker/config.json': { credHelpers: { [registry.host]: 'test' } } });
    await shares(place(), env);
    expect(readFileSync(asked, 'utf8').trim().split('\n')).toEqual([registry.host, registry.host]);
    await using open = await TestRegistry.start();
    await shares(
      `${open.host}/cache`,
      home({ '.docker/config.json': { credHelpers: { [open.host]: 'test' } } }),
    );
    expect(readFileSync(asked, 'utf8').trim().split('\n')).toHaveLength(2);
  });

  test.each([
    ['none', () => home({}), /401 to no login \(/],
    [
      'a wrong one',
      () => home({ '.docker/config.json': { auths: { [registry.host]: { auth: wrong } } } }),
      /401 to the login in .*config\.json/,
    ],
    [
      'a helper that knows none',
      () => home({ '.docker/config.json': { credsStore: 'test' } }, KNOWS_NOTHING),
      /401 to no login \(/,
    ],
    [
      'a helper that breaks',
      () => home({ '.docker/config.json': { credsStore: 'test' } }, BREAKS),
      /no login: docker-credential-test .*failed with exit 3/,
    ],
    [
      'a helper that is not there',
      () => home({ '.docker/config.json': { credsStore: 'gone' } }),
      /docker-credential-gone .*is not in PATH/,
    ],
    [
      'a helper that is a path',
      () => home({ '.docker/config.json': { credsStore: '../../bin/sh' } }),
      /has no name of a program/,
    ],
    [
      'a file that is no JSON',
      () => home({ '.docker/config.json': `{"auths": ${auth}` }),
      /config\.json is no JSON/,
    ],
  ])('%s: said once, with where to look, and no secret', async (_, env, words) => {
    using one = new Machine(place(), { env: env() });
    const left = await one.give('core-x', await one.built([{ path: 'a' }]));
    expect([...left.keys()]).toEqual(['core-x']);
    expect(await one.find('core-y')).toBeNull();
    const told = JSON.stringify([one.warnings, [...left.values()]]);
    expect(one.codes()).toEqual(['remote-refused']);
    expect(one.warnings[0]?.text).toMatch(words);
    expect(one.warnings[0]?.hint).toContain(`docker login ${registry.host}`);
    for (const secret of [PASSWORD, auth, wrong]) expect(told).not.toContain(secret);
  });
});

describe('tokens', () => {
  let authority: Authority;
  let server: TokenServer;
  let registry: TestRegistry;
  beforeAll(async () => {
    authority = new Authority(join(folder, 'tokens'));
    server = await TokenServer.start(authority.sign('tokens'), {
      builder: { password: PASSWORD, actions: ['pull', 'push'] },
      reader: { password: 'r', actions: ['pull'] },
      '': { password: '', actions: [] },
    });
    const tokens = { realm: server.realm, authority: authority.certificate };
    registry = await TestRegistry.start({ tokens });
  });
  afterAll(async () => {
    await registry[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });
  afterEach(() => server.given.splice(0));
  const login = (user: string, password: string) =>
    home({
      '.docker/config.json': {
        auths: { [registry.host]: { auth: Buffer.from(`${user}:${password}`).toString('base64') } },
      },
    });

  test('are asked for what is done, a repository at a time, and mounting asks for both', async () => {
    const env = login(USER, PASSWORD);
    const place = `${registry.host}/cache`;
    using one = new Machine(place, { env });
    const base = [{ path: 'base' }];
    await one.give('core-base', await one.built(base));
    await one.give('core-x', await one.built(base, [{ path: 'x' }]));
    expect(one.warnings).toEqual([]);
    const scopes = server.given.map((given) => given.scopes.join(' '));
    expect(scopes).toEqual([...new Set(scopes)]);
    expect(scopes).toContain('repository:cache/core-x:pull,push repository:cache/core-base:pull');
    using two = new Machine(place, { env });
    expect(await two.take('core-x')).not.toBeNull();
  });

  test('an identity token is exchanged', async () => {
    const entry = { auth: Buffer.from('x:').toString('base64'), identitytoken: 'refresh builder' };
    await shares(
      `${registry.host}/identity`,
      home({ '.docker/config.json': { auths: { [registry.host]: entry } } }),
    );
    expect(server.given.every(({ user }) => user === USER)).toBe(true);
  });

  test('that are not good any more are had anew', async () => {
    using one = new Machine(`${registry.host}/old`, { env: login(USER, PASSWORD) });
    const output = await one.built([{ path: 'a' }]);
    await one.give('core-x', output);
    const before = server.given.length;
    const other = new Authority(join(folder, `tokens-${before}`));
    server.signWith(other.sign('tokens'));
    copyFileSync(other.certificate, authority.certificate);
    await registry.kill();
    await registry.restart();
    expect(await one.give('core-x', output, fingerprintOfTarget('core-x', [['a', 'b']]))).toEqual(new Map());
    expect(server.given.length).toBeGreaterThan(before);
    expect(one.warnings).toEqual([]);
  });

  test('of who may only read do not write: said once, and reading goes on', async () => {
    const place = `${registry.host}/split`;
    using builder = new Machine(place, { env: login(USER, PASSWORD) });
    const output = await builder.built([{ path: 'a' }]);
    await builder.give('core-x', output);
    using reader = new Machine(place, { env: login('reader', 'r') });
    const own = await reader.built([{ path: 'b' }]);
    const left = await reader.give('core-y', own);
    expect([...left.keys()]).toEqual(['core-y']);
    expect(reader.remote.mayWrite).toBe(false);
    expect(reader.codes()).toEqual(['remote-refused']);
    expect(await reader.offer('core-z', own)).toBe(false);
    expect(await reader.take('core-x')).toEqual(output);
    expect(reader.codes()).toEqual(['remote-refused']);
    expect(registry.tags('split/core-y')).toEqual([]);
  });
});

describe('certificates', () => {
  test("an own authority and a client's certificate, from the user's folder", async () => {
    const authority = new Authority(join(folder, 'tls'));
    const { certificate, key } = authority.sign('server');
    const client = authority.sign('client');
    await using registry = await TestRegistry.start({
      tls: { certificate, key, clientAuthority: authority.certificate },
    });
    const place = `https://${registry.host}/cache`;
    const env = home({});
    using stranger = new Machine(place, { env });
    expect(await stranger.find('core-x')).toBeNull();
    expect(stranger.warnings[0]?.text).toMatch(/certificate/);
    const trust = join(env['HOME'] ?? '', '.config/containers/certs.d', registry.host);
    mkdirSync(trust, { recursive: true });
    copyFileSync(authority.certificate, join(trust, 'ca.crt'));
    using known = new Machine(place, { env });
    expect(await known.find('core-x')).toBeNull();
    expect(known.codes()).toEqual(['remote-away']);
    copyFileSync(client.certificate, join(trust, 'me.cert'));
    copyFileSync(client.key, join(trust, 'me.key'));
    await shares(place, env);
  });
});

test.each([
  ['http://registry.example:5000/cache', /in the clear/],
  ['registry.example', /HOST\[:PORT\]\/PATH/],
  ['registry.example/UPPER', /is no registry/],
])('%s is refused', (place, words) => {
  expect(() => new Machine(place)).toThrow(words);
});
