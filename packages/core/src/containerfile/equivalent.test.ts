/** Equal apart from comments, blank lines and places; anything a step can see differs. */
import { expect, test } from 'vitest';
import { sayTheSame } from './equivalent.ts';

const BASE = 'FROM scratch AS a\nRUN <<EOF\n  echo x\nEOF\nCOPY --from=b --chmod=755 x \\\n  /y\n';
const same = (text: string): boolean => sayTheSame(Buffer.from(BASE), Buffer.from(text));

test.each([
  BASE,
  `# comment\n\n${BASE}`,
  BASE.replace('COPY', '\n# why\nCOPY'),
  BASE.replace('x \\\n  /y', 'x \\\n# in between\n  /y'),
])('%j says the same', (text) => {
  expect(same(text)).toBe(true);
});

test.each([
  BASE.replace('echo x', '# echo x'),
  BASE.replace('755', '644'),
  BASE.replace('/y', '/z'),
  `# syntax=x/y\n${BASE}`,
  `# escape=\`\n${BASE.replace('\\\n  ', '')}`,
  `# check=skip=all\n${BASE}`,
  `${BASE}RUN true\n`,
  '',
])('%j does not', (text) => {
  expect(same(text)).toBe(false);
});
