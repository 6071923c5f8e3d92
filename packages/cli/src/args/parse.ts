/**
 * From words to a command and its values, by the tables alone.
 *
 * Reads words with node:util's parseArgs (so `-j4`, `-kj 4`, `--jobs=4` and `--` mean what they mean
 * everywhere), then judges them itself: every wrong word is reported, with the nearest right ones.
 */
import { parseArgs } from 'node:util';
import { parseSize } from '@stx-make/core/config/size';
import { inputProblem, type Problem, ProblemError } from '@stx-make/core/errors';
import type { CommandSpec, OptionSpec, OptionSpecs, OptionValues } from './model.ts';
import { didYouMean } from './nearest.ts';
import { commonOptions } from './options.ts';

export type CommonValues = OptionValues<typeof commonOptions>;

/** A command line understood. `command` is null where none was named. */
export interface ParsedLine {
  readonly command: CommandSpec | null;
  readonly args: readonly string[];
  readonly common: CommonValues;
  /** Values of the command's own options, by name. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** The options a command takes: its own and the common ones. */
export function optionsOf(command: CommandSpec | null): OptionSpecs {
  return command === null ? commonOptions : { ...command.options, ...commonOptions };
}

/** True where `--json` or `--ui json` is among the words, whatever else is wrong with them: decides how
 * errors of the command line itself are shown. */
export function wantsJson(words: readonly string[]): boolean {
  const end = words.indexOf('--');
  const before = end < 0 ? words : words.slice(0, end);
  return before.some(
    (word, i) => word === '--json' || word === '--ui=json' || (word === '--ui' && before[i + 1] === 'json'),
  );
}

/** @throws ProblemError (input) with everything that is wrong. */
export function parseLine(words: readonly string[], commands: readonly CommandSpec[]): ParsedLine {
  const tokens = tokenize(words, commands);
  const problems: Problem[] = [];
  const [name, second] = tokens.flatMap((token) => (token.kind === 'positional' ? [token.value] : []));
  const command =
    commands.find((spec) => spec.name === `${name} ${second}`) ??
    commands.find((spec) => spec.name === name) ??
    null;
  if (name !== undefined && command === null) problems.push(unknownCommand(name, commands));
  const specs = optionsOf(command);
  const values = new Values(specs, problems);
  const args: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') args.push(token.value);
    else if (token.kind === 'option') {
      const spec = specs[token.name];
      if (spec !== undefined) values.take(token, spec);
      // With an unknown command there is nothing to judge its options by.
      else if (command !== null || name === undefined) {
        problems.push(unknownOption(token.rawName, command, commands, specs));
      }
    }
  }
  args.splice(0, command === null ? 1 : command.name.split(' ').length);
  const all = values.finish();
  const helps = all['help'] === true || all['version'] === true;
  if (command !== null && !helps) checkArguments(command, args, problems);
  // Asked for help, a command line need not be right.
  if (problems.length > 0 && !helps) throw new ProblemError(problems);
  const common = Object.fromEntries(Object.keys(commonOptions).map((key) => [key, all[key]]));
  return { command, args, common: common as CommonValues, options: all };
}

type Token =
  | { readonly kind: 'positional'; readonly value: string }
  | {
      readonly kind: 'option';
      readonly name: string;
      readonly rawName: string;
      readonly value: string | undefined;
      readonly inline: boolean;
    };

