/** What BuildKit v0.32.2 printed, read back. */
import { expect, test } from 'vitest';
import { parseFindings } from './findings.ts';

const PRINTED = `
WARNING: FromAsCasing - https://docs.docker.com/go/dockerfile/rule/from-as-casing/
'as' and 'FROM' keywords' casing do not match
Containerfile:1
--------------------
   1 | >>> FROM stagex/core-b as base
   2 |     WORKDIR rel
--------------------

WARNING: Plain
no place
`;

test('rule, text, page and line', () => {
  expect(parseFindings(PRINTED.trim())).toEqual([
    {
      rule: 'FromAsCasing',
      text: "'as' and 'FROM' keywords' casing do not match",
      url: 'https://docs.docker.com/go/dockerfile/rule/from-as-casing/',
      line: 1,
    },
    { rule: 'Plain', text: 'no place', url: null, line: null },
  ]);
  expect(parseFindings('')).toEqual([]);
});

test('what looks like a warning in an excerpt is none', () => {
  const text = PRINTED.replace('WORKDIR rel', 'WARNING: Me - too').trim();
  expect(parseFindings(text)).toHaveLength(2);
});
