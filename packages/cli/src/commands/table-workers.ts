/** The commands that look at this machine and its workers. A part of the table (table.ts). */
import { type CommandSpec, defineCommand } from '../args/model.ts';
import { workerOptions } from '../args/options.ts';

export const workerCommands: readonly CommandSpec[] = [
  defineCommand({
    name: 'doctor',
    group: 'Set up',
    summary: 'Check this machine and its BuildKit',
    arguments: [],
    options: workerOptions,
    examples: [
      { line: 'doctor', text: 'BuildKit, its Go release, the compression canary, space, permissions' },
    ],
    load: async () => (await import('./doctor.ts')).doctor,
  }),
  defineCommand({
    name: 'workers',
    group: 'Set up',
    summary: 'Show and test the BuildKits a run would use',
    details: [
      'Each is asked what it is and builds the canary: a tiny fixed image whose digest tells whether the published digests ' +
        'can be reached with it. Exits 3 where one can not be used: not reachable, too old, building other bytes than the ' +
        'others. See docs/workers.md.',
    ],
    arguments: [],
    options: workerOptions,
    examples: [
      { line: 'workers', text: 'those of stx-make.toml, or the managed one' },
      { line: 'workers --workers farm.toml --json', text: 'those of a file, for a script' },
      {
        line: 'workers --worker tcp://a:1234,cacert=ca.pem,cert=me.pem,key=me.key',
        text: 'one behind mutual TLS',
      },
    ],
    load: async () => (await import('./workers.ts')).workers,
  }),
];