function tokenize(words: readonly string[], commands: readonly CommandSpec[]): Token[] {
  // Options may stand before the command, so all commands' options are known to the reader; a test checks
  // that no two give one name different shapes.
  const options: Record<string, { type: 'string' | 'boolean'; short?: string }> = {};
  for (const specs of [commonOptions, ...commands.map((command) => command.options)]) {
    for (const [name, spec] of Object.entries<OptionSpec>(specs)) {
      const type = spec.kind === 'flag' ? 'boolean' : 'string';
      options[name] = spec.short === undefined ? { type } : { type, short: spec.short };
    }
  }
  const { tokens } = parseArgs({
    args: [...words],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  return tokens.flatMap((token): Token[] => {
    if (token.kind === 'positional') return [{ kind: 'positional', value: token.value }];
    if (token.kind === 'option-terminator') return [];
    const inline = token.inlineValue === true;
    return [{ kind: 'option', name: token.name, rawName: token.rawName, value: token.value, inline }];
  });
}

/** Collects option values; every problem is kept, none thrown. */
class Values {
  readonly #specs: OptionSpecs;
  readonly #problems: Problem[];
  readonly #values: Record<string, unknown> = {};

  constructor(specs: OptionSpecs, problems: Problem[]) {
    this.#specs = specs;
    this.#problems = problems;
  }

  take(token: Extract<Token, { kind: 'option' }>, spec: OptionSpec): void {
    if (spec.kind === 'flag') {
      if (token.value !== undefined)
        this.#bad(`${token.rawName} takes no value, it was given "${token.value}"`);
      this.#values[token.name] = true;
      return;
    }
    const { value } = token;
    // `--root --json`: the second word is meant as an option; `--root=--json` says otherwise.
    if (value === undefined || (!token.inline && value.startsWith('-') && value !== '-')) {
      this.#bad(
        `${token.rawName} needs a value: ${token.rawName} ${spec.value}`,
        value === undefined
          ? undefined
          : `a value that begins with a dash is written --${token.name}=${value}`,
      );
      return;
    }
    this.#set(token.name, token.rawName, value, spec);
  }

  #set(name: string, raw: string, value: string, spec: Exclude<OptionSpec, { kind: 'flag' }>): void {
    switch (spec.kind) {
      case 'text':
        if (value !== '') this.#values[name] = value;
        break;
      case 'list': {
        const list = this.#values[name];
        if (value !== '') this.#values[name] = Array.isArray(list) ? [...list, value] : [value];
        break;
      }
      case 'choice':
        if (spec.choices.includes(value)) this.#values[name] = value;
        else {
          this.#bad(
            `${raw} ${value}: it is one of ${spec.choices.join(', ')}`,
            didYouMean(value, spec.choices),
          );
        }
        break;
      case 'number':
        if (/^[0-9]{1,9}$/.test(value) && Number(value) >= spec.least) this.#values[name] = Number(value);
        else this.#bad(`${raw} ${value}: a whole number of at least ${spec.least} is needed`);
        break;
      case 'size': {
        const size = parseSize(value);
        if (size !== null) this.#values[name] = size;
        else this.#bad(`${raw} ${value}: a size is needed, like 512M, 8GiB or 1073741824`);
        break;
      }
      default:
        spec satisfies never;
    }
  }

  #bad(text: string, hint?: string): void {
    this.#problems.push(inputProblem({ code: 'bad-option-value', text, hint }));
  }

  /** Every option of the table, with what counts where it was not given. */
  finish(): Record<string, unknown> {
    for (const [name, spec] of Object.entries(this.#specs)) {
      if (name in this.#values) continue;
      if (spec.kind === 'flag') this.#values[name] = false;
      else if (spec.kind === 'list') this.#values[name] = [];
      else if (spec.kind === 'choice') this.#values[name] = spec.fallback;
    }
    return this.#values;
  }
}

function unknownCommand(name: string, commands: readonly CommandSpec[]): Problem {
  const names = commands.filter((spec) => spec.hidden !== true).map((spec) => spec.name);
  const hint =
    didYouMean(name, names) ?? `all commands: stx-make help; to build a target: stx-make build ${name}`;
  return inputProblem({ code: 'unknown-command', text: `there is no command "${name}"`, hint });
}

function unknownOption(
  raw: string,
  command: CommandSpec | null,
  commands: readonly CommandSpec[],
  specs: OptionSpecs,
): Problem {
  const word = raw.replace(/^-+/, '');
  const visible = Object.entries(specs).filter(([, spec]) => spec.hidden !== true);
  const takers = commands
    .filter((spec) => spec.hidden !== true && word in spec.options)
    .map((spec) => spec.name);
  const hint =
    takers.length > 0
      ? `${raw} is an option of: ${takers.join(', ')}`
      : (didYouMean(
          word,
          visible.map(([name]) => name),
          '--',
        ) ?? `see: stx-make ${command === null ? 'help' : `${command.name} --help`}`);
  const whose = command === null ? 'without a command' : `of ${command.name}`;
  return inputProblem({ code: 'unknown-option', text: `${raw} is not an option ${whose}`, hint });
}

function checkArguments(command: CommandSpec, args: readonly string[], problems: Problem[]): void {
  const bad = (text: string, hint = `see: stx-make ${command.name} --help`): void => {
    problems.push(inputProblem({ code: 'bad-arguments', text, hint }));
  };
  // An optional argument in front is taken only where there is one more than is needed: log [RUN] TARGET.
  const least = command.arguments.filter(({ arity }) => arity === 'one' || arity === 'some').length;
  const many = command.arguments.some(({ arity }) => arity === 'many' || arity === 'some');
  if (args.length < least) {
    const missing = command.arguments.filter(({ arity }) => arity === 'one' || arity === 'some')[args.length];
    bad(`${command.name}: ${missing?.name ?? 'argument'} is missing: ${missing?.summary ?? ''}`);
  }
  if (!many && args.length > command.arguments.length) {
    const extra = args.slice(command.arguments.length).join(' ');
    bad(
      `${command.name} takes ${command.arguments.length === 0 ? 'no arguments' : 'fewer arguments'}: "${extra}" is too much`,
    );
  }
  for (const [i, arg] of args.entries()) {
    if (arg === '') bad(`${command.name}: an argument is empty`);
    const choices = command.arguments[i]?.choices;
    if (choices !== undefined && arg !== '' && !choices.includes(arg)) {
      bad(`${command.name} ${arg}: it is one of ${choices.join(', ')}`, didYouMean(arg, choices));
    }
  }
}
