/** What a COPY and what a FROM see of an output; where two outputs differ. */
import { expect, it } from 'vitest';
import { digestOf } from './digest.ts';
import { describeDifference, firstDifference, imageIdentity, rootfsIdentity } from './identity.ts';
import { fullImageName, layoutIndex } from './layout.ts';
import type { Descriptor, ImageOutput, Output } from './model.ts';
import { normalizePlatform } from './platform.ts';

const descriptor = (name: string): Descriptor => ({ mediaType: 'm', digest: digestOf(name), size: 1 });
const image = (config: string, ...layers: [layer: string, diffId: string][]): ImageOutput => ({
  platform: 'linux/amd64',
  manifest: descriptor(`manifest ${config} ${layers.join()}`),
  config: descriptor(config),
  layers: layers.map(([layer]) => descriptor(layer)),
  diffIds: layers.map(([, diffId]) => digestOf(diffId)),
});
const output = (...images: ImageOutput[]): Output => ({
  index: descriptor(JSON.stringify(images)),
  images,
});
const A = image('config', ['l1', 'd1'], ['l2', 'd2']);

it('lets a COPY see diff ids only, a FROM the config and the compressed layers', () => {
  const otherConfig = image('other', ['l1', 'd1'], ['l2', 'd2']);
  const otherCompressor = image('config', ['l1*', 'd1'], ['l2', 'd2']);
  const otherOrder = image('config', ['l2', 'd2'], ['l1', 'd1']);
  expect(rootfsIdentity(otherConfig)).toBe(rootfsIdentity(A));
  expect(rootfsIdentity(otherCompressor)).toBe(rootfsIdentity(A));
  expect(rootfsIdentity(otherOrder)).not.toBe(rootfsIdentity(A));
  const identities = [A, otherConfig, otherCompressor, otherOrder].map(imageIdentity);
  expect(new Set(identities).size).toBe(4);
});

it('finds the rung at which two outputs differ', () => {
  const cause = (other: ImageOutput) => firstDifference(output(A), output(other))?.cause;
  expect(firstDifference(output(A), output(A))).toBeNull();
  expect(cause(image('config', ['l1', 'd1'], ['x', 'y']))).toBe('diff-id');
  expect(cause(image('config', ['x', 'd1'], ['l2', 'd2']))).toBe('layer');
  expect(cause(image('config', ['x', 'd1'], ['y', 'z']))).toBe('diff-id');
  expect(cause(image('other', ['l1', 'd1'], ['l2', 'd2']))).toBe('config');
  expect(cause({ ...A, manifest: descriptor('annotated') })).toBe('manifest');
  expect(cause(image('config', ['l1', 'd1']))).toBe('layers');
  expect(firstDifference(output(A), { ...output(A), index: descriptor('x') })?.cause).toBe('index');
  expect(firstDifference(output(A), output({ ...A, platform: 'linux/386' }))?.cause).toBe('platforms');
});

it('says in one line that only the compressor differs', () => {
  const difference = firstDifference(output(A), output(image('config', ['l1', 'd1'], ['x', 'd2'])));
  const text = difference === null ? '' : describeDifference(difference);
  expect(text).toContain(`layer 2 ${digestOf('l2').slice(7, 19)} -> ${digestOf('x').slice(7, 19)}`);
  expect(text).toContain('another compressor');
});

it.each([
  ['linux/x86_64', 'linux/amd64'],
  ['Linux/ARM64/v8', 'linux/arm64'],
  ['linux/arm', 'linux/arm/v7'],
  ['linux/arm/6', 'linux/arm/v6'],
  ['linux/amd64/v3', 'linux/amd64/v3'],
  ['linux/386', 'linux/386'],
])('spells the platform %s as %s', (text, expected) => {
  expect(normalizePlatform(text)).toBe(expected);
});

it.each(['', 'linux', 'linux/', 'a/b/c/d', 'linux/../x'])('refuses the platform %j', (text) => {
  expect(() => normalizePlatform(text)).toThrow('not a platform');
});

it('names images as containerd does', () => {
  expect(fullImageName('stagex/x:1')).toBe('docker.io/stagex/x:1');
  expect(fullImageName('x')).toBe('docker.io/library/x:latest');
  expect(fullImageName('localhost:5000/x')).toBe('localhost:5000/x:latest');
  expect(layoutIndex(descriptor('i'), 'stagex/a&b:1')).toContain('a\\u0026b:1');
});
