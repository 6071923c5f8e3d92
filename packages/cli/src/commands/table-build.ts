/** The commands that build or plan: world, build, plan. A part of the table (table.ts). */
import { type CommandSpec, defineCommand } from '../args/model.ts';
import {
  detachOptions,
  planOptions,
  runOptions,
  selectionOptions,
  shardOptions,
  timeOptions,
} from '../args/options.ts';

const BUILD = 'Build';

const selection = {
  name: 'SELECTION',
  summary: 'Targets, stages, globs, +NAME (with what it needs), NAME+ (with what needs it), @FILE, all',
  complete: 'target',
} as const;

export const buildCommands: readonly CommandSpec[] = [
  defineCommand({
    name: 'world',
    group: BUILD,
    summary: 'Build every target of the tree',
    details: [
      'Builds what has no valid record, in the order of the longest remaining path. With nothing to do no ' +
        'daemon is contacted. Ctrl-C once cancels what runs and keeps what is finished; twice kills.',
      'A terminal that is closed never ends a run: it goes on without it, and can be watched with attach.',
    ],
    arguments: [],
    options: { ...runOptions, ...timeOptions, ...detachOptions, ...shardOptions },
    examples: [
      { line: 'world', text: 'everything, on the managed BuildKit' },
      { line: 'world -k -j 4', text: 'four builds at a time, going on after failures' },
      {
        line: 'world --worker tcp://a:1234 --worker tcp://b:1234',
        text: 'on two daemons; results travel through the local store',
      },
      { line: 'world --json > result.json', text: 'for a script' },
      { line: 'world --remote ghcr.io/org/cache', text: 'taking what other machines have built' },
      { line: 'world --for 5h', text: 'as far as it comes in five hours; the next one goes on' },
      { line: 'world --detach', text: 'for hours, over ssh: look at it with attach' },
    ],
    signals: 'kind',
    load: async () => (await import('../early.ts')).world,
  }),
  defineCommand({
    name: 'build',
    group: BUILD,
    summary: 'Build targets and all they need',
    arguments: [{ ...selection, arity: 'some' }],
    options: { ...runOptions, ...timeOptions, ...detachOptions, ...shardOptions, ...selectionOptions },
    examples: [
      { line: 'build core-musl', text: 'one target' },
      { line: 'build musl user-htop', text: 'a bare name works where it is unique' },
      { line: "build core 'user-lib*' --except user-libfoo", text: 'a stage and what matches, less one' },
      { line: 'build core-zlib+', text: 'core-zlib and everything that needs it' },
      { line: 'build core-musl --no-cache', text: 'anew, whatever the records say' },
    ],
    signals: 'kind',
    load: async () => (await import('../early.ts')).build,
  }),
  defineCommand({
    name: 'plan',
    group: BUILD,
    summary: 'Show what would be built, and why',
    details: [
      'build: it will be built. waiting: something it needs will be built first; whether it must be built ' +
        'too depends on what that gives. hit: a record answers.',
    ],
    arguments: [{ ...selection, arity: 'many' }],
    options: {
      ...planOptions,
      ...selectionOptions,
      commands: {
        kind: 'flag',
        summary: 'Print a self-contained sh script of the exact buildctl calls for one TARGET',
      },
      all: { kind: 'flag', summary: 'List hits, too' },
    },
    examples: [
      { line: 'plan', text: 'the whole tree' },
      { line: 'plan core-musl --all', text: 'one target and all it needs' },
      { line: 'plan --commands core-musl > build.sh', text: 'what would be run, to run it elsewhere' },
    ],
    load: async () => (await import('./plan.ts')).plan,
  }),
];
