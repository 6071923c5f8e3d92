/**
 * Help from the command tables: the overview, one command's page, and docs/commands.md. Pure.
 */
import { fit, width, wrap } from '../text/width.ts';
import type { ArgumentSpec, CommandSpec, OptionSpec, OptionSpecs } from './model.ts';
import { commonOptions } from './options.ts';

/** Lines of help are broken to fit the narrowest common terminal. */
const COLUMNS = 80;
/** Names longer than this stand on a line of their own. */
const LABEL = 24;

const EXIT_CODES =
  'Exit codes: 0 done; 1 a build or comparison said no; 2 wrong usage or input; 3 the environment; ' +
  '4 integrity; 130 interrupted; 143 terminated; 70 a bug of stx-make.';

/** Command groups in the order of their first command; hidden commands are left out. */
export function groups(commands: readonly CommandSpec[]): ReadonlyMap<string, readonly CommandSpec[]> {
  const found = new Map<string, CommandSpec[]>();
  for (const command of commands) {
    if (command.hidden === true) continue;
    const list = found.get(command.group);
    if (list === undefined) found.set(command.group, [command]);
    else list.push(command);
  }
  return found;
}

/** What `stx-make` alone and `stx-make help` print. */
export function overview(commands: readonly CommandSpec[]): string {
  const lines = [
    'stx-make builds StageX-style distributions on BuildKit, reproducibly.',
    '',
    'Usage: stx-make COMMAND [OPTION...] [ARGUMENT...]',
  ];
  for (const [group, members] of groups(commands)) {
    lines.push('', `${group}:`, ...members.flatMap((command) => entry(command.name, command.summary, 12)));
  }
  lines.push(
    '',
    'Examples:',
    ...examples([
      { line: 'world', text: 'build everything' },
      { line: 'build core-musl', text: 'one target and what it needs' },
      { line: 'plan', text: 'what would be built, and why' },
      { line: 'COMMAND --help', text: 'options and examples of a command' },
    ]),
    '',
    ...wrap(EXIT_CODES, COLUMNS),
  );
  return lines.join('\n');
}

/** What `stx-make COMMAND --help` prints. */
export function page(command: CommandSpec): string {
  const lines = [`${command.name}: ${command.summary}`, '', `Usage: ${usage(command)}`];
  for (const paragraph of command.details ?? []) lines.push('', ...wrap(paragraph, COLUMNS));
  if (command.arguments.length > 0) {
    lines.push('', 'Arguments:');
    for (const argument of command.arguments) lines.push(...entry(argument.name, describeArgument(argument)));
  }
  const own = visible(command.options);
  if (own.length > 0) lines.push('', 'Options:', ...own.flatMap(optionEntry));
  lines.push('', 'Common options:', ...visible(commonOptions).flatMap(optionEntry));
  lines.push('', 'Examples:', ...examples(command.examples));
  return lines.join('\n');
}

/** The manual: every command with everything its page says, as Markdown. */
export function manual(commands: readonly CommandSpec[]): string {
  const lines = [
    '# Commands',
    '',
    'Generated from the command tables by `node packages/cli/src/args/manual.ts`; a test checks that it is current.',
    '',
    EXIT_CODES,
  ];
  for (const [group, members] of groups(commands)) {
    lines.push('', `## ${group}`);
    for (const command of members) {
      lines.push('', `### ${command.name}`, '', `${command.summary}.`, '', '```', usage(command), '```');
      for (const paragraph of command.details ?? []) lines.push('', paragraph);
      const rows = [
        ...command.arguments.map((argument) => [argument.name, describeArgument(argument)]),
        ...visible(command.options).map(([name, spec]) => [label(name, spec), describeOption(spec)]),
      ];
      if (rows.length > 0) {
        lines.push('', '| | |', '|---|---|');
        for (const [name, text] of rows)
          lines.push(`| \`${name}\` | ${(text ?? '').replaceAll('|', '\\|')} |`);
      }
      if (command.examples.length > 0) lines.push('', '```', ...examples(command.examples, ''), '```');
    }
  }
  lines.push('', '## Options of every command', '', '| | |', '|---|---|');
  for (const [name, spec] of visible(commonOptions)) {
    lines.push(`| \`${label(name, spec)}\` | ${describeOption(spec).replaceAll('|', '\\|')} |`);
  }
  return `${lines.join('\n')}\n`;
}

export function usage(command: CommandSpec): string {
  const words = command.arguments.map(({ name, arity, choices }) => {
    const word = choices === undefined ? name : choices.join('|');
    switch (arity) {
      case 'one':
        return word;
      case 'optional':
        return `[${word}]`;
      case 'many':
        return `[${word}...]`;
      case 'some':
        return `${word}...`;
      default:
        return arity satisfies never;
    }
  });
  return ['stx-make', command.name, '[OPTION...]', ...words].join(' ');
}

function visible(specs: OptionSpecs): [string, OptionSpec][] {
  return Object.entries(specs).filter(([, spec]) => spec.hidden !== true);
}

function describeArgument(argument: ArgumentSpec): string {
  return argument.choices === undefined
    ? argument.summary
    : `${argument.summary}: ${argument.choices.join(', ')}`;
}

function label(name: string, spec: OptionSpec): string {
  const short = spec.short === undefined ? '' : `-${spec.short}, `;
  return spec.kind === 'flag' ? `${short}--${name}` : `${short}--${name} ${spec.value}`;
}

function describeOption(spec: OptionSpec): string {
  const notes: string[] = [];
  if (spec.kind === 'choice') notes.push(spec.choices.join(', '));
  if ('env' in spec && spec.env !== undefined) notes.push(`else $${spec.env}`);
  if ('fallback' in spec && spec.fallback !== undefined) notes.push(`default: ${spec.fallback}`);
  return notes.length === 0 ? spec.summary : `${spec.summary} (${notes.join('; ')})`;
}

function optionEntry([name, spec]: [string, OptionSpec]): string[] {
  return entry(label(name, spec), describeOption(spec));
}

/** `  name  text`, text wrapped beside the name. */
function entry(name: string, text: string, labelColumns = LABEL): string[] {
  const body = wrap(text, COLUMNS - labelColumns - 4);
  const indent = ' '.repeat(labelColumns + 4);
  if (width(name) > labelColumns) return [`  ${name}`, ...body.map((line) => indent + line)];
  return body.map((line, i) => (i === 0 ? `  ${fit(name, labelColumns)}  ${line}` : indent + line));
}

function examples(list: CommandSpec['examples'], indent = '  '): string[] {
  return list.flatMap(({ line, text }) => [`${indent}stx-make ${line}`, `${indent}    ${text}`]);
}
