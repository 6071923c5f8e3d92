/** The command for CI: matrix. A part of the table (table.ts). */
import { type CommandSpec, defineCommand, type OptionSpecs } from '../args/model.ts';
import { planOptions, remoteOptions, timeOptions } from '../args/options.ts';
import { SYSTEMS } from '../ci/model.ts';

export const matrixOptions = {
  ...planOptions,
  jobs: { ...planOptions.jobs, summary: 'Builds at a time on each shard', fallback: '2' },
  shards: {
    kind: 'number',
    value: 'N',
    least: 1,
    summary: 'So many shards',
    fallback: 'the fewest after which more save less than 5 %, at most 256',
  },
  pending: { kind: 'flag', summary: 'Only what has no record here; else everything, as on the first night' },
  durations: {
    kind: 'text',
    value: 'FILE',
    summary: 'How long targets take, as JSON: { "core-musl": 61000 }, milliseconds',
    fallback: "the remote's history, else what was built here",
    complete: 'file',
  },
  remote: remoteOptions.remote,
  'remote-insecure': remoteOptions['remote-insecure'],
  format: {
    kind: 'choice',
    value: 'FORMAT',
    choices: ['table', 'github'],
    fallback: 'table',
    summary: 'github: one line of JSON for strategy.matrix, also of Forgejo',
  },
  write: { kind: 'flag', summary: 'Write the workflows of a night and of pull requests, for SYSTEM' },
  output: {
    kind: 'text',
    value: 'DIR',
    summary: '--write: the repository they go to; - is stdout',
    fallback: 'the one you are in',
    complete: 'folder',
  },
  for: { ...timeOptions.for, summary: '--write: how long a night may be, e.g. 5h', fallback: '5h' },
  cron: {
    kind: 'text',
    value: 'CRON',
    summary: '--write: when the night begins, in UTC',
    fallback: '17 1 * * *',
  },
  'runs-on': {
    kind: 'text',
    value: 'LABEL',
    summary: '--write: the machines',
    fallback: 'ubuntu-latest; docker; any',
  },
  command: {
    kind: 'text',
    value: 'COMMAND',
    summary: '--write: how stx-make is called there',
    fallback: './run in a clone of stx-make, else stx-make',
  },
  install: { kind: 'text', value: 'LINES', summary: '--write: shell lines that make the command available' },
} as const satisfies OptionSpecs;

export const ciCommands: readonly CommandSpec[] = [
  defineCommand({
    name: 'matrix',
    group: 'Build',
    summary: 'Share the work out among CI jobs, and write their workflows',
    details: [
      'Shows how many shards are worth their machines, what each would do and how long it would take. The shards of a run ' +
        'share out what is left to do then in the same way (`world --shard`); nothing has to be passed to them.',
      '--write makes complete workflows: a night of shards that goes on where the last one ended, and a pull-request ' +
        'workflow that builds what is affected and may only read the remote. See docs/ci.md.',
    ],
    arguments: [
      { name: 'SYSTEM', summary: 'Whose workflows --write writes', arity: 'optional', choices: SYSTEMS },
    ],
    options: matrixOptions,
    examples: [
      { line: 'matrix', text: 'how many machines, how long' },
      { line: 'matrix --shards 8 --json', text: 'what each of eight would do, for a script' },
      { line: 'matrix --write github', text: 'workflows under .github/workflows' },
      { line: 'matrix --write forgejo --shards 4 --runs-on big', text: 'four shards on machines of a kind' },
    ],
    load: async () => (await import('./matrix.ts')).matrix,
  }),
];
