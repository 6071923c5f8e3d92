/** Globs over target names. */
import { expect, it } from 'vitest';
import { globPattern, isGlob } from './glob.ts';

it.each([
  ['core-*', 'core-a-b', true],
  ['core-*', 'core/a', false],
  ['*', 'a/b', false],
  ['?-a', 'b-a', true],
  ['?-a', 'bb-a', false],
  ['core-[a-c]*', 'core-bash', true],
  ['core-[!a-c]*', 'core-bash', false],
  ['core-[^a-c]*', 'core-zlib', true],
  ['*-{perl,py*}', 'core-python', true],
  ['*-{perl,py*}', 'core-ruby', false],
  ['{a,{b,c}}-x', 'c-x', true],
  ['a.b*', 'axb', false],
  ['a,b*', 'a,b', true],
  ['a|b*', 'b', false],
  ['[]]*', ']x', true],
])('%s on %s: %s', (glob, text, matches) => {
  expect(globPattern(glob)?.test(text)).toBe(matches);
});

it.each(['a[', 'a{b', '[z-a]'])('%s is none', (glob) => {
  expect(globPattern(glob)).toBeNull();
});

it('knows a glob when it sees one', () => {
  expect(['a*', 'a?', '[a]', '{a,b}'].every(isGlob)).toBe(true);
  expect(['core-rust', 'core/rust', '+a', 'a.b_c'].some(isGlob)).toBe(false);
});
