/** The commands about runs under way: attach, stop. A part of the table (table.ts). */
import { type CommandSpec, defineCommand } from '../args/model.ts';

const run = {
  name: 'RUN',
  summary: 'A run, or the beginning of its name; default: the one under way',
  arity: 'optional',
  complete: 'run',
} as const;

export const liveCommands: readonly CommandSpec[] = [
  defineCommand({
    name: 'attach',
    group: 'Look',
    summary: 'Watch a run under way, from any terminal',
    details: [
      'The same view and keys as where it was started, from its beginning; as many as like can watch one run. q leaves ' +
        'the view and Ctrl-C asks whether to leave it or to end the run; a closed terminal leaves it, too. Where lines ' +
        'are shown Ctrl-C leaves. Until the run is over this waits, and then ends with its exit code; left before, with ' +
        '0 (after q) or 130. A run that is over already is shown from its record.',
    ],
    arguments: [run],
    options: {},
    examples: [
      { line: 'attach', text: 'the run under way' },
      { line: 'attach --ui plain', text: 'its lines' },
    ],
    signals: 'kind',
    load: async () => (await import('./attach.ts')).attach,
  }),
  defineCommand({
    name: 'stop',
    group: 'Build',
    summary: 'End a run under way, as Ctrl-C would',
    details: [
      'What runs is cancelled, what is finished is kept. Waits until the run has ended. Where none is under way there ' +
        'is nothing to do.',
    ],
    arguments: [run],
    options: { kill: { kind: 'flag', summary: 'At once, as a second Ctrl-C would' } },
    examples: [
      { line: 'stop', text: 'the run under way' },
      { line: 'stop 20261123-224501-078a07c2', text: 'one of several' },
    ],
    load: async () => (await import('./attach.ts')).stop,
  }),
];
