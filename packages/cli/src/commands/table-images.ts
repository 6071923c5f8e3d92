/**
 * The commands about digests and images, as data: a part of table.ts.
 */
import { type CommandSpec, defineCommand } from '../args/model.ts';
import { selectionOptions } from '../args/options.ts';

const DIGESTS = 'Digests and images';

const selection = {
  name: 'SELECTION',
  summary: 'Targets, stages, globs, +NAME (with what it needs), NAME+ (with what needs it), @FILE, all',
  complete: 'target',
  arity: 'many',
} as const;

const takeOptions = {
  ...selectionOptions,
  'as-of': {
    kind: 'text',
    value: 'COMMIT',
    summary: 'All digests as this commit has them are those of its own recipes, whoever wrote the lines',
    fallback: 'each line by the commit that last wrote it',
  },
  'no-wait': { kind: 'flag', summary: 'Fail at once (exit 3) when another run holds the tree or state' },
} as const;

export const imageCommands: readonly CommandSpec[] = [
  defineCommand({
    name: 'digests',
    group: DIGESTS,
    summary: 'Print, check or write the digests of the outputs that are here',
    details: [
      'Only outputs of the recipes as they are now count. --check compares them with digests/<stage>.txt and exits ' +
        '1 on a missing, additional or other digest; --write brings those files up to date and touches nothing ' +
        'else. See docs/digests.md.',
    ],
    arguments: [selection],
    options: {
      ...selectionOptions,
      check: { kind: 'flag', summary: 'Compare with the committed digests and explain every difference' },
      write: { kind: 'flag', summary: 'Update digests/<stage>.txt: changed, new and removed targets only' },
      'include-imported': {
        kind: 'flag',
        summary: 'With --write: also digests of outputs that this machine did not build',
      },
    },
    examples: [
      { line: 'digests core-musl', text: 'one' },
      { line: 'digests --check', text: 'does this machine reproduce what is committed?' },
      { line: 'digests --write', text: 'after a world' },
    ],
    load: async () => (await import('./digests.ts')).digests,
  }),
  defineCommand({
    name: 'verify',
    group: DIGESTS,
    summary: 'Verify out/ against the committed digests, blob by blob',
    details: [
      'Reads every byte; nothing that is remembered counts. Exit 0: all are whole and as committed. 1: one is missing, ' +
        'not committed or another. 4: one is damaged.',
    ],
    arguments: [selection],
    options: selectionOptions,
    examples: [{ line: 'verify --json', text: 'for a script' }],
    signals: 'kind',
    load: async () => (await import('./digests.ts')).verify,
  }),
  defineCommand({
    name: 'adopt',
    group: DIGESTS,
    summary: 'Take what make has built under out/, where it is what is committed',
    details: [
      'Verifies each out/<target> blob by blob against its committed digest and records it for the recipe as it was ' +
        'in the commit that last wrote that digest. What was edited since is built by the next world, nothing else.',
    ],
    arguments: [selection],
    options: takeOptions,
    examples: [
      { line: 'adopt', text: 'everything under out/' },
      { line: 'adopt --as-of v1.0', text: 'a release whose digests were all made anew' },
    ],
    signals: 'kind',
    load: async () => (await import('./adopt.ts')).adopt,
  }),
  defineCommand({
    name: 'preseed',
    group: DIGESTS,
    summary: 'Take published images by committed digest instead of building',
    details: [
      'With all that the selection needs. Images are asked for by digest and verified blob by blob; like adopted ones ' +
        'they are of the recipe as it was in the commit that last wrote the digest, and are never signed.',
    ],
    arguments: [selection],
    options: {
      ...takeOptions,
      from: {
        kind: 'text',
        value: 'PLACE',
        summary: 'A registry as HOST[:PORT][/NAMESPACE], or a folder with <target>/ layouts',
        fallback: 'docker.io/stagex',
        complete: 'folder',
      },
    },
    examples: [
      { line: 'preseed', text: 'the last release, from where it is published' },
      {
        line: 'preseed user-file --from 127.0.0.1:5000/stagex',
        text: 'one and all it needs, from a registry here',
      },
      { line: 'preseed --from /mnt/out', text: 'from a folder of layouts' },
    ],
    signals: 'kind',
    load: async () => (await import('./adopt.ts')).preseed,
  }),
  defineCommand({
    name: 'content',
    group: DIGESTS,
    summary: "List what is in a target's image: files, modes, sizes, links",
    details: ['All layers on top of each other, as a container would see them.'],
    arguments: [
      {
        name: 'TARGET',
        summary: 'A target, or a bare name where it is unique',
        complete: 'target',
        arity: 'one',
      },
    ],
    options: {},
    examples: [
      { line: 'content core-musl', text: 'as tar -tv' },
      { line: 'content core-musl --json', text: 'for a script' },
    ],
    load: async () => (await import('./images.ts')).content,
  }),
  defineCommand({
    name: 'import',
    group: DIGESTS,
    summary: 'Load outputs into docker, podman or containerd',
    details: ['As stagex/<target>:<version> and stagex/<target>:local, into the first engine that answers.'],
    arguments: [{ name: 'TARGET', summary: 'Targets that are built', complete: 'target', arity: 'some' }],
    options: {
      into: {
        kind: 'choice',
        value: 'ENGINE',
        choices: ['auto', 'docker', 'podman', 'containerd'],
        fallback: 'auto',
        summary: 'Which engine',
      },
    },
    examples: [{ line: 'import user-file --into podman', text: 'then: podman run stagex/user-file:local' }],
    load: async () => (await import('./images.ts')).importImages,
  }),
];
