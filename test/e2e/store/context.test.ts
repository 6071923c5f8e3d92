/**
 * BuildKit compares uploads by name, size, mode and mtime (BUILDKIT.md 3): recipes and sources made to collide
 * must each give their own bytes. The first test shows the trap itself, so that the others can not pass for
 * another reason.
 */
import { chmodSync, existsSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseDigest, type TarEntry, TarReader } from '../../../packages/core/src/oci/index.ts';
import type { Output } from '../../../packages/core/src/oci/model.ts';
import { verifyOutput } from '../../../packages/scheduler/src/store/index.ts';
import { startDaemon, type TestDaemon } from '../../rig/daemon.ts';
import { Bench } from './bench.ts';

let daemon: TestDaemon;
let bench: Bench;

beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(async () => {
  await daemon?.stop();
});
beforeEach(() => {
  bench = new Bench(daemon);
  return () => bench.close();
});

/** Every entry of all layers with its content. */
function entries(output: Output): Map<string, { entry: TarEntry; content: string }> {
  const found = new Map<string, { entry: TarEntry; content: string }>();
  for (const layer of output.images[0]?.layers ?? []) {
    let last: { entry: TarEntry; content: string } | undefined;
    const reader = new TarReader(
      {
        entry: (entry) => {
          last = { entry, content: '' };
          found.set(entry.path, last);
        },
        data: (piece) => {
          if (last !== undefined) last.content += Buffer.from(piece).toString('utf8');
        },
      },
      'layer',
    );
    reader.push(gunzipSync(readFileSync(bench.pool.path(layer.digest))));
    reader.finish();
  }
  return found;
}

function pin(folder: string, ...files: string[]): void {
  for (const file of files) utimesSync(join(folder, file), 1_000_000, 1_000_000);
}

const COPY = 'FROM scratch\nCOPY payload /payload\n';

describe('recipes that collide', () => {
  function colliding(): [string, string] {
    const one = bench.recipe('one', { Containerfile: COPY, payload: `one ${bench.folder}` });
    const two = bench.recipe('two', { Containerfile: COPY, payload: `two ${bench.folder}` });
    pin(one, 'payload');
    pin(two, 'payload');
    return [one, two];
  }

  it('are mixed up by BuildKit where the folders are given to it as they are', async () => {
    const [one, two] = colliding();
    for (const folder of [one, two]) bench.recipe(`${folder.split('/').at(-1)}/fetch`, { none: '' });
    const outputs: Output[] = [];
    for (const recipe of [one, two]) {
      const { digest, target } = await bench.export(recipe, { staged: false });
      outputs.push(await verifyOutput(bench.pool, parseDigest(digest, 'x'), bench.expectation(target)));
    }
    const [, second] = outputs;
    expect(second && entries(second).get('payload')?.content).toBe(`one ${bench.folder}`);
  });

  it('give each its own bytes when staged', async () => {
    const [one, two] = colliding();
    const first = await bench.build(one);
    const second = await bench.build(two);
    const again = await bench.build(one);
    expect(entries(first).get('payload')?.content).toBe(`one ${bench.folder}`);
    expect(entries(second).get('payload')?.content).toBe(`two ${bench.folder}`);
    expect(again).toEqual(first);
  });

  it('also where an edit keeps name, size and mtime', async () => {
    const [one] = colliding();
    await bench.build(one);
    writeFileSync(join(one, 'payload'), `ONE ${bench.folder}`);
    pin(one, 'payload');
    const edited = await bench.build(one);
    expect(entries(edited).get('payload')?.content).toBe(`ONE ${bench.folder}`);
  });
});

describe('sources that collide', () => {
  const viaContext = 'FROM scratch\nADD fetch/src.txt /src.txt\n';
  const viaNamed = 'FROM scratch\nCOPY --from=fetch src.txt /src.txt\n';
  it.each([
    ['main context', viaContext],
    ['named context fetch', viaNamed],
  ])('in the %s give each its own bytes', async (_, containerfile) => {
    const one = bench.recipe('one', { Containerfile: containerfile });
    const two = bench.recipe('two', { Containerfile: containerfile });
    const content = { one: `1 ${bench.folder}`, two: `2 ${bench.folder}` };
    const first = await bench.build(one, { sources: { 'src.txt': content.one } });
    const second = await bench.build(two, { sources: { 'src.txt': content.two } });
    const third = await bench.build(one, { sources: { 'src.txt': content.two } });
    expect(entries(first).get('src.txt')?.content).toBe(content.one);
    expect(entries(second).get('src.txt')?.content).toBe(content.two);
    expect(entries(third).get('src.txt')?.content).toBe(content.two);
  });

  it('of one hash are two files, never a hard link', async () => {
    const recipe = bench.recipe('twice', { Containerfile: 'FROM scratch\nCOPY fetch /f\n' });
    const output = await bench.build(recipe, { sources: { a: bench.folder, b: bench.folder } });
    const found = entries(output);
    expect([found.get('f/a')?.entry.type, found.get('f/b')?.entry.type]).toEqual(['file', 'file']);
    expect(found.get('f/b')?.content).toBe(bench.folder);
  });
});

it('an image shows modes as git knows them, links as links, no time newer than 1 s', async () => {
  const recipe = bench.recipe('shapes', {
    Containerfile: 'FROM scratch\nCOPY . /x\n',
    'a file': 'plain',
    'd/run.sh': '#!/bin/sh\n',
    'd/secret': 'read-only',
    'fetch/left-by-make': 'no part of it',
  });
  chmodSync(join(recipe, 'd/run.sh'), 0o775);
  chmodSync(join(recipe, 'd/secret'), 0o400);
  symlinkSync('../../outside', join(recipe, 'd/out'));
  const output = await bench.build(recipe, { sources: { 's.txt': 'source' } });
  const found = entries(output);
  const shown = [...found].map(
    ([path, { entry }]) => `${path} ${entry.type} ${entry.mode.toString(8)} ${entry.link}`,
  );
  expect(shown.map((line) => line.trim())).toEqual([
    'x folder 755',
    'x/Containerfile file 644',
    'x/a file file 644',
    'x/d folder 755',
    'x/d/out symlink 777 ../../outside',
    'x/d/run.sh file 755',
    'x/d/secret file 644',
    'x/fetch folder 755',
    'x/fetch/s.txt file 644',
  ]);
  expect(existsSync(join(recipe, 'fetch/s.txt'))).toBe(false);
  for (const { entry } of found.values()) expect(entry.mtime).toBeLessThanOrEqual(1);
});

it('honours a .dockerignore as upstream does', async () => {
  const recipe = bench.recipe('ignoring', {
    Containerfile: 'FROM scratch\nCOPY . /x\n',
    '.dockerignore': 'hidden\n',
    hidden: 'x',
    shown: 'y',
  });
  const found = entries(await bench.build(recipe));
  expect(found.has('x/shown')).toBe(true);
  expect(found.has('x/hidden')).toBe(false);
});
