/**
 * A statement into an instruction: counts of arguments, flags, forms.
 *
 * After BuildKit v0.32.2 frontend/dockerfile/instructions/parse.go; refuses what that refuses.
 */

import { type FlagKind, flagText, parseFlags } from './flags.ts';
import { checkHealthcheck } from './healthcheck.ts';
import { findHeredocWord, heredocBody } from './heredoc.ts';
import type {
  CopyInstruction,
  FromInstruction,
  InlineFile,
  Instruction,
  RunInstruction,
} from './instructions.ts';
import { csvFields, mountFrom } from './mounts.ts';
import type { Statement } from './statements.ts';
import { cut, parseBool, ReadingError, trimSpace } from './text.ts';
import { KEYWORDS } from './words.ts';

/** @throws ReadingError where BuildKit refuses the instruction whatever the target. */
export function interpret(statement: Statement): Instruction {
  const { line, args } = statement;
  const keyword = statement.keyword.toLowerCase();
  switch (keyword) {
    case 'from':
      return from(statement);
    case 'arg':
      return { kind: 'arg', line, pairs: argPairs(args) };
    case 'env':
    case 'label':
      parseFlags(statement.flags, {});
      return { kind: keyword, line, pairs: pairs(args, keyword.toUpperCase()) };
    case 'add':
    case 'copy':
      return copy(statement, keyword);
    case 'run':
      return run(statement);
    case 'onbuild':
      return { kind: 'onbuild', line, expression: onbuildExpression(statement) };
    case 'workdir':
    case 'user':
      exactlyOne(statement);
      parseFlags(statement.flags, {});
      return { kind: keyword, line, word: args[0] ?? '' };
    case 'stopsignal':
      exactlyOne(statement);
      return { kind: keyword, line, word: args[0] ?? '' };
    case 'expose':
      atLeastOne(statement);
      parseFlags(statement.flags, {});
      return { kind: 'expose', line, words: args };
    case 'volume':
      return { kind: 'volume', line, words: volumes(statement) };
    case 'maintainer':
      exactlyOne(statement);
      parseFlags(statement.flags, {});
      return { kind: keyword, line };
    case 'cmd':
    case 'entrypoint':
      parseFlags(statement.flags, {});
      return { kind: keyword, line };
    case 'shell':
      parseFlags(statement.flags, {});
      atLeastOne(statement);
      if (!statement.json) {
        throw new ReadingError(`SHELL requires the arguments to be in JSON form: ${statement.original}`);
      }
      return { kind: keyword, line };
    case 'healthcheck':
      checkHealthcheck(statement);
      return { kind: keyword, line };
    default:
      throw new ReadingError(`unknown instruction: ${statement.keyword} (known are ${KEYWORDS.join(', ')})`);
  }
}

function exactlyOne({ keyword, args }: Statement): void {
  if (args.length !== 1) {
    throw new ReadingError(`${keyword.toUpperCase()} requires exactly one argument`);
  }
}

function atLeastOne({ keyword, args }: Statement): void {
  if (args.length === 0) {
    throw new ReadingError(`${keyword.toUpperCase()} requires at least one argument`);
  }
}

function argPairs(args: readonly string[]): { key: string; value: string | null }[] {
  if (args.length === 0) throw new ReadingError('ARG requires at least one argument');
  return args.map((arg) => {
    const { before, after } = cut(arg, '=');
    if (after !== undefined && before === '') throw new ReadingError('ARG names can not be blank');
    return { key: before, value: after ?? null };
  });
}

function pairs(args: readonly string[], keyword: string): { key: string; value: string }[] {
  if (args.length === 0) throw new ReadingError(`${keyword} requires at least one argument`);
  const out: { key: string; value: string }[] = [];
  for (let i = 0; i < args.length; i += 3) {
    const key = args[i] ?? '';
    if (key === '') throw new ReadingError(`${keyword} names can not be blank`);
    out.push({ key, value: args[i + 1] ?? '' });
  }
  return out;
}

const STAGE_NAME = /^[a-z][a-z0-9-_.]*$/;
/** Folds like Go's EqualFold: the long s is an s. */
const AS = /^as$/iu;

function from(statement: Statement): FromInstruction {
  const { args, line } = statement;
  const image = args[0];
  let name: string | null = null;
  if (args.length === 3 && AS.test(args[1] ?? '')) {
    name = (args[2] ?? '').toLowerCase();
    if (!STAGE_NAME.test(name)) {
      throw new ReadingError(
        `invalid name for build stage: ${JSON.stringify(args[2])}, name can't start with a number or contain symbols`,
      );
    }
  } else if (args.length !== 1) {
    throw new ReadingError('FROM requires either one or three arguments');
  }
  const flags = parseFlags(statement.flags, { platform: 'text' });
  return { kind: 'from', line, image: image ?? '', name, platform: flagText(flags, 'platform') };
}

const COPY_FLAGS: Readonly<Record<string, FlagKind>> = {
  chown: 'text',
  from: 'text',
  chmod: 'text',
  link: 'switch',
  exclude: 'list',
  parents: 'switch',
};

