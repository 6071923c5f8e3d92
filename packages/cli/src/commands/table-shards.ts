/** The commands of shards: collect. A part of the table (table.ts). */
import { type CommandSpec, defineCommand, type OptionSpecs } from '../args/model.ts';
import { remoteOptions, shardOptions } from '../args/options.ts';

export const collectOptions = {
  ...remoteOptions,
  session: shardOptions.session,
  shards: { kind: 'number', value: 'N', least: 1, summary: 'How many shards there were' },
  report: { kind: 'text', value: 'FILE', summary: 'Write the whole as one HTML page', complete: 'file' },
  summary: {
    kind: 'text',
    value: 'FILE',
    summary: 'Add a summary in Markdown to this file',
    env: 'GITHUB_STEP_SUMMARY',
    complete: 'file',
  },
  events: {
    kind: 'text',
    value: 'FILE',
    summary: 'Write all events as one run, for replay and report',
    complete: 'file',
  },
} as const satisfies OptionSpecs;

export const shardCommands: readonly CommandSpec[] = [
  defineCommand({
    name: 'collect',
    group: 'Build',
    summary: 'Gather what the shards of a session did, and say whether all is done',
    details: [
      'Reads what each `world --shard` left in the remote. Fails (exit 1) where a target failed or was built by nobody, ' +
        '(4) where two shards got different outputs, (3) where a shard left nothing and its work was not done by others. ' +
        'Exit 130 says that nothing failed, but time was up (`world --for`): the next session goes on. ' +
        'With --remote-write it keeps how long targets took, for the next session to share the work out by.',
    ],
    arguments: [],
    options: collectOptions,
    examples: [
      { line: 'collect --remote ghcr.io/org/cache --shards 8 --session nightly-41', text: 'a table' },
      {
        line: 'collect --remote ghcr.io/org/cache --shards 8 --report night.html',
        text: 'and a page, in CI',
      },
    ],
    load: async () => (await import('./collect.ts')).collect,
  }),
];
