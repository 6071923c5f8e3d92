/**
 * What BuildKit really exports, through verification to a published layout, judged by skopeo; and what it does
 * with damaged blobs in the pool.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { hexOf, layoutIndex, nestedIndex, parseDigest } from '../../../packages/core/src/oci/index.ts';
import {
  blobsOf,
  explainOutputs,
  isOutputKnownGood,
  isPublished,
  missingBlobs,
  publishOutput,
  verifyOutput,
} from '../../../packages/scheduler/src/store/index.ts';
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

const ONE = { Containerfile: 'FROM scratch\nCOPY f /f\nCOPY f /d/g\n', f: 'content' };
const tag = 'stagex/core-one:1.0';

it('verifies and publishes a layout with the bytes BuildKit itself writes, which skopeo reads', async () => {
  const { digest, indexJson, target } = await bench.export(bench.recipe('one', ONE));
  const output = await verifyOutput(bench.pool, parseDigest(digest, 'x'), bench.expectation(target));
  expect(layoutIndex(output.index, tag)).toBe(indexJson);
  expect(nestedIndex(output.images)).toBe(readFileSync(bench.pool.path(output.index.digest), 'utf8'));
  const out = join(bench.folder, 'out');
  mkdirSync(out);
  const folder = publishOutput(bench.pool, output, out, { name: target, tag });
  expect(isPublished(bench.pool, output, out, { name: target, tag })).toBe(true);
  expect(readdirSync(out)).toEqual([target]);
  expect(readdirSync(folder).sort()).toEqual(['blobs', 'index.json', 'oci-layout']);
  const inspected = JSON.parse(
    execFileSync('skopeo', ['inspect', `oci:${folder}`], { encoding: 'utf8' }),
  ) as {
    Layers: string[];
    Digest: string;
  };
  expect(inspected.Layers).toEqual(output.images[0]?.layers.map((layer) => layer.digest));
  const copied = join(bench.folder, 'copy');
  execFileSync('skopeo', [
    'copy',
    '--quiet',
    '--all',
    '--preserve-digests',
    `oci:${folder}`,
    `oci:${copied}`,
  ]);
  expect(readdirSync(join(copied, 'blobs/sha256'))).toContain(
    hexOf(output.images[0]?.manifest.digest ?? output.index.digest),
  );
});

it('knows images without layers, with a base, and for several platforms', async () => {
  const empty = await bench.build(bench.recipe('empty', { Containerfile: 'FROM scratch\nENV A=b\n' }));
  expect(empty.images[0]?.layers).toEqual([]);
  const base = await bench.build(bench.recipe('one', ONE));
  const [image] = base.images;
  const onBase = bench.recipe('onbase', { Containerfile: 'FROM stagex/core-one\nCOPY h /h\n', h: 'h' });
  const options = { dependencies: { 'stagex/core-one': base }, ...(image && { base: image }) };
  const output = await bench.build(onBase, options);
  expect(output.images[0]?.layers.slice(0, 2).map((layer) => layer.digest)).toEqual(
    image?.layers.map((layer) => layer.digest),
  );
  // The same output with another base expected, or none: both are noticed.
  const expectation = bench.expectation('core-onbase', options);
  const wrong = { ...expectation, images: [{ platform: 'linux/amd64', base: null }] };
  await expect(verifyOutput(bench.pool, output.index.digest, wrong)).rejects.toThrow(
    'does not say that its times',
  );
  const several = await bench.build(bench.recipe('several', ONE), {
    platforms: ['linux/arm64', 'linux/amd64', 'linux/386'],
  });
  expect(several.images.map(({ platform }) => platform)).toEqual(['linux/arm64', 'linux/amd64', 'linux/386']);
});

it('does not take damaged blobs that BuildKit leaves as they are', async () => {
  const recipe = bench.recipe('one', ONE);
  const good = await bench.build(recipe);
  const layer = good.images[0]?.layers[0]?.digest ?? good.index.digest;
  const path = bench.pool.path(layer);
  chmodSync(path, 0o644);
  writeFileSync(path, 'x'.repeat(statSync(path).size));
  // Without preparation the damage survives an export, exit status 0, and is found.
  const { digest, target } = await bench.export(recipe);
  const verdict = verifyOutput(bench.pool, parseDigest(digest, 'x'), bench.expectation(target));
  await expect(verdict).rejects.toMatchObject({ bad: [layer] });
  expect(await bench.pool.prepareForExport()).toMatchObject([{ digest: layer }]);
  expect(await missingBlobs(bench.pool, good)).toMatchObject([{ digest: layer }]);
  expect(await bench.build(recipe)).toEqual(good);
  expect(isOutputKnownGood(bench.pool, good)).toBe(true);
});

it('replaces a published output in place, and mends one that was damaged', async () => {
  const out = join(bench.folder, 'out');
  mkdirSync(out);
  const name = { name: 'core-one', tag };
  const first = await bench.build(bench.recipe('one', ONE));
  publishOutput(bench.pool, first, out, name);
  const second = await bench.build(bench.recipe('one', { ...ONE, f: 'other' }));
  expect(isPublished(bench.pool, second, out, name)).toBe(false);
  const folder = publishOutput(bench.pool, second, out, name);
  const blobs = join(folder, 'blobs/sha256');
  expect(readdirSync(blobs).sort()).toEqual(blobsOf(second).map(hexOf).sort());
  for (const blob of readdirSync(blobs)) expect(lstatSync(join(blobs, blob)).mode & 0o777).toBe(0o444);
  rmSync(join(blobs, hexOf(second.index.digest)));
  writeFileSync(join(folder, 'index.json'), '');
  expect(isPublished(bench.pool, second, out, name)).toBe(false);
  publishOutput(bench.pool, second, out, name);
  expect(isPublished(bench.pool, second, out, name)).toBe(true);
  execFileSync('skopeo', ['inspect', `oci:${folder}`]);
});

it('names the first differing file of two outputs', async () => {
  const first = await bench.build(bench.recipe('one', { ...ONE, z: 'same' }));
  const second = await bench.build(bench.recipe('one', { ...ONE, f: 'changed', z: 'same' }));
  const found = await explainOutputs(bench.pool, first, second);
  expect(found?.difference.cause).toBe('diff-id');
  expect(found?.file).toMatchObject({ path: 'f', kind: 'content' });
});
