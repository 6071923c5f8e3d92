/**
 * The commands that judge a tree and a change to it, as data: a part of table.ts.
 */
import { type CommandSpec, defineCommand } from '../args/model.ts';
import { selectionOptions, workerOptions } from '../args/options.ts';

const REVIEW = 'Review';

const selection = {
  name: 'SELECTION',
  summary: 'Targets, stages, globs, +NAME (with what it needs), NAME+ (with what needs it), @FILE, all',
  complete: 'target',
  arity: 'many',
} as const;

export const reviewCommands: readonly CommandSpec[] = [
  defineCommand({
    name: 'affected',
    group: REVIEW,
    summary: 'What a change since a commit may rebuild',
    details: [
      'Reads the whole graph at both ends out of git and compares what would be built from: a changed licence, ' +
        'mirror or file time affects nothing, a removal, a rename or a changed edge does. changed: its own inputs ' +
        'differ. affected: those and everything that needs them. Nothing is checked out. See docs/affected.md.',
    ],
    arguments: [],
    options: {
      since: { kind: 'text', value: 'REF', summary: 'A commit, branch or tag to compare with' },
      until: {
        kind: 'text',
        value: 'REF',
        summary: 'What to compare',
        fallback: 'the working tree, uncommitted and untracked files included',
      },
      markdown: { kind: 'flag', summary: 'For a pull request: what rebuilds, digests, hours' },
    },
    examples: [
      { line: 'affected --since origin/main', text: 'what my edits rebuild' },
      { line: 'affected --since 2026.01.0 --until 2026.03.0 --json', text: 'between two releases' },
      { line: 'affected --since HEAD~1 --markdown > comment.md', text: 'for a pull request' },
    ],
    load: async () => (await import('./affected.ts')).affected,
  }),
  defineCommand({
    name: 'lint',
    group: REVIEW,
    summary: 'Check recipes against policies: pinned, offline, reachable',
    details: [
      'Reads every recipe folder, also those without a package.toml. Exits 1 where a finding is an error. Levels ' +
        'are set in stx-make.toml; every rule has a page in docs/lint/.',
    ],
    arguments: [selection],
    options: selectionOptions,
    examples: [
      { line: 'lint', text: 'the whole tree' },
      { line: 'lint user-htop --json', text: 'one recipe, for a script' },
    ],
    load: async () => (await import('./lint.ts')).lint,
  }),
  defineCommand({
    name: 'check',
    group: REVIEW,
    summary: "Run BuildKit's own lint over recipes; builds nothing",
    details: ['On all workers at once. Exits 1 where there is a finding.'],
    arguments: [selection],
    options: { ...workerOptions, ...selectionOptions },
    examples: [
      { line: 'check', text: 'the whole tree, as `make check`' },
      { line: 'check user-htop', text: 'one recipe' },
    ],
    signals: 'kind',
    load: async () => (await import('./check.ts')).check,
  }),
  defineCommand({
    name: 'compat',
    group: REVIEW,
    hidden: true,
    summary: "The same as doctor, by its name in upstream's Makefile",
    arguments: [],
    options: workerOptions,
    examples: [{ line: 'compat', text: 'can this machine reproduce?' }],
    load: async () => (await import('./doctor.ts')).doctor,
  }),
];
