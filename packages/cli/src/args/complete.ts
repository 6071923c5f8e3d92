/**
 * Shell completion: what may come next on a half-typed line, and the scripts that ask for it.
 *
 * The scripts are thin: they call the hidden command `__complete` with the words typed so far, so what is
 * offered never falls behind the tables. Names of targets come through a function that is called only when
 * they are wanted.
 */
import type { ArgumentSpec, CommandSpec, CompletionKind, OptionSpec } from './model.ts';
import { optionsOf } from './parse.ts';

/** What the shell should do beside offering the words. */
export interface Completions {
  readonly words: readonly string[];
  /** `file` and `folder`: let the shell complete paths. */
  readonly paths: 'none' | 'file' | 'folder';
}

/** Where names come from. */
export interface CompletionSources {
  /** `root` is what stood after --root on the line. */
  targets(root: string | undefined): Promise<readonly string[]>;
  runs(state: string | undefined): Promise<readonly string[]>;
}

const NOTHING: Completions = { words: [], paths: 'none' };

/** @param words after `stx-make`, the last one being completed (maybe empty). */
export async function complete(
  words: readonly string[],
  commands: readonly CommandSpec[],
  sources: CompletionSources,
): Promise<Completions> {
  const current = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const line = readLine(before, commands);
  const specs = optionsOf(line.command);
  const offerValue = async (spec: OptionSpec, typed: string, prefix = ''): Promise<Completions> => {
    if (spec.kind === 'choice') return offer(spec.choices, typed, prefix);
    const kind = spec.kind === 'text' || spec.kind === 'list' ? spec.complete : undefined;
    return await byKind(kind ?? 'none', typed, line, commands, sources);
  };
  if (line.pending !== null) return await offerValue(line.pending, current);
  if (!line.terminated && current.startsWith('--') && current.includes('=')) {
    const name = current.slice(2, current.indexOf('='));
    const spec = specs[name];
    if (spec === undefined || spec.kind === 'flag') return NOTHING;
    return await offerValue(spec, current.slice(name.length + 3), `--${name}=`);
  }
  if (!line.terminated && current.startsWith('-')) {
    const names = Object.entries(specs).filter(([, spec]) => spec.hidden !== true);
    return offer(
      names.map(([name]) => `--${name}`),
      current,
    );
  }
  if (line.command === null) {
    if (line.args.length > 0) return NOTHING;
    return offer(namesOf(commands), current);
  }
  const argument = argumentAt(line.command.arguments, line.args.length);
  if (argument === undefined) return NOTHING;
  if (argument.choices !== undefined) return offer(argument.choices, current);
  return await byKind(argument.complete ?? 'none', current, line, commands, sources);
}

interface Line {
  readonly command: CommandSpec | null;
  /** After the command. */
  readonly args: readonly string[];
  /** The option whose value is being typed. */
  readonly pending: Exclude<OptionSpec, { kind: 'flag' }> | null;
  readonly terminated: boolean;
  readonly values: ReadonlyMap<string, string>;
}

/** Reads the words before the one being completed; forgiving, unlike parseLine. */
function readLine(words: readonly string[], commands: readonly CommandSpec[]): Line {
  let command: CommandSpec | null = null;
  let seen = false;
  let terminated = false;
  let pending: Line['pending'] = null;
  let pendingName = '';
  const args: string[] = [];
  const values = new Map<string, string>();
  for (const word of words) {
    if (pending !== null) {
      values.set(pendingName, word);
      pending = null;
    } else if (terminated || !word.startsWith('-') || word === '-') {
      if (seen) args.push(word);
      else command = commands.find(({ name }) => name === word) ?? null;
      seen = true;
    } else if (word === '--') terminated = true;
    else {
      const specs = Object.entries(optionsOf(command));
      const equals = word.indexOf('=');
      const name = equals < 0 ? word.replace(/^-+/, '') : word.slice(2, equals);
      const found = specs.find(([long, spec]) => (word.startsWith('--') ? long : spec.short) === name);
      if (found === undefined) continue;
      if (equals >= 0) values.set(found[0], word.slice(equals + 1));
      else if (found[1].kind !== 'flag') {
        pending = found[1];
        pendingName = found[0];
      }
    }
  }
  return { command, args: seen && command === null ? ['?', ...args] : args, pending, terminated, values };
}

/** The argument at a place; the last one repeats where it may. `log [RUN] TARGET`: a target may stand first. */
function argumentAt(specs: readonly ArgumentSpec[], index: number): ArgumentSpec | undefined {
  const spec = specs[index];
  if (spec?.arity === 'optional') return specs[index + 1] ?? spec;
  if (spec !== undefined) return spec;
  const last = specs.at(-1);
  return last?.arity === 'many' || last?.arity === 'some' ? last : undefined;
}

async function byKind(
  kind: CompletionKind,
  typed: string,
  line: Line,
  commands: readonly CommandSpec[],
  sources: CompletionSources,
): Promise<Completions> {
  switch (kind) {
    case 'target':
      return offer(await sources.targets(line.values.get('root')), typed);
    case 'run':
      return offer(await sources.runs(line.values.get('state')), typed);
    case 'command':
      return offer(namesOf(commands), typed);
    case 'file':
    case 'folder':
      return { words: [], paths: kind };
    case 'none':
      return NOTHING;
    default:
      return kind satisfies never;
  }
}

function namesOf(commands: readonly CommandSpec[]): string[] {
  return commands.filter((command) => command.hidden !== true).map((command) => command.name);
}

function offer(words: readonly string[], typed: string, prefix = ''): Completions {
  return {
    words: words.filter((word) => word.startsWith(typed)).map((word) => prefix + word),
    paths: 'none',
  };
}

/** What `__complete` prints: one word a line; a first line `:file` or `:folder` asks for paths. */
export function formatCompletions(completions: Completions): string {
  const lines = completions.paths === 'none' ? [] : [`:${completions.paths}`];
  // A name with a blank or a control character can not be offered through lines.
  lines.push(...completions.words.filter((word) => !/[\s\p{Cc}]/u.test(word)));
  return lines.map((line) => `${line}\n`).join('');
}
