/** Times derived from hashes. */
import { expect, it } from 'vitest';
import { mtimeOfHash } from './mtime.ts';

it('gives whole seconds from 2 up to, but not, 10^9', () => {
  expect(mtimeOfHash('0'.repeat(64))).toBe(2);
  // 999,999,997 and 999,999,998 as the first 12 digits: the last one is the first that wraps around.
  expect(mtimeOfHash(`00003b9ac9fd${'0'.repeat(52)}`)).toBe(999_999_999);
  expect(mtimeOfHash(`00003b9ac9fe${'0'.repeat(52)}`)).toBe(2);
  expect(Number.isInteger(mtimeOfHash('f'.repeat(64)))).toBe(true);
});

it('differs for contents that differ', () => {
  expect(mtimeOfHash(`1${'0'.repeat(63)}`)).not.toBe(mtimeOfHash(`2${'0'.repeat(63)}`));
});

it('takes nothing but a hash', () => {
  expect(() => mtimeOfHash('sha256:00')).toThrow();
});
