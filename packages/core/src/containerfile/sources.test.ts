/** Which context files a COPY or ADD source can take. */
import { expect, test } from 'vitest';
import { matchesContextSource } from './sources.ts';

const matches = (pattern: string, path: string): boolean =>
  matchesContextSource({ pattern, instruction: 'copy', line: 1 }, path);

test.each([
  ['.', 'any/thing'],
  ['a', 'a'],
  ['a', 'a/b/c'],
  ['a/b', 'a/b/c'],
  ['*', '.hidden'],
  ['*', 'a/b'],
  ['*.c', 'x.c'],
  ['*.d', 'x.d/inside'],
  ['a/*/c', 'a/b/c/d'],
  ['a/[x-z]?', 'a/y1'],
  ['a/[^x]', 'a/y'],
  ['\\*', '*'],
  ['\\*', '\\*'],
  ['a[', 'anything: Go refuses the pattern'],
  ['é?', 'éü'],
])('%s can take %s', (pattern, path) => {
  expect(matches(pattern, path)).toBe(true);
});

test.each([
  ['a', 'ab'],
  ['a', 'b/a'],
  ['a/b', 'a'],
  ['*.c', 'x.h'],
  ['*.c', 'd/x.c'],
  ['a/*/c', 'a/c'],
  ['a/[^x]', 'a/x'],
  ['[a-c]', 'd'],
  ['a.c', 'abc'],
  ['\\*', 'x'],
])('%s can not take %s', (pattern, path) => {
  expect(matches(pattern, path)).toBe(false);
});
