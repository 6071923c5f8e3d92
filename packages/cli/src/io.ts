/**
 * The world as a command sees it: streams, environment, clock; and what is known of the terminal. Everything
 * is given, nothing taken from globals, so that tests can give their own.
 */
import { inputProblem, ProblemError } from '@stx-make/core/errors';
import type { CommonValues } from './args/parse.ts';

/** A stream that may be a terminal. */
export type OutStream = NodeJS.WritableStream & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};

export interface Io {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly stdout: OutStream;
  readonly stderr: OutStream;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
}

/** How a run is shown, decided. */
export type View = 'tui' | 'plain' | 'quiet';

/** What may be written where. */
export interface Terminal {
  /** A document on stdout, everything for people on stderr. */
  readonly json: boolean;
  readonly view: View;
  /** Colours on the stream for people. */
  readonly colour: boolean;
  /** Colours on stderr, where problems go. */
  readonly colourErrors: boolean;
  /** The locale is UTF-8: box drawing and other symbols can be shown. */
  readonly unicode: boolean;
}

/** An environment variable; empty counts as unset. */
export function variable(env: NodeJS.ProcessEnv, name: string): string | undefined {
  return env[name] || undefined;
}

/** A variable that is on or off, as in upstream's Makefile. @throws ProblemError `bad-variable` (input) */
export function switchVariable(env: NodeJS.ProcessEnv, name: string): boolean {
  const value = variable(env, name) ?? '0';
  if (value === '0' || value === '1') return value === '1';
  throw new ProblemError(
    inputProblem({
      code: 'bad-variable',
      text: `The environment says ${name}=${value}; ${name} is 1 for on, 0 for off.`,
    }),
  );
}

/** What docker calls its views, in our words: `tty` is the TUI where there can be one. */
const PROGRESS_VIEWS: Readonly<Record<string, CommonValues['ui']>> = {
  auto: 'auto',
  plain: 'plain',
  tty: 'tui',
  quiet: 'quiet',
};

/** PROGRESS, as upstream's Makefile has it, where --ui is not given. */
function progressView(env: NodeJS.ProcessEnv): CommonValues['ui'] {
  const value = variable(env, 'PROGRESS') ?? 'auto';
  return Object.hasOwn(PROGRESS_VIEWS, value) ? (PROGRESS_VIEWS[value] ?? 'auto') : 'auto';
}

/** For commands that show a run: only they are wrong with a wrong PROGRESS. @throws ProblemError `bad-variable` (input) */
export function checkProgress(env: NodeJS.ProcessEnv): void {
  const value = variable(env, 'PROGRESS') ?? 'auto';
  if (Object.hasOwn(PROGRESS_VIEWS, value)) return;
  throw new ProblemError(
    inputProblem({
      code: 'bad-variable',
      text: `The environment says PROGRESS=${value}; it is one of ${Object.keys(PROGRESS_VIEWS).join(', ')}.`,
      hint: value === 'rawjson' ? 'every event as a line of JSON: --events -' : undefined,
    }),
  );
}

/** @throws ProblemError `no-terminal` where a TUI is asked for by name and can not be. */
export function detectTerminal(io: Io, options: CommonValues): Terminal {
  const { env } = io;
  const json = options.json || options.ui === 'json';
  const able = io.stdout.isTTY === true && io.stdin.isTTY === true && !isDumb(env);
  if (options.ui === 'tui' && (json || !able)) {
    throw new ProblemError(
      inputProblem({
        code: 'no-terminal',
        text: json
          ? 'The TUI and --json can not share a terminal.'
          : 'The TUI needs a terminal that can move its cursor on stdin and stdout.',
        hint: 'leave --ui out, or use --ui plain',
      }),
    );
  }
  const ui = options.ui === 'auto' ? progressView(env) : options.ui;
  let view: View = 'plain';
  if (ui === 'quiet') view = 'quiet';
  // Unlike the option, a variable left over from another shell does not insist.
  else if (able && !json && (ui === 'tui' || (ui === 'auto' && !isCi(env)))) view = 'tui';
  return {
    json,
    view,
    colour: colourOn(json ? io.stderr : io.stdout, env, options.color),
    colourErrors: colourOn(io.stderr, env, options.color),
    unicode: isUnicode(env),
  };
}

function isDumb(env: NodeJS.ProcessEnv): boolean {
  const term = variable(env, 'TERM');
  return term === undefined || term === 'dumb';
}

/** CI systems set CI; their logs are no terminals even where they look like one. */
function isCi(env: NodeJS.ProcessEnv): boolean {
  const ci = variable(env, 'CI');
  return ci !== undefined && ci !== 'false' && ci !== '0';
}

/** NO_COLOR (no-color.org) beats the terminal; an option beats both. */
export function colourOn(
  stream: OutStream,
  env: NodeJS.ProcessEnv,
  when: 'auto' | 'always' | 'never',
): boolean {
  if (when !== 'auto') return when === 'always';
  if (variable(env, 'NO_COLOR') !== undefined) return false;
  return stream.isTTY === true && !isDumb(env);
}

/** LC_ALL beats LC_CTYPE beats LANG (POSIX locale categories). */
export function isUnicode(env: NodeJS.ProcessEnv): boolean {
  const locale = variable(env, 'LC_ALL') ?? variable(env, 'LC_CTYPE') ?? variable(env, 'LANG') ?? '';
  return /utf-?8/i.test(locale);
}
