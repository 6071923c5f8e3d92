/**
 * The options that several commands share, in groups. Data only.
 */
import type { OptionSpecs } from './model.ts';

/** Every command takes these. */
export const commonOptions = {
  root: {
    kind: 'text',
    value: 'DIR',
    summary: 'The tree to work on',
    fallback: 'the first folder upwards that is one',
    complete: 'folder',
  },
  state: {
    kind: 'text',
    value: 'DIR',
    summary: 'Records, store, logs, the managed BuildKit',
    env: 'STX_MAKE_STATE',
    fallback: '~/.local/state/stx-make',
    complete: 'folder',
  },
  out: {
    kind: 'text',
    value: 'DIR',
    summary: 'Where <target>/ layouts appear',
    fallback: 'out/ in the tree',
    complete: 'folder',
  },
  platform: {
    kind: 'text',
    value: 'OS/ARCH',
    summary: 'Platform for recipes that name none',
    env: 'PLATFORM',
    fallback: 'linux/amd64',
  },
  json: { kind: 'flag', summary: 'One JSON document on stdout; everything for people on stderr' },
  ui: {
    kind: 'choice',
    value: 'VIEW',
    choices: ['auto', 'tui', 'plain', 'quiet', 'json'],
    fallback: 'auto',
    env: 'PROGRESS',
    summary: 'How a run is shown; auto: tui on a terminal, else plain',
  },
  color: {
    kind: 'choice',
    value: 'WHEN',
    choices: ['auto', 'always', 'never'],
    fallback: 'auto',
    summary: 'Colours; auto: on a terminal, unless NO_COLOR is set',
  },
  help: { kind: 'flag', short: 'h', summary: 'Show help' },
  version: { kind: 'flag', summary: 'Show the version' },
} as const satisfies OptionSpecs;

/** Commands that talk to BuildKit. */
export const workerOptions = {
  worker: {
    kind: 'list',
    value: 'ADDR[,...]',
    summary: 'A BuildKit to build on, maybe with options (docs/workers.md); may be given more than once',
    env: 'BUILDKIT_HOST',
    fallback: 'the managed one',
  },
  workers: { kind: 'text', value: 'FILE', summary: 'The workers of a TOML file, too', complete: 'file' },
  jobs: {
    kind: 'number',
    short: 'j',
    value: 'N',
    least: 1,
    summary: 'Builds at a time on each worker',
    fallback: 'min(cores / 4, memory / 8 GiB), at least 2',
  },
} as const satisfies OptionSpecs;

/** What can change whether a target has to be built. */
export const planOptions = {
  ...workerOptions,
  'no-cache': {
    kind: 'flag',
    summary: 'Build every selected target anew, whatever the records say (also NOCACHE=1)',
  },
  'strict-engine': { kind: 'flag', summary: "Count the builder's version and Go release as inputs" },
} as const satisfies OptionSpecs;

/** Commands whose run can go on without a terminal. */
export const detachOptions = {
  detach: {
    kind: 'flag',
    summary: 'Let the run go on by itself, without this terminal; see attach and stop',
  },
  detached: { kind: 'flag', hidden: true, summary: 'The one that goes on by itself' },
} as const satisfies OptionSpecs;

/** Commands whose run can be given a time to end. */
export const timeOptions = {
  for: {
    kind: 'text',
    value: 'TIME',
    summary:
      'Start nothing new after this long, e.g. 5h or 1h30m; the next run goes on (exit 130, see docs/ci.md)',
  },
  until: { kind: 'text', value: 'HH:MM', summary: 'The same, when the clock here next shows this' },
  grace: {
    kind: 'text',
    value: 'TIME',
    summary: 'How long what runs may still take then, before it is cancelled',
    fallback: 'a tenth of the time given, at most 30m',
  },
} as const satisfies OptionSpecs;

/** Commands that take a selection. */
export const selectionOptions = {
  except: { kind: 'list', value: 'SELECTION', summary: 'Without these; may be given more than once' },
} as const satisfies OptionSpecs;

/** Commands that share records with other machines. */
export const remoteOptions = {
  remote: {
    kind: 'text',
    value: 'HOST/PATH',
    summary: 'A registry to take records and outputs of other machines from; see docs/remote.md',
    env: 'STX_MAKE_REMOTE',
  },
  'remote-write': { kind: 'flag', summary: 'Give the remote what is built here, too' },
  'remote-insecure': {
    kind: 'flag',
    summary: 'Let a remote on another machine that is written with http:// be asked in the clear',
  },
} as const satisfies OptionSpecs;

/** Commands that build. */
export const runOptions = {
  ...planOptions,
  ...remoteOptions,
  'via-registry': {
    kind: 'flag',
    summary:
      'Let workers take from the remote and push to it themselves; needs --remote-write. See docs/remote.md',
  },
  'keep-going': { kind: 'flag', short: 'k', summary: 'After a failure build on what does not depend on it' },
  'no-wait': { kind: 'flag', summary: 'Fail at once (exit 3) when another run holds the tree or state' },
  strict: { kind: 'flag', summary: 'Fail when equal inputs gave another output than before' },
  check: { kind: 'flag', summary: "Instead of building run BuildKit's lint, see check (also CHECK=1)" },
  offline: { kind: 'flag', summary: 'Download nothing: sources must be there already' },
  'limit-memory': {
    kind: 'size',
    value: 'SIZE',
    summary: 'Memory of each build step (a child killed by it can go unnoticed)',
  },
  'limit-cpu': {
    kind: 'number',
    value: 'PERCENT',
    least: 1,
    summary: 'CPU time of each build step; 100 is one core',
  },
  'cpu-shares': { kind: 'number', value: 'N', least: 2, summary: 'CPU weight of each build step' },
  'cpuset-cpus': {
    kind: 'text',
    value: 'LIST',
    summary: 'CPUs that steps may use, e.g. 0-3; changes nproc, so it counts as an input',
  },
  events: {
    kind: 'text',
    value: 'FILE',
    summary: 'Write every event as a line of JSON; - is stdout. See replay',
    complete: 'file',
  },
  trace: {
    kind: 'text',
    value: 'FILE',
    summary: 'Write a trace for Perfetto or chrome://tracing',
    complete: 'file',
  },
} as const satisfies OptionSpecs;

/** Commands whose work several machines can share. */
export const shardOptions = {
  shard: {
    kind: 'text',
    value: 'I/N',
    summary: 'Build the I-th of N parts, the others on other machines; needs --remote and --remote-write',
  },
  session: {
    kind: 'text',
    value: 'NAME',
    summary: 'What the shards of one common run have in common, and no other run has',
    env: 'STX_MAKE_SESSION',
    fallback: "the CI system's number of the run, else the tree's content",
  },
  'shard-silence': {
    kind: 'number',
    value: 'SECONDS',
    least: 5,
    summary: 'Without a sign of life for so long a shard is given up and its work taken over',
    fallback: '120; five times that for one that never came',
  },
} as const satisfies OptionSpecs;
