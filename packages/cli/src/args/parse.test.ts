/** Command lines: what they mean, and that everything wrong in one is told with the nearest right word. */
import { ProblemError } from '@stx-make/core/errors';
import { expect, test } from 'vitest';
import { commands } from '../commands/table.ts';
import { commonOptions } from './options.ts';
import { parseLine, wantsJson } from './parse.ts';

const parse = (line: string) => parseLine(line === '' ? [] : line.split(' '), commands);

function problemsOf(words: readonly string[]): string[] {
  try {
    parseLine(words, commands);
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return error.problems.map(({ code, text, hint }) => `${code}: ${text} (${hint ?? ''})`);
  }
  throw new Error('it was accepted');
}

test('no two commands give one option different shapes', () => {
  const shapes = new Map<string, string>();
  const shorts = new Map<string, string>();
  for (const specs of [commonOptions, ...commands.map(({ options }) => options)]) {
    for (const [name, spec] of Object.entries(specs)) {
      const shape = JSON.stringify([spec.kind === 'flag', spec.short]);
      expect(shapes.get(name) ?? shape, name).toBe(shape);
      shapes.set(name, shape);
      if (spec.short === undefined) continue;
      expect(shorts.get(spec.short) ?? name, `-${spec.short}`).toBe(name);
      shorts.set(spec.short, name);
    }
  }
});

test('options before and after the command, short ones together, values in every form', () => {
  const parsed = parse('--root /t build -kj4 core-a --worker tcp://x --worker=unix:///y b');
  expect(parsed.command?.name).toBe('build');
  expect(parsed.args).toEqual(['core-a', 'b']);
  expect(parsed.common.root).toBe('/t');
  expect(parsed.options).toMatchObject({
    'keep-going': true,
    jobs: 4,
    worker: ['tcp://x', 'unix:///y'],
    'no-cache': false,
  });
  expect(parse('world -j 3').options['jobs']).toBe(3);
  expect(parse('world --jobs=3').options['jobs']).toBe(3);
});

test('defaults', () => {
  const { common, options } = parse('world');
  expect(common).toMatchObject({ ui: 'auto', color: 'auto', json: false });
  expect(common.root).toBeUndefined();
  expect(options).toMatchObject({ worker: [], 'keep-going': false });
});

test('empty values count as not given', () => {
  const { common, options } = parseLine(['world', '--root=', '--worker', '', '--state', ''], commands);
  expect(common.root).toBeUndefined();
  expect(common.state).toBeUndefined();
  expect(options['worker']).toEqual([]);
});

test('after -- everything is an argument', () => {
  expect(parse('build -- --json -j').args).toEqual(['--json', '-j']);
  expect(wantsJson(['build', '--', '--json'])).toBe(false);
  expect(wantsJson(['build', '--ui', 'json'])).toBe(true);
});

test('unknown words, each with the nearest', () => {
  expect(problemsOf(['wrold'])).toEqual([
    'unknown-command: there is no command "wrold" (did you mean world?)',
  ]);
  expect(problemsOf(['core-musl'])[0]).toContain('stx-make build core-musl');
  expect(problemsOf(['world', '--keep-goin', '--jbos=3'])).toEqual([
    'unknown-option: --keep-goin is not an option of world (did you mean --keep-going?)',
    'unknown-option: --jbos is not an option of world (did you mean --jobs or --json?)',
  ]);
  expect(problemsOf(['deps', 'a', '--keep-going'])[0]).toContain(
    '--keep-going is an option of: world, build',
  );
  expect(problemsOf(['world', '-x'])[0]).toContain('-x is not an option of world');
});

test('every wrong value is told', () => {
  expect(problemsOf(['world', '-j0', '--ui', 'tiu', '--limit-memory=lots', '--json=yes'])).toEqual([
    'bad-option-value: -j 0: a whole number of at least 1 is needed ()',
    'bad-option-value: --ui tiu: it is one of auto, tui, plain, quiet, json (did you mean tui?)',
    'bad-option-value: --limit-memory lots: a size is needed, like 512M, 8GiB or 1073741824 ()',
    'bad-option-value: --json takes no value, it was given "yes" ()',
  ]);
  expect(problemsOf(['world', '--root', '--json'])[0]).toContain('--root needs a value');
  expect(problemsOf(['world', '--root'])[0]).toContain('--root needs a value');
  for (const jobs of ['-1', '1.5', 'x', '1e3', '99999999999']) {
    expect(problemsOf(['world', `--jobs=${jobs}`])).toHaveLength(1);
  }
});

test('arguments: too few, too many, wrong ones', () => {
  expect(problemsOf(['build'])[0]).toContain('SELECTION is missing');
  expect(problemsOf(['deps'])[0]).toContain('TARGET is missing');
  expect(problemsOf(['deps', 'a', 'b'])[0]).toContain('"b" is too much');
  expect(problemsOf(['world', 'core-a'])[0]).toContain('world takes no arguments');
  expect(problemsOf(['log', 'a', 'b', 'c'])[0]).toContain('"c" is too much');
  expect(problemsOf(['daemon', 'stpo'])).toEqual([
    'bad-arguments: daemon stpo: it is one of status, stop (did you mean stop?)',
  ]);
  expect(problemsOf(['build', ''])[0]).toContain('an argument is empty');
  expect(parse('log run-1 core-a').args).toEqual(['run-1', 'core-a']);
});

test('a command of two words goes before one of one', () => {
  const parsed = parse('daemon supervise {"a":1}');
  expect([parsed.command?.name, parsed.args]).toEqual(['daemon supervise', ['{"a":1}']]);
  expect(parse('daemon stop').command?.name).toBe('daemon');
});

test('help forgives the rest of the line', () => {
  expect(parse('build --help --nonsense').common.help).toBe(true);
  expect(parse('build -h').common.help).toBe(true);
});
