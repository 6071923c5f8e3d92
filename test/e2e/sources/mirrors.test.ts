/** Mirrors that misbehave, each in its own way: what is taken, what is refused, what is said. */
import { readFileSync, statSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mtimeOfHash } from '../../../packages/scheduler/src/files/mtime.ts';
import {
  cut,
  good,
  gzipped,
  MisbehavingServer,
  mislabelled,
  rangeless,
  raw,
  redirect,
  status,
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

describe('a good mirror', () => {
  it('gives a read-only file in the store, once for all who want it', async () => {
    const url = server.on('/a', good(body));
    const report = await bench.fetch([wanted(body, [url]), wanted(body, [url], 'y.bin', 'core/y')]);
    expect(report).toMatchObject({ ok: true, received: body.length, problems: [], warnings: [] });
    expect(report.sources).toHaveLength(1);
    expect(report.sources[0]).toMatchObject({ outcome: 'downloaded', url, recipes: ['core/x', 'core/y'] });
    expect(server.count('/a')).toBe(1);
    const path = `${bench.state}/sha256/${sha256(body)}`;
    expect(readFileSync(path).equals(body)).toBe(true);
    const stat = statSync(path);
    expect(stat.mode & 0o7777).toBe(0o444);
    expect(stat.mtimeMs).toBe(mtimeOfHash(sha256(body)) * 1000);
    expect(bench.kept().partial).toEqual([]);
  });

  it('is not asked again, and asks for the bytes as they are', async () => {
    const list = [wanted(body, [server.on('/a', good(body))])];
    await bench.fetch(list);
    expect((await bench.fetch(list)).counts).toMatchObject({ present: 1, downloaded: 0 });
    expect(server.count('/a')).toBe(1);
    expect(server.asked[0]?.headers).toMatchObject({ 'accept-encoding': 'identity' });
  });

  it('is reported on while it sends, to the last byte', async () => {
    await bench.fetch([wanted(body, [server.on('/a', good(body))])]);
    const last = bench.progress.at(-1);
    expect(last).toMatchObject({
      target: 'core-x',
      file: 'file.bin',
      received: body.length,
      total: body.length,
      done: true,
    });
    expect(bench.progress.filter((progress) => progress.done)).toHaveLength(1);
    const received = bench.progress.map((progress) => progress.received);
    expect(received).toEqual([...received].sort((a, b) => a - b));
  });

  it('may send an empty file', async () => {
    const empty = Buffer.alloc(0);
    const report = await bench.fetch([wanted(empty, [server.on('/a', good(empty))])]);
    expect(report).toMatchObject({ ok: true, sources: [{ outcome: 'downloaded', size: 0 }] });
  });
});

describe('wrong bytes', () => {
  it('are reported with both hashes and the URL, and nothing of them is kept', async () => {
    const url = server.on('/a', good(other));
    const report = await bench.fetch([wanted(body, [url])]);
    expect(report.ok).toBe(false);
    expect(report.problems).toHaveLength(1);
    expect(report.problems[0]).toMatchObject({ code: 'source-wrong-hash', tag: 'integrity' });
    for (const part of [url, sha256(body), sha256(other)]) expect(report.problems[0]?.text).toContain(part);
    expect(bench.kept()).toEqual({ store: [], partial: [] });
    expect(server.count('/a')).toBe(1);
  });

  it('lead to the next mirror, with a warning', async () => {
    const bad = server.on('/bad', good(other));
    const report = await bench.fetch([wanted(body, [bad, server.on('/a', good(body))])]);
    expect(report).toMatchObject({ ok: true, problems: [] });
    expect(report.warnings).toMatchObject([{ code: 'mirror-wrong-hash', level: 'warning' }]);
    expect(report.warnings[0]?.text).toContain(bad);
    expect(report.warnings[0]?.text).toContain(sha256(other));
  });

  it('are what an HTML page with status 200 is', async () => {
    const page = Buffer.from('<html>Not found</html>');
    const report = await bench.fetch([wanted(body, [server.on('/a', rangeless(page))])]);
    expect(report.problems[0]?.text).toContain(sha256(page));
    expect(bench.kept().partial).toEqual([]);
  });

  it('are what comes beyond the announced length', async () => {
    // The surplus is no part of the answer: the file is right, and the next request is not disturbed by it.
    const headers = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`;
    const url = server.on('/a', raw(headers, Buffer.concat([body, other, other])));
    const report = await bench.fetch([
      wanted(body, [url]),
      wanted(other, [server.on('/b', good(other))], 'other.bin'),
    ]);
    expect(report).toMatchObject({ ok: true, counts: { downloaded: 2 } });
  });

  it('without end are stopped at the limit', async () => {
    const url = server.on('/a', (_request, response) => {
      const more = (): void => {
        while (response.write(other));
      };
      response.on('drain', more);
      more();
    });
    const report = await bench.fetch([wanted(body, [url])], { maxBytes: 1_000_000 });
    expect(report.problems[0]?.text).toContain('more than the limit of 1000000 bytes');
    expect(report.received).toBeLessThan(2_000_000);
    expect(bench.kept()).toEqual({ store: [], partial: [] });
  });

  it('are not even asked for when the announced length is absurd', async () => {
    const url = server.on('/a', status(200, { 'Content-Length': '900000000000000' }));
    const report = await bench.fetch([wanted(body, [url])]);
    expect(report.problems[0]?.text).toContain('announces 900000000000000 bytes');
  });

  it('of a size the disk has no space for end it as an error of the environment', async () => {
    const url = server.on('/a', (_request, response) => {
      response.writeHead(200, { 'Content-Length': 2 ** 50 });
      response.write('x');
    });
    const report = await bench.fetch([wanted(body, [url])], { maxBytes: 2 ** 52 });
    expect(report.problems).toMatchObject([{ code: 'no-space', tag: 'environment' }]);
  });
});

describe('answers', () => {
  it('404 is final, the next mirror is asked at once', async () => {
    const report = await bench.fetch([wanted(body, [server.url('/gone'), server.on('/a', good(body))])]);
    expect(report).toMatchObject({
      ok: true,
      sources: [{ failures: [{ kind: 'status', text: '404 Not Found' }] }],
    });
    expect(bench.pauses).toEqual([]);
  });

  it('503 is tried again after what Retry-After asks, but not longer than the limit', async () => {
    const url = server.on(
      '/a',
      status(503, { 'Retry-After': '7' }),
      status(429, { 'Retry-After': 'Thu, 01 Jan 2026 00:00:09 GMT' }),
      status(503, { 'Retry-After': '86400' }),
      good(body),
    );
    const report = await bench.fetch([wanted(body, [url])], { backoffMs: 100, maxRetryAfterMs: 20_000 });
    expect(report.ok).toBe(true);
    // One tick of the clock passes between the answer and the pause.
    expect(bench.pauses).toEqual([6999, 8999, 19999]);
  });

  it('500 is tried again with growing pauses, then given up, each mirror in turn', async () => {
    const a = server.on('/a', status(500));
    const b = server.on('/b', status(502));
    const report = await bench.fetch([wanted(body, [a, b])], { retries: 2, backoffMs: 1000 });
    expect(server.asked.map(({ path }) => path)).toEqual(['/a', '/b', '/a', '/b', '/a', '/b']);
    expect(report.problems).toMatchObject([{ code: 'source-not-fetched', tag: 'environment' }]);
    expect(report.problems[0]?.text).toContain(`${a}: 500 Internal Server Error (3 tries)`);
    expect(report.problems[0]?.text).toContain(`${b}: 502 Bad Gateway (3 tries)`);
    expect(bench.pauses.filter((pause) => pause > 500)).not.toEqual([]);
  });

  it('that are no HTTP are failures of the connection', async () => {
    const report = await bench.fetch([wanted(body, [server.on('/a', raw('SSH-2.0-hello\r\n'))])], {
      retries: 0,
    });
    expect(report.sources[0]?.failures[0]).toMatchObject({ kind: 'connection', transient: true });
  });
});

describe('redirects', () => {
  it('are followed, relative ones and to other hosts', async () => {
    server.on('/real', good(body));
    server.on('/middle', redirect(server.url('/real', 'localhost'), 307));
    const report = await bench.fetch([wanted(body, [server.on('/a', redirect('/middle', 301))])]);
    expect(report.ok).toBe(true);
  });

  it('in a circle, too many, to nowhere and to other schemes are refused', async () => {
    const circle = server.on('/circle', redirect('/back'));
    server.on('/back', redirect('/circle'));
    for (let n = 0; n < 20; n += 1) server.on(`/r${n}`, redirect(`/r${n + 1}`));
    const nowhere = server.on('/nowhere', status(302));
    const file = server.on('/file', redirect('file:///etc/passwd'));
    const report = await bench.fetch([wanted(body, [circle, server.url('/r0'), nowhere, file])]);
    const text = report.problems[0]?.text ?? '';
    expect(text).toContain(`${circle}: redirects in a circle`);
    expect(text).toContain(`${server.url('/r0')}: more than 10 redirects`);
    expect(text).toContain(`${nowhere}: redirects to nowhere`);
    expect(text).toContain(`${file}: redirects to file:, which is not supported`);
  });

  it('do not carry credentials to another origin, and credentials are not shown', async () => {
    const url = server.on('/a', redirect(server.url('/b', 'localhost'))).replace('//', '//me:secret@');
    server.on('/b', status(403));
    const report = await bench.fetch([wanted(body, [url])]);
    expect(server.asked.map(({ headers }) => headers.authorization)).toEqual([
      `Basic ${Buffer.from('me:secret').toString('base64')}`,
      undefined,
    ]);
    expect(JSON.stringify([report, bench.progress])).not.toContain('secret');
  });
});

describe('encodings nobody asked for', () => {
  it('are undone where the server really compressed', async () => {
    const text = Buffer.from('a patch\n'.repeat(1000));
    const report = await bench.fetch([wanted(text, [server.on('/a', gzipped(text))])]);
    expect(report).toMatchObject({ ok: true, sources: [{ size: text.length }] });
    expect(bench.kept().partial).toEqual([]);
  });

  it('are ignored where only the label is wrong', async () => {
    expect((await bench.fetch([wanted(body, [server.on('/a', mislabelled(body))])])).ok).toBe(true);
  });

  it('do not hide wrong bytes', async () => {
    const report = await bench.fetch([wanted(body, [server.on('/a', gzipped(other))])]);
    expect(report.problems).toMatchObject([{ code: 'source-wrong-hash' }]);
    expect(bench.kept()).toEqual({ store: [], partial: [] });
  });

  it('can not be gone on from when they are cut', async () => {
    const url = server.on('/a', (request, response) => {
      response.setHeader('Content-Encoding', 'gzip');
      cut(body, 1000, 'fin')(request, response);
    });
    await bench.fetch([wanted(body, [url])], { retries: 1 });
    expect(server.asked.map(({ range }) => range)).toEqual([null, null]);
  });
});
