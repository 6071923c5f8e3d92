/** Downloads that break and go on: what is asked for, what is believed, what is kept. */
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  cut,
  good,
  MisbehavingServer,
  rangeless,
  redirect,
  stall,
  status,
  wrongRange,
} from '../../rig/http.ts';
import { Bench, bytes, sha256, wanted } from './bench.ts';

const body = bytes(300_000);
const other = bytes(300_000, 'other');

let server: MisbehavingServer;
let bench: Bench;

beforeEach(async () => {
  server = await MisbehavingServer.start();
  bench = new Bench();
});

afterEach(async () => {
  bench[Symbol.dispose]();
  await server[Symbol.asyncDispose]();
});

const ranges = (): (string | null)[] => server.asked.map(({ range }) => range);

/** Leaves a part of about `count` bytes of `content` as an earlier run would have: what had not left the
 * connection's buffers when it broke is not in it. @returns its size */
async function leavePart(content: Buffer, count: number, url: string): Promise<number> {
  const list = [wanted(content, [url])];
  server.on(new URL(url).pathname, cut(content, count, 'fin'));
  await bench.fetch(list, { retries: 0 });
  expect(bench.kept().partial).toContain(`${sha256(content)}.part`);
  server.asked.length = 0;
  return statSync(join(bench.state, 'partial', `${sha256(content)}.part`)).size;
}

it.each(['fin', 'rst'] as const)('goes on where the connection broke (%s), with the ETag', async (how) => {
  const url = server.on('/a', cut(body, 100_000, how), cut(body, 50_000, how), good(body));
  const report = await bench.fetch([wanted(body, [url])]);
  expect(report).toMatchObject({ ok: true, received: body.length });
  const offsets = ranges().map((range) => Number(/^bytes=([0-9]+)-$/.exec(range ?? 'bytes=0-')?.[1]));
  expect(offsets).toHaveLength(3);
  expect(offsets[0]).toBe(0);
  expect(offsets[1]).toBeGreaterThan(0);
  expect(offsets[1]).toBeLessThanOrEqual(100_000);
  expect(offsets[2]).toBeGreaterThanOrEqual(offsets[1] ?? 0);
  expect(offsets[2]).toBeLessThanOrEqual(150_000);
  expect(server.asked.map(({ ifRange }) => ifRange)).toEqual([null, '"one"', '"one"']);
});

it('goes on in the next run', async () => {
  const url = server.url('/a');
  const here = await leavePart(body, 120_000, url);
  server.on('/a', good(body));
  const report = await bench.fetch([wanted(body, [url])]);
  expect(report).toMatchObject({ ok: true, received: body.length - here });
  expect(server.asked).toMatchObject([{ range: `bytes=${here}-`, ifRange: '"one"' }]);
});

it("goes on from another mirror, where the first one's ETag means nothing", async () => {
  const here = await leavePart(body, 120_000, server.url('/a'));
  const report = await bench.fetch([wanted(body, [server.on('/b', good(body, '"two"'))])]);
  expect(report).toMatchObject({ ok: true, received: body.length - here });
  expect(server.asked).toMatchObject([{ range: `bytes=${here}-`, ifRange: null }]);
});

it('goes on behind a redirector that leads elsewhere each time', async () => {
  server.on('/one', cut(body, 100_000, 'fin', '"a"'));
  server.on('/two', good(body, '"b"'));
  const url = server.on('/a', redirect('/one'), redirect('/two'));
  const report = await bench.fetch([wanted(body, [url])]);
  expect(report).toMatchObject({ ok: true, received: body.length });
});

it('begins anew where the server knows no ranges', async () => {
  const url = server.on('/a', cut(body, 100_000, 'fin'), rangeless(body));
  const report = await bench.fetch([wanted(body, [url])]);
  expect(report.ok).toBe(true);
  expect(report.received).toBeGreaterThan(body.length);
  expect(server.asked).toHaveLength(2);
});

