/**
 * All commands, as data. A handler's module is imported when its command runs, not before.
 */
import { SHELLS } from '../args/complete-scripts.ts';
import { type CommandSpec, defineCommand } from '../args/model.ts';
import { planOptions, selectionOptions } from '../args/options.ts';
import { buildCommands } from './table-build.ts';
import { ciCommands } from './table-ci.ts';
import { imageCommands } from './table-images.ts';
import { keepCommands } from './table-keep.ts';
import { liveCommands } from './table-live.ts';
import { pastCommands } from './table-past.ts';
import { reviewCommands } from './table-review.ts';
import { shardCommands } from './table-shards.ts';
import { watchCommands } from './table-watch.ts';
import { workerCommands } from './table-workers.ts';

const BUILD = 'Build';
const ASK = 'Ask the graph';
const LOOK = 'Look';
const SETUP = 'Set up';

const target = {
  name: 'TARGET',
  summary: 'A target, or a bare name where it is unique',
  complete: 'target',
} as const;

const selection = {
  name: 'SELECTION',
  summary: 'Targets, stages, globs, +NAME (with what it needs), NAME+ (with what needs it), @FILE, all',
  complete: 'target',
} as const;

export const commands: readonly CommandSpec[] = [
  ...buildCommands,
  ...watchCommands,
  ...shardCommands,
  ...ciCommands,
  defineCommand({
    name: 'graph',
    group: ASK,
    summary: 'Write the target graph',
    arguments: [],
    options: {
      format: {
        kind: 'choice',
        value: 'FORMAT',
        choices: ['json', 'dot', 'svg', 'html'],
        fallback: 'json',
        summary: 'How',
      },
      reduced: { kind: 'flag', summary: 'dot: leave out edges that longer paths imply' },
    },
    examples: [
      { line: 'graph --format json', text: 'targets and edges with kind and place' },
      {
        line: 'graph --format html > graph.html',
        text: 'a page to walk in, without links that longer ways imply',
      },
      { line: 'graph --format svg > graph.svg', text: 'the same picture as a file' },
      { line: 'graph --format dot --reduced', text: 'for Graphviz and its relatives' },
    ],
    load: async () => (await import('./graph.ts')).graph,
  }),
  defineCommand({
    name: 'deps',
    group: ASK,
    summary: 'List what a target needs',
    arguments: [{ ...target, arity: 'one' }],
    options: { transitive: { kind: 'flag', short: 't', summary: 'Also what those need, and so on' } },
    examples: [{ line: 'deps core-rust --transitive', text: 'everything below core-rust' }],
    load: async () => (await import('./graph.ts')).deps,
  }),
  defineCommand({
    name: 'rdeps',
    group: ASK,
    summary: 'List what needs a target',
    arguments: [{ ...target, arity: 'one' }],
    options: { transitive: { kind: 'flag', short: 't', summary: 'Also what needs those, and so on' } },
    examples: [{ line: 'rdeps core-zlib', text: 'targets that take core-zlib directly' }],
    load: async () => (await import('./graph.ts')).rdeps,
  }),
  defineCommand({
    name: 'why',
    group: ASK,
    summary: 'Why one target needs another; why a target would be built',
    details: [
      'With two targets: a shortest chain from the first to the second, every hop with file and line. ' +
        'With one: what a build of it would do, and for which reasons. With --run: what a past run did, from the ' +
        'very facts that were hashed then.',
    ],
    arguments: [
      { ...target, arity: 'one' },
      { ...target, name: 'NEEDED', summary: 'The target it should need', arity: 'optional' },
    ],
    options: {
      ...planOptions,
      run: {
        kind: 'text',
        value: 'RUN',
        summary: 'Why this run built it, as `history` names it; last: the last that did',
        complete: 'run',
      },
    },
    examples: [
      { line: 'why user-htop core-perl', text: 'the chain from htop down to perl' },
      { line: 'why core-musl', text: 'what changed' },
      { line: 'why core-musl --run last', text: 'why it was built the last time' },
    ],
    load: async () => (await import('./why.ts')).why,
  }),
  defineCommand({
    name: 'log',
    group: LOOK,
    summary: "Print a target's build log",
    details: ['Without RUN: of the newest run that has one. Control characters are shown only by --raw.'],
    arguments: [
      { name: 'RUN', summary: 'A run, as `log --list` names it', arity: 'optional', complete: 'run' },
      { ...target, arity: 'one' },
    ],
    options: {
      list: { kind: 'flag', summary: 'Name the runs that have a log of it, newest first' },
      raw: { kind: 'flag', summary: 'Byte for byte, escape sequences included' },
      path: { kind: 'flag', summary: 'Only say where the file is' },
    },
    examples: [
      { line: 'log core-musl', text: 'the newest' },
      { line: 'log core-musl --list', text: 'all there are' },
    ],
    load: async () => (await import('./log.ts')).log,
  }),
  defineCommand({
    name: 'replay',
    group: LOOK,
    summary: 'Show a recorded run again',
    details: ['FILE is what --events wrote; - is stdin. Any view shows it, also --json.'],
    arguments: [{ name: 'FILE', summary: 'A recorded run', arity: 'one', complete: 'file' }],
    options: {
      speed: {
        kind: 'number',
        value: 'N',
        least: 1,
        summary: 'So many times as fast as it was',
        fallback: '1 in the TUI; as fast as possible elsewhere',
      },
    },
    examples: [
      { line: 'replay run.ndjson --speed 10', text: 'ten times as fast' },
      { line: 'replay run.ndjson --ui plain', text: 'as lines' },
    ],
    signals: 'kind',
    load: async () => (await import('./replay.ts')).replay,
  }),
  ...liveCommands,
  ...pastCommands,
  defineCommand({
    name: 'status',
    group: LOOK,
    summary: 'What is built, what a world would do, who works on it',
    details: [
      '--follow looks at the run under way instead: what runs now, then its lines until it ends, and its exit code. ' +
        'Ctrl-C ends the looking, never the run. Without a run under way it is as without --follow.',
    ],
    arguments: [],
    options: {
      ...planOptions,
      targets: { kind: 'flag', summary: "Also every target's state" },
      follow: { kind: 'flag', short: 'f', summary: 'The run under way, as lines, until it ends' },
    },
    examples: [
      { line: 'status', text: 'what a world would do, and how long it would take' },
      { line: 'status --json', text: 'for a script' },
      { line: 'status --follow', text: 'what a run in the background does' },
    ],
    signals: 'kind',
    load: async () => (await import('./status.ts')).status,
  }),
  defineCommand({
    name: 'fetch',
    group: BUILD,
    summary: 'Download and verify sources, into the store and under fetch/',
    details: [
      'Builds fetch what they need by themselves; this is for doing it beforehand. What the tree already has under ' +
        'fetch/ or sources/ is taken by its hash. A wrong hash is never kept. See docs/sources.md.',
    ],
    arguments: [{ ...selection, arity: 'many' }],
    options: {
      ...selectionOptions,
      offline: { kind: 'flag', summary: 'Download nothing: say what is missing' },
    },
    examples: [
      { line: 'fetch', text: 'the sources of the whole tree' },
      { line: 'fetch +user-htop', text: 'of one target and all it needs' },
    ],
    signals: 'kind',
    load: async () => (await import('./sources.ts')).fetch,
  }),
  defineCommand({
    name: 'sources',
    group: BUILD,
    summary: 'List, import or export sources',
    details: [
      'list [SELECTION...]: every source and whether it is here. import PATH...: takes whatever files match a wanted ' +
        'sha256, whatever they are called, from folders, files and archives. export FILE [SELECTION...]: writes a ' +
        'bundle that can be verified, for an air gap or a CI cache; import reads it.',
    ],
    arguments: [
      { name: 'ACTION', summary: 'list, import PATH..., export FILE [SELECTION...]', arity: 'many' },
    ],
    options: {
      verify: { kind: 'flag', summary: 'list: hash every file again' },
      'allow-missing': { kind: 'flag', summary: 'export: write what is here' },
    },
    examples: [
      { line: 'sources', text: 'what is here and what is missing' },
      { line: 'sources import ~/Downloads /mnt/usb/sources.tar', text: 'whatever fits' },
      { line: 'sources export sources.tar', text: 'a bundle of all sources' },
    ],
    signals: 'kind',
    load: async () => (await import('./sources.ts')).sources,
  }),
  ...keepCommands,
  ...imageCommands,
  ...reviewCommands,
  ...workerCommands,
  defineCommand({
    name: 'daemon',
    group: SETUP,
    summary: 'Look at or end the managed BuildKit',
    arguments: [{ name: 'ACTION', summary: 'What to do', arity: 'one', choices: ['status', 'stop'] }],
    options: {},
    examples: [
      { line: 'daemon status', text: 'is it running, since when, where' },
      { line: 'daemon stop', text: 'end it; its cache stays' },
    ],
    load: async () => (await import('./daemon.ts')).daemon,
  }),
  defineCommand({
    name: 'completion',
    group: SETUP,
    summary: 'Print a completion script for a shell',
    arguments: [{ name: 'SHELL', summary: 'Which', arity: 'one', choices: SHELLS }],
    options: {},
    examples: [
      { line: 'completion bash > ~/.local/share/bash-completion/completions/stx-make', text: 'for good' },
      { line: 'completion fish | source', text: 'for this fish' },
    ],
    load: async () => (await import('./completion.ts')).completion,
  }),
  defineCommand({
    name: 'help',
    group: SETUP,
    summary: 'Show help for stx-make or a command',
    arguments: [{ name: 'COMMAND', summary: 'Which', arity: 'optional', complete: 'command' }],
    options: {},
    examples: [{ line: 'help build', text: 'the same as build --help' }],
    load: async () => (await import('./help.ts')).help,
  }),
  defineCommand({
    name: '__complete',
    group: SETUP,
    hidden: true,
    summary: 'Words that may come next, for completion scripts',
    arguments: [{ name: 'WORD', summary: 'The words so far', arity: 'many' }],
    options: {},
    examples: [],
    load: async () => (await import('./completion.ts')).completeWords,
  }),
  defineCommand({
    name: 'daemon supervise',
    group: SETUP,
    hidden: true,
    summary: 'The process that keeps the managed BuildKit',
    arguments: [{ name: 'WORD', summary: "The supervisor's own words", arity: 'many' }],
    options: {},
    examples: [],
    signals: 'own',
    load: async () => (await import('./daemon.ts')).supervise,
  }),
];
