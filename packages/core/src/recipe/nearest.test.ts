/** The nearest names to a mistyped one. */
import { describe, expect, it } from 'vitest';
import { didYouMean, listed, nearestNames } from './nearest.ts';

describe('nearestNames', () => {
  const known = ['core-musl', 'core-zlib', 'core-zip', 'user-zlib', 'a'];

  it.each([
    ['core-zlob', ['core-zlib', 'core-zip']],
    ['core-zlbi', ['core-zlib', 'core-zip']],
    ['core-mus', ['core-musl']],
    ['completely-else', []],
    ['b', []],
    ['', []],
  ])('of %j', (text, near) => {
    expect(nearestNames(text, known)).toEqual(near);
  });

  it('does not depend on the order of the names', () => {
    expect(nearestNames('core-zli', [...known].reverse())).toEqual(nearestNames('core-zli', known));
  });

  it('reads as a question', () => {
    expect(didYouMean([])).toBeUndefined();
    expect(didYouMean(['x'])).toBe('did you mean x?');
    expect(listed(['a', 'b', 'c'], 'and')).toBe('a, b and c');
  });
});
