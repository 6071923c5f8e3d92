/**
 * What a command line can say, as data: commands, arguments, options. From these tables come parsing, help,
 * completion and docs/commands.md.
 *
 * Unaware of what commands do.
 */
import type { CommandContext } from '../context.ts';

interface OptionBase {
  /** One short sentence without a full stop. */
  readonly summary: string;
  /** One letter, without the dash. */
  readonly short?: string;
  /** Not in help and completion. */
  readonly hidden?: boolean;
}

/** `--name`; false where not given. */
export interface FlagOption extends OptionBase {
  readonly kind: 'flag';
}

/** `--name VALUE`; undefined where not given. An empty value counts as not given. */
export interface TextOption extends OptionBase {
  readonly kind: 'text';
  readonly value: string;
  /** Shown in help: what counts where it is not given. */
  readonly fallback?: string;
  /** The environment variable read where the option is not given (by the part that uses it). */
  readonly env?: string;
  /** What a shell should offer. */
  readonly complete?: CompletionKind;
}

/** `--name VALUE`, as often as wanted. */
export interface ListOption extends Omit<TextOption, 'kind'> {
  readonly kind: 'list';
}

/** `--name WORD`, one of `choices`. */
export interface ChoiceOption<C extends string = string> extends OptionBase {
  readonly kind: 'choice';
  readonly value: string;
  readonly choices: readonly C[];
  /** What counts where it is not given. */
  readonly fallback: C;
  readonly env?: string;
}

/** `--name N`, a whole number of at least `least`; undefined where not given. */
export interface NumberOption extends OptionBase {
  readonly kind: 'number';
  readonly value: string;
  readonly least: number;
  readonly fallback?: string;
}

/** `--name 8GiB`: bytes with an optional unit (k, M, G, T; powers of 1024); undefined where not given. */
export interface SizeOption extends OptionBase {
  readonly kind: 'size';
  readonly value: string;
  readonly fallback?: string;
}

export type OptionSpec = FlagOption | TextOption | ListOption | ChoiceOption | NumberOption | SizeOption;
export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** What an option's value is after parsing. */
export type OptionValue<O extends OptionSpec> = O extends FlagOption
  ? boolean
  : O extends ListOption
    ? readonly string[]
    : O extends ChoiceOption<infer C>
      ? C
      : O extends NumberOption | SizeOption
        ? number | undefined
        : string | undefined;

export type OptionValues<S extends OptionSpecs> = { readonly [K in keyof S]: OptionValue<S[K]> };

/** What a shell offers for a value. */
export type CompletionKind = 'target' | 'run' | 'command' | 'file' | 'folder' | 'none';

export interface ArgumentSpec {
  /** In capitals, for help. */
  readonly name: string;
  readonly summary: string;
  readonly arity: 'one' | 'optional' | 'many' | 'some';
  readonly choices?: readonly string[];
  readonly complete?: CompletionKind;
}

export interface Example {
  /** What follows `stx-make `. */
  readonly line: string;
  readonly text: string;
}

/** What a handler is given of its command line. */
export interface Invocation<V> {
  readonly args: readonly string[];
  readonly options: V;
  /** As typed, for records and messages. */
  readonly line: string;
  /** The same in words, without the program's name. */
  readonly words: readonly string[];
}

/** Runs a command. @returns the exit code. @throws ProblemError */
export type Handler<V> = (context: CommandContext, invocation: Invocation<V>) => Promise<number>;

export interface CommandSpec {
  /** One word, or two: `daemon supervise` goes before `daemon`. */
  readonly name: string;
  readonly summary: string;
  /** Paragraphs for `--help` and the manual. */
  readonly details?: readonly string[];
  readonly group: string;
  readonly arguments: readonly ArgumentSpec[];
  /** Its own options and the groups it takes part in. */
  readonly options: OptionSpecs;
  readonly examples: readonly Example[];
  readonly hidden?: boolean;
  /** `at-once`, where not given: the first Ctrl-C ends it. `kind`: its handler ends by itself when `stop` is
   * aborted, a second Ctrl-C kills. `own`: it listens to signals itself. */
  readonly signals?: 'at-once' | 'kind' | 'own';
  /** Imports the handler's module when it is needed, not before. The parsed options have been made from
   * `options`, see `defineCommand`. */
  readonly load: () => Promise<Handler<never>>;
}

/** Ties a handler's option type to its table: a handler that wants an option the table does not have, or of
 * another type, does not compile. */
export function defineCommand<const S extends OptionSpecs>(
  spec: Omit<CommandSpec, 'load' | 'options'> & {
    readonly options: S;
    readonly load: () => Promise<Handler<OptionValues<S>>>;
  },
): CommandSpec {
  return spec;
}
