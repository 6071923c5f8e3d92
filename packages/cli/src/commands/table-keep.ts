/** The commands that keep the state folder small and sound. A part of the table (table.ts). */
import { type CommandSpec, defineCommand } from '../args/model.ts';

const SETUP = 'Set up';

export const keepCommands: readonly CommandSpec[] = [
  defineCommand({
    name: 'gc',
    group: SETUP,
    summary: 'Free what nobody needs; check the store',
    details: [
      'Without options: blobs that no record refers to, trees that are gone, runs beyond the newest thousand. With an ' +
        'age or a size also records, the least recently used first. What any tree last had, and what this tree would ' +
        'find now, stays in any case, unless --all is given. Bytes that out/ also holds come free when they go there.',
      '--verify reads every blob; damaged ones are taken out and exit is 4; the next run builds what needs them again.',
    ],
    arguments: [],
    options: {
      'max-size': { kind: 'size', value: 'SIZE', summary: 'Let the store have at most so much' },
      'max-age': {
        kind: 'number',
        value: 'DAYS',
        least: 0,
        summary: 'Also records, runs and logs not used for so long',
      },
      sources: { kind: 'flag', summary: 'Also sources that this tree and what is kept do not need' },
      all: { kind: 'flag', summary: 'Also what trees have now' },
      verify: { kind: 'flag', summary: 'Read every blob and take out the damaged ones' },
      'dry-run': { kind: 'flag', summary: 'Only say what would go' },
      'no-wait': { kind: 'flag', summary: 'Fail at once (exit 3) when a run holds the state' },
    },
    examples: [
      { line: 'gc --max-age 90 --dry-run', text: 'what would go of what was not used for three months' },
      { line: 'gc --max-size 200G', text: 'down to 200 GiB' },
      { line: 'gc --verify', text: 'is every blob what its name says?' },
    ],
    signals: 'kind',
    load: async () => (await import('./gc.ts')).gc,
  }),
];
