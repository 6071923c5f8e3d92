/** Proxies and certificates, with a real proxy and a real certificate authority. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { cut, good, LoopbackProxy, MisbehavingServer } from '../../rig/http.ts';
import { Bench, bytes, wanted } from './bench.ts';

const body = bytes(300_000);

let bench: Bench;
let proxy: LoopbackProxy;

beforeEach(async () => {
  bench = new Bench();
  proxy = await LoopbackProxy.start();
});

afterEach(async () => {
  bench[Symbol.dispose]();
  await proxy[Symbol.asyncDispose]();
});

/** A server with a certificate for localhost, signed by itself. */
async function secureServer(): Promise<{ server: MisbehavingServer; authority: string; file: string }> {
  const [key, file] = [join(bench.folder, 'key.pem'), join(bench.folder, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...kind, '-keyout', key, '-out', file, ...subject], {
    stdio: 'ignore',
  });
  const authority = readFileSync(file, 'utf8');
  const server = await MisbehavingServer.start({ key: readFileSync(key), cert: authority });
  return { server, authority, file };
}

it("http goes through http_proxy, in absolute form, with the proxy's password", async () => {
  await using server = await MisbehavingServer.start();
  const url = server.on('/a', cut(body, 1000, 'fin'), good(body));
  const env = { http_proxy: proxy.url.replace('//', '//me:p%40ss@') };
  const report = await bench.fetch([wanted(body, [url])], {}, { env });
  expect(report.ok).toBe(true);
  expect(proxy.asked).toEqual([`GET ${url}`, `GET ${url}`]);
  expect(proxy.authorizations[0]).toBe(`Basic ${Buffer.from('me:p@ss').toString('base64')}`);
});

it('no_proxy goes past it', async () => {
  await using server = await MisbehavingServer.start();
  const url = server.on('/a', good(body));
  const report = await bench.fetch(
    [wanted(body, [url])],
    {},
    { env: { HTTP_PROXY: proxy.url, NO_PROXY: '127.0.0.0/8' } },
  );
  expect(report.ok).toBe(true);
  expect(proxy.asked).toEqual([]);
});

it('https goes through a tunnel, and the certificate is judged behind it', async () => {
  const { server, authority } = await secureServer();
  await using _server = server;
  server.on('/a', good(body));
  const url = server.url('/a', 'localhost');
  const env = { HTTPS_PROXY: proxy.url };
  const refused = await bench.fetch([wanted(body, [url])], {}, { env });
  expect(refused.sources[0]?.failures).toMatchObject([{ kind: 'connection', transient: false }]);
  expect(server.asked).toEqual([]);
  const report = await bench.fetch([wanted(body, [url])], {}, { env, authorities: [authority] });
  expect(report.ok).toBe(true);
  expect(proxy.asked.every((line) => line === `CONNECT localhost:${server.port}`)).toBe(true);
});

it('a certificate for another name is refused', async () => {
  const { server, authority } = await secureServer();
  await using _server = server;
  const report = await bench.fetch(
    [wanted(body, [server.on('/a', good(body))])],
    {},
    { authorities: [authority] },
  );
  expect(report.sources[0]?.failures).toMatchObject([{ kind: 'connection', transient: false }]);
});

it('NODE_EXTRA_CA_CERTS and a proxy from the environment are enough for a process of its own', async () => {
  const { server, file } = await secureServer();
  await using _server = server;
  server.on('/a', good(body));
  const { runChild } = await import('./child.ts');
  const result = await runChild(bench, [wanted(body, [server.url('/a', 'localhost')])], {
    NODE_EXTRA_CA_CERTS: file,
    ALL_PROXY: proxy.url,
  });
  expect(result).toEqual({ ok: true, outcomes: ['downloaded'] });
  expect(proxy.asked).toEqual([`CONNECT localhost:${server.port}`]);
});

it('a proxy that does not answer fails the mirror, the environment is never gone past', async () => {
  await using server = await MisbehavingServer.start();
  const url = server.on('/a', good(body));
  const report = await bench.fetch(
    [wanted(body, [url])],
    { retries: 0 },
    { env: { http_proxy: 'http://127.0.0.1:1' } },
  );
  expect(report.sources[0]?.failures).toMatchObject([{ kind: 'connection' }]);
  expect(server.asked).toEqual([]);
});

it('a socks proxy is refused with a reason', async () => {
  const report = await bench.fetch(
    [wanted(body, ['http://127.0.0.1:1/'])],
    {},
    { env: { all_proxy: 'socks5://x:1' } },
  );
  expect(report.problems).toMatchObject([{ code: 'bad-proxy', tag: 'input' }]);
});
