/** Cutting at columns, as a terminal counts them. */
import { expect, test } from 'vitest';
import { cut, cutStart, fit, right, width, wrap } from './width.ts';

test('wide and combining characters', () => {
  expect(width('abc')).toBe(3);
  expect(width('日本')).toBe(4);
  expect(width('e\u0301')).toBe(1);
  expect(width('👩‍💻')).toBe(2);
});

test('cut keeps graphemes whole and never exceeds', () => {
  expect(cut('abcdef', 4)).toBe('abc…');
  expect(cut('日本語', 6)).toBe('日本語');
  expect(cut('日本語', 5)).toBe('日本…');
  expect(cut('日本語', 4)).toBe('日…');
  expect(cut('a👩‍💻b', 3)).toBe('a…');
  expect(cut('abc', 0)).toBe('');
  expect(cut('abcdef', 2, '...')).toBe('ab');
  for (let columns = 0; columns < 12; columns++) {
    expect(width(cut('日e\u0301本👩‍💻 x語', columns))).toBeLessThanOrEqual(columns);
    expect(width(cutStart('日e\u0301本👩‍💻 x語', columns))).toBeLessThanOrEqual(columns);
    expect(width(fit('日e\u0301本👩‍💻 x語', columns))).toBe(columns);
  }
});

test('fit, right, wrap', () => {
  expect(fit('ab', 4)).toBe('ab  ');
  expect(right('7', 3)).toBe('  7');
  expect(cutStart('packages/core/musl', 10)).toBe('…core/musl');
  expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
  expect(wrap('unbreakable word', 4)).toEqual(['unbreakable', 'word']);
});
