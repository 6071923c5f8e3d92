/** Limits of time and number, and mirrors that can not be asked at all. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { drip, good, MisbehavingServer, silence, stall } from '../../rig/http.ts';
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

describe('time limits', () => {
  const hasty = { retries: 0, answerMs: 5000, totalMs: 10_000, stallMs: 60, stallBytes: 10 };

  it('a server that never answers', async () => {
    const report = await bench.fetch([wanted(body, [server.on('/a', silence)])], { ...hasty, answerMs: 50 });
    expect(report.sources[0]?.failures).toMatchObject([{ kind: 'timeout', text: 'no answer within 0.05 s' }]);
  });

  it('a body that stops, whose beginning is kept', async () => {
    const report = await bench.fetch([wanted(body, [server.on('/a', stall(body, 1000))])], hasty);
    expect(report.sources[0]?.failures).toMatchObject([{ kind: 'stalled' }]);
    expect(bench.kept().partial).toContain(`${sha256(body)}.part`);
  });

  it('a body that only drips', async () => {
    const report = await bench.fetch([wanted(body, [server.on('/a', drip(20))])], hasty);
    expect(report.sources[0]?.failures).toMatchObject([{ kind: 'stalled' }]);
  });

  it('a body that is not whole in time', async () => {
    const report = await bench.fetch([wanted(body, [server.on('/a', drip(5))])], {
      ...hasty,
      totalMs: 80,
      stallBytes: 1,
    });
    expect(report.sources[0]?.failures).toMatchObject([{ kind: 'timeout', text: 'not whole after 0.08 s' }]);
  });
});

describe('mirrors that can not be asked', () => {
  it('are told with the reason', async () => {
    const mirrors = ['ftp://ftp.example.org/x', 'file:///etc/passwd', 'not a url', 'http://127.0.0.1:1/x'];
    const report = await bench.fetch([wanted(body, mirrors)], { retries: 1 });
    const text = report.problems[0]?.text ?? '';
    expect(text).toContain('ftp://ftp.example.org/x: ftp: is not supported');
    expect(text).toContain('file:///etc/passwd: file: is not supported');
    expect(text).toContain('not a url: is not a URL');
    expect(text).toContain('http://127.0.0.1:1/x: the connection was refused (2 tries)');
  });

  it('every failed source is in the summary, those without a mirror among them', async () => {
    const lists = [
      wanted(body, []),
      wanted(other, [server.url('/gone')], 'o.bin'),
      wanted(bytes(9), [server.on('/a', good(bytes(9)))], 'ok'),
    ];
    const report = await bench.fetch(lists);
    expect(report.counts).toMatchObject({ wanted: 3, failed: 2, downloaded: 1 });
    expect(report.problems.map(({ code }) => code).sort()).toEqual([
      'source-not-fetched',
      'source-without-mirror',
    ]);
  });

  it('a host that is silent is left alone after some sources', async () => {
    const lists = Array.from({ length: 40 }, (_item, n) =>
      wanted(bytes(10, `${n}`), [`http://127.0.0.1:1/${n}`], `${n}`),
    );
    const report = await bench.fetch(lists, { perHost: 1, retries: 3 });
    expect(report.counts.failed).toBe(40);
    const failures = report.sources.flatMap((source) => source.failures);
    expect(failures.filter(({ kind }) => kind === 'connection').length).toBeLessThan(50);
    expect(failures.filter(({ kind }) => kind === 'host-down').length).toBeGreaterThan(30);
  });

  it('offline asks nobody and lists what is missing', async () => {
    const report = await bench.fetch([wanted(body, [server.on('/a', good(body))])], {}, { offline: true });
    expect(report).toMatchObject({
      ok: false,
      counts: { missing: 1 },
      problems: [{ code: 'source-missing', tag: 'environment' }],
    });
    expect(server.asked).toEqual([]);
  });
});

it('as many transfers run as the limits allow, for each host and in all, and no more', async () => {
  const left = new Map([
    ['127.0.0.1', 6],
    ['localhost', 6],
  ]);
  const held: { readonly host: string; readonly answer: () => void }[] = [];
  const most = { all: 0, host: 0 };
  // Everybody waits until as many are here as may be: too few would wait for ever.
  const arrive = (host: string, answer: () => void): void => {
    held.push({ host, answer });
    most.all = Math.max(most.all, held.length);
    most.host = Math.max(most.host, held.filter((other) => other.host === host).length);
    const possible = [...left.values()].reduce((sum, count) => sum + Math.min(2, count), 0);
    if (held.length < Math.min(3, possible)) return;
    for (const one of held.splice(0)) {
      left.set(one.host, (left.get(one.host) ?? 0) - 1);
      one.answer();
    }
  };
  const lists = Array.from({ length: 12 }, (_item, n) => {
    const host = n % 2 === 0 ? '127.0.0.1' : 'localhost';
    const content = bytes(100, `${n}`);
    server.on(`/${n}`, (_request, response) => arrive(host, () => response.end(content)));
    return wanted(content, [server.url(`/${n}`, host)], `${n}`);
  });
  const report = await bench.fetch(lists, { parallel: 3, perHost: 2 });
  expect(report.ok).toBe(true);
  expect(most).toEqual({ all: 3, host: 2 });
});
