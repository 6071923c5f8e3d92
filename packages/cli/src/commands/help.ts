/**
 * `help [COMMAND]`.
 */
import { EXIT, inputProblem, ProblemError } from '@stx-make/core/errors';
import { overview, page } from '../args/help.ts';
import type { Handler } from '../args/model.ts';
import { didYouMean } from '../args/nearest.ts';
import type { CommandContext } from '../context.ts';

export const help: Handler<Readonly<Record<never, never>>> = (context, { args }) => {
  showHelp(context, args[0]);
  return Promise.resolve(EXIT.done);
};

/** @throws ProblemError `unknown-command` */
export function showHelp(
  { output, commands }: Pick<CommandContext, 'output' | 'commands'>,
  name: string | undefined,
): void {
  const command = commands.find((spec) => spec.name === name);
  if (name !== undefined && command === undefined) {
    const names = commands.filter((spec) => spec.hidden !== true).map((spec) => spec.name);
    throw new ProblemError(
      inputProblem({
        code: 'unknown-command',
        text: `there is no command "${name}"`,
        hint: didYouMean(name, names),
      }),
    );
  }
  const text = command === undefined ? overview(commands) : page(command);
  if (output.json) output.document({ command: name ?? null, help: text });
  else output.print(text);
}
