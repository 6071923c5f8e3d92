// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Containerfiles write variables like that.
import { expect, test } from 'vitest';
import { expandWord, NO_VARIABLES, splitWords } from './lex.ts';

const variables = new Map([
  ['V', 'a.b.tar.gz'],
  ['E', ''],
]);
const expand = (word: string): string => expandWord(word, variables, { escapeToken: '\\' }).text;

test.each([
  ['$V-${V}', 'a.b.tar.gz-a.b.tar.gz'],
  ['$U|${U}|$1|$', '|||$'],
  ['${U:-d}${E:-d}${E-d}', 'dd'],
  ['${V:+p}${E:+p}${E+q}', 'pq'],
  ['${V#*.} ${V##*.}', 'b.tar.gz gz'],
  ['${V%.*} ${V%%.*}', 'a.b.tar a'],
  ['${V/./-} ${V//./-}', 'a-b.tar.gz a-b-tar-gz'],
  ['${U:-${E:-${V%.gz}}}', 'a.b.tar'],
  [`"$V" '$V' \\$V "\\$V" "\\x"`, 'a.b.tar.gz $V $V $V \\x'],
  // `$0` within the braces is a variable; `\\$0` reaches Go's regexp, which takes it for the match.
  ['${V//b/<\\$0>}', 'a.<\\b>.tar.gz'],
  // Go skips the empty match at the end, JavaScript would not.
  ['${V//*/-}', '-'],
])('%s', (word, expected) => {
  expect(expand(word)).toBe(expected);
});

test.each([
  ['${V', "missing '}'"],
  ['${}', 'bad substitution'],
  ['${V;}', 'unsupported modifier'],
  ['${U:?why}', 'U: why'],
  ['${U?}', 'U: is not allowed to be unset'],
  ['${E:?}', 'E: is not allowed to be empty'],
  ['"x', 'matching double-quote'],
  ["'x", 'matching single-quote'],
  ['${V#\\a}', 'invalid escape'],
])('%j is refused', (word, reason) => {
  expect(() => expand(word)).toThrow(reason);
});

test('words are split after expansion, quotes hold them together', () => {
  const list = new Map([['L', 'b  c']]);
  expect(splitWords('a $L "$L" d\\ e', list, { escapeToken: '\\' })).toEqual(['a', 'b', 'c', 'b  c', 'd e']);
  expect(splitWords('cat <<  E <<-"F"', NO_VARIABLES, { escapeToken: '\\', rawQuotes: true })).toEqual([
    'cat',
    '<<  E',
    '<<-"F"',
  ]);
});

test('substitutions nested as deep as a line is long do not overflow', () => {
  expect(() => expand('${U:-'.repeat(5000) + '}'.repeat(5000))).toThrow('nested too deeply');
});
