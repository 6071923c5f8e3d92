/**
 * One command line from words to an exit code: parse, make the context, call the handler, show what went
 * wrong. Everything comes in through parameters; main.ts gives the real process.
 */
import { EXIT, exitCodeOf, type Problem, ProblemError } from '@stx-make/core/errors';
import type { CommandSpec, Handler } from './args/model.ts';
import { type CommonValues, type ParsedLine, parseLine, wantsJson } from './args/parse.ts';
import { detectTerminal, type Io, type Terminal } from './io.ts';
import type { Signals } from './process/signals.ts';
import { Output } from './report/output.ts';
import type { Services } from './services.ts';

export interface Invoked {
  readonly io: Io;
  readonly words: readonly string[];
  readonly commands: readonly CommandSpec[];
  readonly services: Services;
  readonly signals: Signals;
}

/** Runs one command line. Never throws; everything that goes wrong is shown and becomes an exit code. */
export async function runLine(invoked: Invoked): Promise<number> {
  const { io, words } = invoked;
  let output = new Output(io, plainTerminal(wantsJson(words)));
  try {
    const parsed = parseLine(words, invoked.commands);
    const terminal = detectTerminal(io, parsed.common);
    output = new Output(io, terminal);
    const code = await dispatch(invoked, parsed, terminal, output);
    return code === EXIT.interrupted ? (invoked.signals.code() ?? code) : code;
  } catch (error) {
    // A command that was stopped may end with anything; that it was stopped is what counts.
    const stopped = invoked.signals.code();
    if (stopped !== null && !(error instanceof ProblemError)) return stopped;
    const problems = error instanceof ProblemError ? error.problems : [bug(error)];
    output.problems(problems);
    return stopped ?? exitCodeOf(problems);
  }
}

async function dispatch(
  { io, words, commands, services, signals }: Invoked,
  parsed: ParsedLine,
  terminal: Terminal,
  output: Output,
): Promise<number> {
  const { command, common } = parsed;
  if (common.version) {
    const { VERSION } = await import('./version.ts');
    if (output.json) output.document({ version: VERSION, node: process.versions.node });
    else output.print(`stx-make ${VERSION}`);
    return EXIT.done;
  }
  if (common.help || command === null) {
    const { showHelp } = await import('./commands/help.ts');
    showHelp({ output, commands }, command?.name ?? parsed.args[0]);
    return EXIT.done;
  }
  if (command.signals === 'kind') signals.setGraceful();
  else if (command.signals === 'own') signals.dispose();
  const handler = (await command.load()) as Handler<unknown>;
  const context = {
    io,
    terminal,
    options: common satisfies CommonValues,
    output,
    services,
    commands,
    stop: signals.stop,
    requestStop: signals.requestStop,
    onHangup: signals.onHangup,
  };
  return await handler(context, {
    args: parsed.args,
    options: parsed.options,
    line: ['stx-make', ...words.filter((word) => word !== '--detached')].join(' '),
    words,
  });
}

/** Before the options are understood: no colours where it is not sure, JSON where it was asked for. */
function plainTerminal(json: boolean): Terminal {
  return { json, view: 'plain', colour: false, colourErrors: false, unicode: false };
}

/** Our own fault, as a problem with how to report it. */
export function bug(error: unknown): Problem {
  const text = error instanceof Error ? (error.stack ?? String(error)) : String(error);
  return {
    code: 'internal-error',
    tag: 'bug',
    level: 'error',
    text: `This is a bug in stx-make: ${text}`,
    hint: `please report it with the lines above, the command, and the versions: stx-make --version, Node ${process.versions.node}, ${process.platform} ${process.arch}`,
  };
}
