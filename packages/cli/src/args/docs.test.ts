/** Commands named in the documentation exist and take the options that are shown. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { commands } from '../commands/table.ts';
import { parseLine } from './parse.ts';

const text = (name: string): string =>
  readFileSync(new URL(`../../../../docs/${name}`, import.meta.url), 'utf8');

/** The words of every `stx-make ...` in a span or block of code. */
function linesIn(markdown: string): string[][] {
  const spans = [
    ...markdown.matchAll(/`stx-make ([^`\n]+)`/g),
    ...markdown.matchAll(/^ {4}stx-make (.+)$/gm),
  ];
  return spans.map(([, line = '']) =>
    line
      .replace(/ (>|#|\|) .*$/, '')
      .replace(/ \[.*$/, '')
      .trimEnd()
      .split(' ')
      .map((word) => word.replace(/^['"]|['"]$/g, '')),
  );
}

test.each([
  'make-equivalents.md',
  'affected.md',
  'configuration.md',
  'ci.md',
  'workers.md',
  'shards.md',
  'lint/README.md',
])('%s', (name) => {
  for (const words of linesIn(text(name))) {
    expect(parseLine(words, commands).command, words.join(' ')).not.toBeNull();
  }
});

test("every target and variable of upstream's Makefile has its line", () => {
  const page = text('make-equivalents.md');
  const targets = [
    'all',
    'check',
    'verify',
    'digests',
    'new-digests',
    'digests-',
    'sign',
    'compat',
    'preseed',
    'fetch',
    'prep-release-branch',
    'import-',
    'registry-',
    'publish-',
    'content-',
    'help',
  ];
  for (const target of targets) expect(page, target).toContain(`\`make ${target}`);
  for (const name of [
    'STAGES',
    'PROGRESS',
    'PLATFORM',
    'REGISTRY',
    'RELEASE',
    'NOCACHE',
    'CHECK',
    'IMPORT',
    'BUILDER',
    'SIGNATURES',
  ]) {
    expect(page, name).toMatch(new RegExp(`\`${name}[\`=]`));
  }
});