const ADD_FLAGS: Readonly<Record<string, FlagKind>> = {
  chown: 'text',
  chmod: 'text',
  link: 'switch',
  'keep-git-dir': 'switch',
  checksum: 'text',
  unpack: 'switch',
  exclude: 'list',
};

function copy(statement: Statement, kind: 'copy' | 'add'): CopyInstruction {
  const { args, line } = statement;
  const keyword = kind.toUpperCase();
  const destination = args.at(-1);
  if (args.length < 2 || destination === undefined) {
    throw new ReadingError(
      `${keyword} requires at least two arguments, but only one was provided. Destination could not be determined`,
    );
  }
  const flags = parseFlags(statement.flags, kind === 'copy' ? COPY_FLAGS : ADD_FLAGS);
  if (findHeredocWord(destination) !== null) {
    throw new ReadingError(`${keyword} cannot accept a heredoc as a destination`);
  }
  const { sources, inline } = sourcesOf(statement);
  return {
    kind,
    line,
    from: flagText(flags, 'from'),
    sources,
    inline,
    destination,
    chown: flagText(flags, 'chown'),
    chmod: flagText(flags, 'chmod'),
    checksum: flagText(flags, 'checksum'),
    excludes: flags.get('exclude') ?? NO_VALUES,
    parents: flagText(flags, 'parents') === 'true',
    link: flagText(flags, 'link') === 'true',
  };
}

/** Arguments but the last: files, and heredocs given as files. */
function sourcesOf({ args, heredocs }: Statement): {
  sources: readonly string[];
  inline: readonly InlineFile[];
} {
  const words = args.slice(0, -1);
  if (!words.some((word) => word.includes('<<'))) return { sources: words, inline: NO_FILES };
  const bodies = new Map(heredocs.map((heredoc) => [heredoc.name, heredoc]));
  const sources: string[] = [];
  const inline: InlineFile[] = [];
  for (const source of words) {
    const word = findHeredocWord(source);
    if (word === null) {
      sources.push(source);
      continue;
    }
    const content = bodies.get(word.name)?.content ?? '';
    inline.push({ name: word.name, content: heredocBody({ ...word, content }), expand: word.expand });
  }
  return { sources, inline };
}

const NO_FILES: readonly InlineFile[] = [];
const NO_VALUES: readonly string[] = [];

const RUN_FLAGS: Readonly<Record<string, FlagKind>> = {
  device: 'list',
  mount: 'list',
  network: 'text',
  security: 'text',
};

function run(statement: Statement): RunInstruction {
  const flags = parseFlags(statement.flags, RUN_FLAGS);
  const devices = flags.get('device') ?? NO_VALUES;
  devices.forEach(checkDevice);
  const mounts = (flags.get('mount') ?? NO_VALUES).map((value) => ({ value, from: mountFrom(value) }));
  const network = flagText(flags, 'network', 'default');
  if (!['default', 'none', 'host'].includes(network)) {
    throw new ReadingError(`invalid network mode ${JSON.stringify(network)}`);
  }
  const security = flagText(flags, 'security', 'sandbox');
  if (!['sandbox', 'insecure'].includes(security)) {
    throw new ReadingError(`security ${JSON.stringify(security)} is not valid`);
  }
  return { kind: 'run', line: statement.line, network, security, mounts, devices };
}

function checkDevice(value: string): void {
  let name = '';
  for (const field of csvFields(value)) {
    const { before, after } = cut(field, '=');
    const key = before.toLowerCase();
    if (key === 'required' && (after === undefined || parseBool(after) !== undefined)) continue;
    if (key === 'required') throw new ReadingError(`invalid value for ${key}: ${after}`);
    if (key === 'name' && after !== undefined) {
      if (name !== '') throw new ReadingError(`device name already set to ${name}`);
      name = after;
    } else if (name === '') {
      name = field;
    } else {
      throw new ReadingError(`unexpected field '${field}' in a device (known are name, required)`);
    }
  }
}

function onbuildExpression(statement: Statement): string {
  atLeastOne(statement);
  parseFlags(statement.flags, {});
  const trigger = trimSpace(statement.args[0] ?? '').toUpperCase();
  if (trigger === 'ONBUILD') {
    throw new ReadingError("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  }
  if (trigger === 'MAINTAINER' || trigger === 'FROM') {
    throw new ReadingError(`${trigger} isn't allowed as an ONBUILD trigger`);
  }
  const heredocs = statement.heredocs.map(({ name, content }) => `\n${content}${name}`);
  return statement.original.replace(/^[\t\n\f\r ]*ONBUILD[\t\n\f\r ]*/i, '') + heredocs.join('');
}

function volumes(statement: Statement): string[] {
  atLeastOne(statement);
  parseFlags(statement.flags, {});
  return statement.args.map((word) => {
    const trimmed = trimSpace(word);
    if (trimmed === '') throw new ReadingError('VOLUME specified can not be an empty string');
    return trimmed;
  });
}
