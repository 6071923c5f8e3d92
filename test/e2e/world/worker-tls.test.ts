/**
 * Workers behind mutual TLS, real certificates: the right ones reach it and build, wrong ones are told clearly; options, a
 * file of workers and the old query of an address mean the same.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Authority, type Certificate } from '../../rig/certificates.ts';
import { documentOf, stx } from '../../rig/cli.ts';
import { startDaemon, type TestDaemon } from '../../rig/daemon.ts';
import { writeRecipes } from '../../rig/tree.ts';

interface Report {
  readonly ok: boolean;
  readonly workers: readonly {
    readonly name: string;
    readonly usable: boolean;
    readonly published: boolean | null;
    readonly platforms: readonly string[];
    readonly disk: { readonly free: number; readonly total: number } | null;
    readonly problems: readonly {
      readonly code: string;
      readonly text: string;
      readonly hint: string | null;
    }[];
  }[];
}

let folder: string;
let daemon: TestDaemon;
let ours: Authority;
let client: Certificate;
let stranger: Certificate;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stx-tls-'));
  ours = new Authority(join(folder, 'ours'));
  const server = ours.sign('server', 'builder.test');
  client = ours.sign('client');
  stranger = new Authority(join(folder, 'theirs')).sign('stranger');
  const address = `tcp://127.0.0.1:${await freePort()}`;
  const { certificate } = ours;
  daemon = await startDaemon({
    address,
    flags: ['--tlscacert', certificate, '--tlscert', server.certificate, '--tlskey', server.key],
    connection: [
      ...[
        '--addr',
        address,
        '--tlscacert',
        certificate,
        '--tlscert',
        client.certificate,
        '--tlskey',
        client.key,
      ],
      ...['--tlsservername', 'builder.test'],
    ],
  });
  writeRecipes(folder, { 'core/a': { Containerfile: 'FROM scratch\nCOPY a /\n', a: 'a\n' } });
});
afterAll(async () => {
  await daemon.stop();
  rmSync(folder, { recursive: true, force: true });
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}

const run = (...args: string[]) => stx(args, { cwd: folder, state: join(folder, 'state') });
const tls = ({ certificate, key }: Certificate) =>
  `cacert=${ours.certificate},cert=${certificate},key=${key},servername=builder.test`;

test('the right certificate: shown, tested, built on', async () => {
  const worker = `${daemon.address},name=far,jobs=3,${tls(client)}`;
  const finished = await run('workers', '--json', '--worker', worker);
  const { workers } = documentOf<Report & Record<string, unknown>>(finished);
  expect(workers).toMatchObject([{ name: 'far', usable: true, published: true, problems: [] }]);
  expect(workers[0]?.platforms).toContain('linux/386');
  expect(workers[0]?.disk?.free).toBeGreaterThan(0);
  expect(finished.code).toBe(0);
  const built = await run('build', 'core-a', '--json', '--worker', worker, '--out', join(folder, 'out'));
  expect(built.code).toBe(0);
});

test('a file of workers with paths beside it, and the query of an address', async () => {
  const file = join(folder, 'workers.toml');
  writeFileSync(
    file,
    `[[workers]]\naddress = "${daemon.address}"\nname = "far"\ncacert = "ours/ca.crt"\ncert = "ours/client.cert"\nkey = "ours/client.key"\nservername = "builder.test"\n`,
  );
  const query = `${daemon.address}?cacert=${ours.certificate}&cert=${client.certificate}&key=${client.key}&servername=builder.test`;
  for (const words of [
    ['--workers', file],
    ['--worker', query],
  ]) {
    const finished = await run('workers', ...words);
    expect(finished.stdout).toMatch(/published digests can be reached/);
    expect(finished.code).toBe(0);
  }
});

test.each([
  ['of another CA', () => tls(stranger)],
  ['none at all', () => `cacert=${ours.certificate},servername=builder.test`],
  ['another name of the server', () => tls(client).replace('builder.test', 'other.test')],
])('a wrong certificate (%s) is refused with exit 3 and told', async (_, options) => {
  const finished = await run('workers', '--json', '--worker', `${daemon.address},${options()}`);
  const { workers } = documentOf<Report & Record<string, unknown>>(finished);
  expect(workers).toMatchObject([{ usable: false, problems: [{ code: 'worker-unreachable' }] }]);
  expect(workers[0]?.problems[0]?.text).toMatch(/tls|certificate/);
  expect(workers[0]?.problems[0]?.hint).toMatch(/cacert=/);
  expect(finished.code).toBe(3);
});
