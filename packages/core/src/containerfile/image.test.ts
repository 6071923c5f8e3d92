/** Image references in the familiar form by which BuildKit looks up named contexts. */
import { expect, test } from 'vitest';
import { familiarImageName } from './image.ts';

const HEX = 'a'.repeat(64);

test.each([
  ['stagex/core-musl', 'stagex/core-musl'],
  ['stagex/core-musl:latest', 'stagex/core-musl'],
  ['docker.io/stagex/core-musl', 'stagex/core-musl'],
  ['index.docker.io/stagex/core-musl:latest', 'stagex/core-musl'],
  ['stagex/core-musl:1.2', 'stagex/core-musl:1.2'],
  [`stagex/x:latest@sha256:${HEX}`, `stagex/x:latest@sha256:${HEX}`],
  ['fetch', 'fetch'],
  ['docker.io/library/fetch', 'fetch'],
  ['library/fetch:latest', 'fetch'],
  ['quay.io/stagex/x', 'quay.io/stagex/x'],
  ['localhost/x', 'localhost/x'],
  ['host:5000/a/b:c', 'host:5000/a/b:c'],
  ['stagex/X', null],
  ['a--b__c.d', 'a--b__c.d'],
  ['a..b', null],
  ['a:b:c', null],
  ['', null],
  [HEX, null],
  ['x@sha256:abc', null],
  [`x@sha256:${'A'.repeat(64)}`, null],
  [`x@md5:${HEX}`, null],
])('%s is %s', (image, short) => {
  expect(familiarImageName(image)).toBe(short);
});
