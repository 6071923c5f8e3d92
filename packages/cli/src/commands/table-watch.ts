/**
 * The command `watch`, as data.
 */
import { type CommandSpec, defineCommand } from '../args/model.ts';
import { remoteOptions, runOptions, selectionOptions, workerOptions } from '../args/options.ts';

/** What of a run's options makes sense again and again. */
export const watchOptions = {
  ...workerOptions,
  ...remoteOptions,
  'via-registry': runOptions['via-registry'],
  'strict-engine': runOptions['strict-engine'],
  'keep-going': runOptions['keep-going'],
  offline: runOptions.offline,
  'limit-memory': runOptions['limit-memory'],
  'limit-cpu': runOptions['limit-cpu'],
  'cpu-shares': runOptions['cpu-shares'],
  'cpuset-cpus': runOptions['cpuset-cpus'],
  ...selectionOptions,
  poll: {
    kind: 'flag',
    summary: 'Look at the files every second instead of being told: for network file systems',
  },
} as const;

export const watchCommands: readonly CommandSpec[] = [
  defineCommand({
    name: 'watch',
    group: 'Build',
    summary: 'Build, and build again whenever a recipe changes',
    details: [
      'Builds the selection (all, where none is given), then waits for changes. The selection is read anew each time, so ' +
        'new recipes count. An error in a recipe is shown, and the next change waited for. An edit while builds run ' +
        'cancels those it makes useless and no others; what is finished is kept. On a terminal Enter looks at ' +
        'once and q ends; Ctrl-C ends it always.',
    ],
    arguments: [
      {
        name: 'SELECTION',
        summary: 'Targets, stages, globs, +NAME (with what it needs), NAME+ (with what needs it), @FILE, all',
        complete: 'target',
        arity: 'many',
      },
    ],
    options: watchOptions,
    examples: [
      { line: 'watch', text: 'the whole tree' },
      { line: 'watch core-zlib+', text: 'core-zlib and everything that needs it' },
      { line: 'watch user -k', text: 'a stage, going on after failures' },
    ],
    signals: 'kind',
    load: async () => (await import('./watch.ts')).watch,
  }),
];
