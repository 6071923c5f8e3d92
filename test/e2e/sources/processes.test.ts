/** Several callers and several processes that want the same content at the same time. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { good, MisbehavingServer, stall } from '../../rig/http.ts';
import { Bench, bytes, sha256, wanted } from './bench.ts';
import { runChild } from './child.ts';

const body = bytes(2_000_000);

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

it('two processes download a content once, and both have it', async () => {
  const held: (() => void)[] = [];
  const url = server.on('/a', (request, response) => held.push(() => good(body)(request, response)));
  const lists = [wanted(body, [url])];
  const first = runChild(bench, lists, {});
  // The first one has the lock when its request is here.
  await expect.poll(() => held.length, { timeout: 60_000 }).toBe(1);
  const second = runChild(bench, lists, {});
  for (const answer of held) answer();
  const results = [await first, await second];
  expect(results.map(({ ok }) => ok)).toEqual([true, true]);
  expect(results.map(({ outcomes }) => outcomes[0]).sort()).toEqual(['downloaded', 'present']);
  expect(server.count('/a')).toBe(1);
  expect(readFileSync(join(bench.state, 'sha256', sha256(body))).equals(body)).toBe(true);
  expect(bench.kept().partial).toEqual([]);
});

it('two callers of one fetcher share a download; it ends when both have gone', async () => {
  const url = server.on('/a', stall(body, 10));
  const fetcher = bench.fetcher();
  const stops = [new AbortController(), new AbortController()];
  const heard: number[] = [];
  const runs = stops.map((stop, place) =>
    fetcher.ensure([wanted(body, [url])], { signal: stop.signal, onProgress: () => heard.push(place) }),
  );
  await expect.poll(() => heard.length, { timeout: 60_000 }).toBeGreaterThan(1);
  stops[0]?.abort();
  expect(await runs[0]).toMatchObject({ interrupted: true });
  // The other one still waits for the same connection.
  expect(server.count('/a')).toBe(1);
  stops[1]?.abort();
  expect(await runs[1]).toMatchObject({ interrupted: true });
  // Nobody is stuck with a download that was ended.
  server.on('/a', good(body));
  const third = await fetcher.ensure([wanted(body, [url])], { signal: new AbortController().signal });
  expect(third.ok).toBe(true);
  fetcher.close();
  expect(readdirSync(join(bench.state, 'sha256'))).toEqual([sha256(body)]);
});
