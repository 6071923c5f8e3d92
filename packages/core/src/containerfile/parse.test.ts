// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Containerfiles write variables like that.
import { expect, test } from 'vitest';
import { ProblemError } from '../errors.ts';
import type { Instruction, ParsedContainerfile } from './instructions.ts';
import { parseContainerfile } from './parse.ts';

const parse = (text: string): ParsedContainerfile =>
  parseContainerfile(new TextEncoder().encode(text), 'pkg/Containerfile');

const instructions = (text: string): readonly Instruction[] =>
  parse(text).stages.flatMap((stage) => stage.instructions);

function problemsOf(text: string): string[] {
  try {
    parse(text);
    return [];
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return error.problems.map(({ code, file, line, text: what }) => `${code} ${file}:${line} ${what}`);
  }
}

test('stages, their lines and names', () => {
  const { stages, metaArgs } = parse(
    'ARG A=1 B\n\nFROM --platform=$A scratch AS Build\nRUN true\nfrom build\n# c\nCOPY a /\n',
  );
  expect(metaArgs).toEqual([
    {
      kind: 'arg',
      line: 1,
      pairs: [
        { key: 'A', value: '1' },
        { key: 'B', value: null },
      ],
    },
  ]);
  expect(stages.map(({ from }) => from)).toEqual([
    { kind: 'from', line: 3, image: 'scratch', name: 'build', platform: '$A' },
    { kind: 'from', line: 5, image: 'build', name: null, platform: '' },
  ]);
  expect(stages[1]?.instructions[0]?.line).toBe(7);
});

test('an instruction has the line it begins on, over continuations, comments and heredocs', () => {
  const list = instructions(
    'FROM scratch\nRUN a \\\n# c\n\n  b\nRUN <<EOF\nFROM x\nEOF\nCOPY --from=x \\\n  y /\nWORKDIR /\n',
  );
  expect(list.map(({ kind, line }) => `${kind}:${line}`)).toEqual(['run:2', 'run:6', 'copy:9', 'workdir:11']);
});

test('COPY: flags, sources, heredocs', () => {
  const [copy] = instructions(
    'FROM scratch\nCOPY --chown=1 --from=B --exclude=*.o --exclude=x --parents a <<-"E" b /d/\n\t\tbody\n\tE\n',
  );
  expect(copy).toEqual({
    kind: 'copy',
    line: 2,
    from: 'B',
    sources: ['a', 'b'],
    inline: [{ name: 'E', content: 'body\n', expand: false }],
    destination: '/d/',
    chown: '1',
    chmod: '',
    checksum: '',
    excludes: ['*.o', 'x'],
    parents: true,
    link: false,
  });
});

test('RUN: network, security, mounts', () => {
  const list = instructions(
    'FROM scratch\nRUN --network=none --mount=type=bind,from=x,target=/a --security=insecure true\nRUN x --network=none\n',
  );
  expect(list).toEqual([
    {
      kind: 'run',
      line: 2,
      network: 'none',
      security: 'insecure',
      mounts: [{ value: 'type=bind,from=x,target=/a', from: 'x' }],
      devices: [],
    },
    { kind: 'run', line: 3, network: 'default', security: 'sandbox', mounts: [], devices: [] },
  ]);
});

test('ENV and ARG keep quotes and escapes for later', () => {
  expect(instructions('FROM scratch\nENV A="1 2" B=\\ x\nENV C d  e\nARG D=\'$X\' E\n')).toMatchObject([
    {
      pairs: [
        { key: 'A', value: '"1 2"' },
        { key: 'B', value: '\\ x' },
      ],
    },
    { pairs: [{ key: 'C', value: 'd  e' }] },
    {
      pairs: [
        { key: 'D', value: "'$X'" },
        { key: 'E', value: null },
      ],
    },
  ]);
});

test('directives: syntax and check are told, escape is obeyed', () => {
  const parsed = parse(
    '#syntax = a/b:1 more\n# check=skip=all\n# escape=`\nFROM scratch\nRUN a `\n b\\\nRUN c\n',
  );
  expect(parsed.syntax).toEqual({ image: 'a/b:1', line: 1 });
  expect(parsed.check).toEqual({ value: 'skip=all', line: 2 });
  expect(parsed.escapeToken).toBe('`');
  expect(parsed.stages[0]?.instructions.map(({ line }) => line)).toEqual([5, 7]);
});

test('syntax is found in the forms BuildKit accepts, and not after the first other line', () => {
  expect(parse('\ufeff# syntax=a\nFROM scratch\n').syntax).toEqual({ image: 'a', line: 1 });
  expect(parse('#!/bin/x\n# syntax=a\nFROM scratch\n').syntax).toEqual({ image: 'a', line: 2 });
  expect(parse('# c\n# syntax=a\nFROM scratch\n').syntax).toBeNull();
  expect(parse('FROM scratch\n# syntax=a\n').syntax).toBeNull();
});

test('every wrong instruction is a problem of its own, with file and line', () => {
  expect(problemsOf('FROM scratch\nFOO x\nCOPY --form=a b /\nCOPY a\nRUN true\nENV A\n')).toEqual([
    'containerfile-syntax pkg/Containerfile:6 ENV must have two arguments',
  ]);
  expect(problemsOf('FROM scratch\nFOO x\nCOPY --form=a b /\nRUN true\nCOPY a\n')).toEqual([
    expect.stringMatching(/^containerfile-instruction pkg\/Containerfile:2 unknown instruction: FOO/),
    expect.stringMatching(
      /^containerfile-instruction pkg\/Containerfile:3 unknown flag: --form \(known are --chown/,
    ),
    expect.stringMatching(
      /^containerfile-instruction pkg\/Containerfile:5 COPY requires at least two arguments/,
    ),
  ]);
});

test.each([
  ['', 'the Dockerfile cannot be empty'],
  ['# only\n', 'file with no instructions'],
  ['ARG A\n', 'no stages to build'],
  ['RUN true\n', 'no build stage in current context: RUN before any FROM'],
  ['FROM scratch\nRUN <<EOF\nx\n', 'unterminated heredoc'],
  ['# escape=x\nFROM scratch\n', 'invalid escape token'],
  ['FROM scratch AS 1\n', 'invalid name for build stage'],
  ['FROM a b\n', 'FROM requires either one or three arguments'],
  ['FROM scratch\nRUN --mount=from=$A,target=/x true\n', "doesn't support variable expansion"],
])('%j is refused', (text, reason) => {
  expect(problemsOf(text).join()).toContain(reason);
});

test('carriage returns, a byte order mark and invalid UTF-8 are taken', () => {
  const bytes = Buffer.concat([
    Buffer.from('\ufeffFROM scratch\r\nCOPY a\\\r\nb /\r\n#'),
    Buffer.from([0xff]),
  ]);
  const { stages } = parseContainerfile(bytes, 'C');
  expect(stages[0]?.instructions).toMatchObject([{ sources: ['ab'], destination: '/' }]);
});

test('what is nested as deep as a line is long does not overflow', () => {
  expect(problemsOf(`FROM scratch\n${'ONBUILD '.repeat(8000)}\n`).join()).toContain('Chaining ONBUILD');
  const deep = (depth: number): string =>
    `FROM scratch\nCOPY ["a", ${'['.repeat(depth)}1${']'.repeat(depth)}]\n`;
  expect(problemsOf(deep(9000)).join()).toContain('arrays must be comprised of strings only');
});