it('begins anew where the file changed on the server', async () => {
  const url = server.on('/a', cut(other, 100_000, 'fin', '"old"'), good(body, '"new"'));
  const report = await bench.fetch([wanted(body, [url])]);
  expect(report.ok).toBe(true);
  expect(server.asked[1]).toMatchObject({ range: expect.stringMatching(/^bytes=/), ifRange: '"old"' });
});

it('throws away a beginning that turns out wrong at the end, and asks once more for all', async () => {
  await leavePart(body, 100_000, server.url('/a'));
  writeFileSync(join(bench.state, 'partial', `${sha256(body)}.part`), other.subarray(0, 100_000));
  server.on('/a', good(body));
  const report = await bench.fetch([wanted(body, [server.url('/a')])]);
  expect(report).toMatchObject({ ok: true, warnings: [] });
  expect(ranges()).toEqual(['bytes=100000-', null]);
});

it('asks once more for all after 416', async () => {
  await leavePart(body, 299_999, server.url('/a'));
  writeFileSync(join(bench.state, 'partial', `${sha256(body)}.part`), Buffer.concat([body, other]));
  server.on('/a', good(body));
  const report = await bench.fetch([wanted(body, [server.url('/a')])]);
  expect(report.ok).toBe(true);
  expect(ranges()).toEqual(['bytes=600000-', null]);
});

it('believes no Content-Range that was not asked for', async () => {
  const here = await leavePart(body, 100_000, server.url('/a'));
  server.on('/a', wrongRange(body, 10));
  const report = await bench.fetch([wanted(body, [server.url('/a')])]);
  expect(report.ok).toBe(true);
  expect(ranges()).toEqual([`bytes=${here}-`, null]);
});

it('takes no part for the whole: 206 that nobody asked for', async () => {
  const url = server.on('/a', status(206, { 'Content-Range': 'bytes 0-1/2' }, 'no'));
  const report = await bench.fetch([wanted(Buffer.from('no'), [url])]);
  expect(report.sources[0]?.failures).toMatchObject([{ kind: 'status', text: '206 Partial Content' }]);
});

it('finishes a part that is whole without asking anybody', async () => {
  await leavePart(body, 100_000, server.url('/a'));
  writeFileSync(join(bench.state, 'partial', `${sha256(body)}.part`), body);
  const report = await bench.fetch([wanted(body, [server.url('/a')])]);
  expect(report).toMatchObject({ ok: true, received: 0 });
  expect(server.asked).toEqual([]);
});

it('takes a body without a marked end again when it was cut', async () => {
  const url = server.on(
    '/a',
    (_request, response) => {
      response.useChunkedEncodingByDefault = false;
      response.shouldKeepAlive = false;
      response.writeHead(200);
      response.end(body.subarray(0, 1000));
    },
    good(body),
  );
  expect((await bench.fetch([wanted(body, [url])])).ok).toBe(true);
});

it('an abort keeps what came, and the next run goes on', async () => {
  const url = server.on('/a', stall(body, 70_000), good(body));
  const stop = new AbortController();
  const fetcher = bench.fetcher();
  const report = await fetcher.ensure([wanted(body, [url])], {
    signal: stop.signal,
    onProgress: ({ received }) => {
      if (received === 70_000) stop.abort();
    },
  });
  fetcher.close();
  expect(report).toMatchObject({ ok: false, interrupted: true, problems: [], counts: { interrupted: 1 } });
  const second = await bench.fetch([wanted(body, [url])]);
  expect(second).toMatchObject({ ok: true, received: 230_000 });
});

it('a connection that breaks again and again still brings a large file, as long as it moves', async () => {
  const large = bytes(8 * 1024 * 1024 + 5);
  const step = 1536 * 1024;
  const url = server.on('/a', ...Array.from({ length: 5 }, () => cut(large, step, 'fin')), good(large));
  const report = await bench.fetch([wanted(large, [url])], { retries: 1 });
  expect(report).toMatchObject({ ok: true, received: large.length });
});
