/**
 * Random Containerfiles for the oracle: well formed for the most part, so that most questions reach the
 * resolver and not only the parser.
 */
import fc from 'fast-check';
import type { Question } from './oracle.ts';

const NAMES = ['x1', 'x2', 'x3', 'fetch', 'X1'] as const;
const IMAGES = [
  'stagex/a',
  'docker.io/stagex/b:latest',
  'stagex/c',
  'stagex/d:1.0',
  'alpine',
  'fetch',
] as const;
const VALUES = ['1', 'a', 'a.b.c', '', 'x y', 'stagex/a', 'x1'] as const;
const VARIABLES = ['A', 'B', 'TARGETARCH'] as const;

const space = fc.constantFrom(' ', ' ', ' ', '  ', '\t', ' \\\n  ', ' \\\n# comment\n\n ');
const variable = fc.constantFrom(...VARIABLES);

/** What may stand in a word that is expanded; nothing that fails, or most files would. */
const part = fc.oneof(
  fc.constantFrom('a', 'b.c', '*.o', './d/', '/e', '"f g"', "'$h'", '\\$i', '.', '..'),
  variable.map((name) => `$${name}`),
  fc
    .tuple(
      variable,
      fc.constantFrom('', ':-d', '-d', ':+p', '+p', '#*.', '##*.', '%.*', '%%.*', '/./_', '//./_'),
    )
    .map(([name, modifier]) => `\${${name}${modifier}}`),
);
const word = fc.array(part, { minLength: 1, maxLength: 2 }).map((parts) => parts.join(''));

/** What a `--from` names: for the most part something that is there. */
const from = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom<string>(...IMAGES) },
  { weight: 3, arbitrary: fc.constantFrom<string>(...NAMES, '0') },
  { weight: 1, arbitrary: fc.constantFrom('1', '2', '5', 'scratch', 'stagex/a@nodigest', 'not-there') },
);

/** What FROM starts from: a number is an image there. */
const base = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<string>(...IMAGES) },
  { weight: 6, arbitrary: fc.constant('scratch') },
  { weight: 2, arbitrary: fc.constantFrom<string>(...NAMES) },
  { weight: 1, arbitrary: variable.map((name) => `\${${name}:-scratch}`) },
);

const copy = fc
  .tuple(
    fc.constantFrom('COPY', 'copy', 'ADD'),
    fc.option(from, { nil: undefined }),
    fc.subarray(['--link', '--chown=0:0', '--chmod=755', '--exclude=*.md']),
    fc.array(word, { minLength: 1, maxLength: 2 }),
    space,
  )
  .map(([keyword, image, flags, sources, gap]) => {
    const isCopy = keyword !== 'ADD';
    const all = [
      ...flags.slice(0, 1),
      ...(image === undefined || !isCopy ? [] : [`--from=${image}`]),
      ...flags.slice(1),
    ];
    return [keyword, ...all, ...sources, '/dest/'].join(gap);
  });

const mount = fc
  .tuple(
    fc.constantFrom('bind', 'cache', 'tmpfs'),
    fc.option(from, { nil: undefined }),
    fc.option(word, { nil: undefined }),
  )
  .map(([type, image, source]) =>
    [
      `type=${type}`,
      ...(image === undefined ? [] : [`from=${image}`]),
      ...(source === undefined ? [] : [`source=${source.replace(/["\s,]/g, '')}`]),
      'target=/m',
    ].join(','),
  );

const run = fc
  .tuple(
    fc.array(mount, { maxLength: 2 }),
    fc.constantFrom(
      'true',
      '["true"]',
      "<<'E'\nFROM alpine\nCOPY --from=other / /\nE",
      'cat <<-E | sh\n\tARG A=9\n\tE',
    ),
    space,
  )
  .map(([mounts, command, gap]) =>
    ['RUN', '--network=none', ...mounts.map((value) => `--mount=${value}`), command].join(gap),
  );

const variables = fc.oneof(
  fc.tuple(variable, word).map(([name, value]) => `ARG ${name}=${value.replaceAll(' ', '')}`),
  variable.map((name) => `ARG ${name}`),
  fc.tuple(variable, word).map(([name, value]) => `ENV ${name}=${value.replaceAll(' ', '')}`),
);

const plain = fc.oneof(
  copy,
  copy,
  run,
  variables,
  fc.constantFrom('# c', '', 'WORKDIR /w', 'USER $A', 'LABEL a=$B'),
);
const instruction = fc.oneof(
  { weight: 9, arbitrary: plain },
  { weight: 1, arbitrary: fc.oneof(copy, run, variables).map((line) => `ONBUILD ${line}`) },
);

const stage = fc
  .tuple(
    fc.constantFrom('FROM', 'from'),
    base,
    fc.option(fc.constantFrom(...NAMES), { nil: undefined, freq: 4 }),
    fc.array(instruction, { maxLength: 6 }),
  )
  .map(([keyword, image, name, lines]) =>
    [`${keyword} ${image}${name === undefined ? '' : ` AS ${name}`}`, ...lines].join('\n'),
  );

export const question: fc.Arbitrary<Question> = fc
  .record(
    {
      before: fc.array(
        variables.filter((line) => line.startsWith('ARG')),
        { maxLength: 2 },
      ),
      stages: fc.array(stage, { minLength: 1, maxLength: 4 }),
      target: fc.constantFrom('x1', 'X2', 'x3'),
      buildArgs: fc.dictionary(variable, fc.constantFrom(...VALUES), { maxKeys: 2, noNullPrototype: true }),
      contexts: fc.constantFrom<readonly string[]>(['fetch'], ['fetch', 'x2']),
      crlf: fc.boolean(),
    },
    { requiredKeys: ['before', 'stages', 'contexts'] },
  )
  .map(({ before, stages, crlf, ...rest }) => {
    const text = `${[...before, ...stages].join('\n')}\n`;
    return { ...rest, text: crlf === true ? text.replaceAll('\n', '\r\n') : text };
  });
