/** The commands that look back: report, history, stats, lineage. A part of the table (table.ts). */
import { type CommandSpec, defineCommand } from '../args/model.ts';
import { planOptions } from '../args/options.ts';

const LOOK = 'Look';

const target = {
  name: 'TARGET',
  summary: 'A target, or a bare name where it is unique',
  arity: 'one',
  complete: 'target',
} as const;

export const pastCommands: readonly CommandSpec[] = [
  defineCommand({
    name: 'report',
    group: LOOK,
    summary: 'Write a run as one HTML page',
    details: [
      'Timeline, critical path, slowest targets, what was saved, failures with their logs, and the graph to walk in. ' +
        'The page is one file and fetches nothing. See docs/report.md.',
    ],
    arguments: [
      {
        name: 'RUN',
        summary:
          'A run, as `history` names it, the beginning of its name, or a file of --events; default: the newest',
        arity: 'optional',
        complete: 'run',
      },
    ],
    options: {
      output: {
        kind: 'text',
        value: 'FILE',
        summary: 'Where the page goes; - is stdout',
        fallback: 'stx-make-report-RUN.html here',
        complete: 'file',
      },
    },
    examples: [
      { line: 'report', text: 'the newest run' },
      { line: 'report run.ndjson --output report.html', text: 'a run of a CI job, from its --events' },
    ],
    load: async () => (await import('./report.ts')).report,
  }),
  defineCommand({
    name: 'history',
    group: LOOK,
    summary: 'List the runs that built something, newest first',
    arguments: [],
    options: {
      limit: { kind: 'number', short: 'n', value: 'N', least: 1, summary: 'At most so many', fallback: '20' },
      all: { kind: 'flag', summary: 'Of every tree that shares the state' },
    },
    examples: [
      { line: 'history', text: 'of this tree' },
      { line: 'history --all --json', text: 'of all trees, for a script' },
    ],
    load: async () => (await import('./history.ts')).history,
  }),
  defineCommand({
    name: 'stats',
    group: LOOK,
    summary: "A target's builds over time: how long, how big, which output",
    arguments: [target],
    options: {
      limit: { kind: 'number', short: 'n', value: 'N', least: 1, summary: 'At most so many', fallback: '50' },
    },
    examples: [{ line: 'stats core-llvm', text: 'newest first' }],
    load: async () => (await import('./history.ts')).stats,
  }),
  defineCommand({
    name: 'lineage',
    group: LOOK,
    summary: 'The way from the seed to a target, hop by hop, with digests',
    details: [
      'A longest chain of targets, each of which needs the one before. Digests are those that records answer with for ' +
        'the tree as it is now. Also named: everything at the bottom that it grows from.',
    ],
    arguments: [target],
    options: planOptions,
    examples: [{ line: 'lineage user-htop', text: 'from hex0 to htop' }],
    load: async () => (await import('./lineage.ts')).lineage,
  }),
];
