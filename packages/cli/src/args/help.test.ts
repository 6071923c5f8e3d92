/** Help is complete, fits 80 columns, and the manual is current. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { commands } from '../commands/table.ts';
import { line } from '../testing/line.ts';
import { width } from '../text/width.ts';
import { manual, overview, page } from './help.ts';
import { parseLine } from './parse.ts';

test('every line fits a terminal of 80 columns', () => {
  for (const text of [overview(commands), ...commands.filter(({ hidden }) => hidden !== true).map(page)]) {
    for (const row of text.split('\n')) {
      // Examples are to be copied, so they are never broken.
      if (!row.startsWith('  stx-make')) expect(width(row), row).toBeLessThanOrEqual(80);
    }
  }
});

test('every command has an example, and every example parses', () => {
  for (const command of commands.filter(({ hidden }) => hidden !== true)) {
    expect(command.examples.length, command.name).toBeGreaterThan(0);
    for (const example of command.examples) {
      const words = example.line.split(/ [|>] /)[0]?.split(' ') ?? [];
      expect(parseLine(words, commands).command?.name).toBe(command.name);
    }
  }
});

test('a page names every option and argument', () => {
  const build = commands.find(({ name }) => name === 'build');
  if (build === undefined) throw new Error('no build');
  const text = page(build);
  const shown = Object.entries(build.options).filter(([, option]) => option.hidden !== true);
  expect(text).not.toContain('--detached');
  for (const [name] of shown) expect(text).toContain(`--${name}`);
  expect(text).toContain('Usage: stx-make build [OPTION...] SELECTION...');
  expect(text).toContain('-j, --jobs N');
});

test('docs/commands.md is what the tables say', () => {
  const file = new URL('../../../../docs/commands.md', import.meta.url);
  expect(readFileSync(file, 'utf8')).toBe(manual(commands));
});

test('help, --help, no words: exit 0 on stdout; hidden commands are not named', async () => {
  for (const words of [[], ['help'], ['--help'], ['-h']]) {
    const { code, stdout, stderr } = await line(words);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('world');
    expect(stdout).not.toContain('__');
  }
  expect((await line(['help', 'build'])).stdout).toBe((await line(['build', '--help'])).stdout);
  const wrong = await line(['help', 'bulid']);
  expect([wrong.code, wrong.stdout]).toEqual([2, '']);
  expect(wrong.stderr).toContain('did you mean build?');
});

test('version', async () => {
  const { code, stdout } = await line(['--version']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^stx-make \d+\.\d+\.\d+\n$/);
  expect(JSON.parse((await line(['--version', '--json'])).stdout)).toMatchObject({ schema: 1 });
});
