/** What an image reference means in a tree: a target, a named context, or something from outside. */
import { describe, expect, it } from 'vitest';
import { meaningOf, parseImage } from './image.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('parseImage', () => {
  // As github.com/distribution/reference's ParseNormalizedNamed and FamiliarString.
  it.each([
    ['alpine', 'docker.io', 'library/alpine', null, 'alpine'],
    ['docker.io/library/alpine:3.20', 'docker.io', 'library/alpine', '3.20', 'alpine:3.20'],
    ['index.docker.io/stagex/core-musl', 'docker.io', 'stagex/core-musl', null, 'stagex/core-musl'],
    ['stagex/core-musl:latest', 'docker.io', 'stagex/core-musl', 'latest', 'stagex/core-musl'],
    ['localhost/a', 'localhost', 'a', null, 'localhost/a'],
    ['localhost:5000/a/b:1', 'localhost:5000', 'a/b', '1', 'localhost:5000/a/b:1'],
    ['quay.io/stagex/core-musl', 'quay.io', 'stagex/core-musl', null, 'quay.io/stagex/core-musl'],
    ['Host/a', 'Host', 'a', null, 'Host/a'],
    ['a__b/c---d.e_f', 'docker.io', 'a__b/c---d.e_f', null, 'a__b/c---d.e_f'],
  ])('%s', (text, domain, path, tag, context) => {
    expect(parseImage(text)).toEqual({ domain, path, tag, digest: null, context });
  });

  it('keeps a digest', () => {
    expect(parseImage(`alpine:3@${DIGEST}`)).toMatchObject({ tag: '3', digest: DIGEST });
  });

  it.each([
    '',
    'Alpine',
    'stagex/Core',
    'a b',
    'a:',
    'a@sha256:short',
    '/a',
    'a/',
    'a//b',
    'a:b:c',
    '${X}',
    'a'.repeat(64),
    'host.x:port/a',
  ])('refuses %j', (text) => {
    expect(parseImage(text)).toBeNull();
  });
});

describe('meaningOf', () => {
  it.each([
    ['stagex/core-musl', { kind: 'target', target: 'core-musl', context: 'stagex/core-musl' }],
    ['stagex/core-musl:latest', { kind: 'target', target: 'core-musl', context: 'stagex/core-musl' }],
    ['docker.io/stagex/core-musl', { kind: 'target', target: 'core-musl', context: 'stagex/core-musl' }],
    [
      'docker.io/stagex/core-musl:latest',
      { kind: 'target', target: 'core-musl', context: 'stagex/core-musl' },
    ],
    [
      'stagex/core-musl:1.0',
      { kind: 'foreign-version', target: 'core-musl', context: 'stagex/core-musl:1.0' },
    ],
    [
      `stagex/core-musl@${DIGEST}`,
      { kind: 'foreign-version', target: 'core-musl', context: `stagex/core-musl@${DIGEST}` },
    ],
    [
      `stagex/core-musl:latest@${DIGEST}`,
      { kind: 'foreign-version', target: 'core-musl', context: `stagex/core-musl:latest@${DIGEST}` },
    ],
    ['stagex/a/b', { kind: 'target', target: 'a/b', context: 'stagex/a/b' }],
    ['quay.io/stagex/core-musl', { kind: 'outside', context: 'quay.io/stagex/core-musl' }],
    ['fetch', { kind: 'outside', context: 'fetch' }],
    ['stagex', { kind: 'outside', context: 'stagex' }],
    ['Bad/Name', { kind: 'malformed' }],
  ])('%s', (text, meaning) => {
    expect(meaningOf(text)).toEqual(meaning);
  });
});
