/**
 * `completion SHELL` prints the script; `__complete WORD...` answers it. Silent on errors: a half-typed line
 * must not print into the prompt.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { EXIT } from '@stx-make/core/errors';
import { complete, formatCompletions } from '../args/complete.ts';
import { COMPLETION_SCRIPTS, SHELLS } from '../args/complete-scripts.ts';
import type { Handler } from '../args/model.ts';
import type { CommandContext } from '../context.ts';
import { variable } from '../io.ts';

type NoOptions = Readonly<Record<never, never>>;

export const completion: Handler<NoOptions> = (context, { args }) => {
  const shell = SHELLS.find((name) => name === args[0]);
  if (shell === undefined) throw new Error(`no script for ${args[0]}`);
  const script = COMPLETION_SCRIPTS[shell];
  if (context.output.json) context.output.document({ shell, script });
  else context.output.raw(script);
  return Promise.resolve(EXIT.done);
};

export const completeWords: Handler<NoOptions> = async (context, { args }) => {
  const found = await complete(args, context.commands, {
    targets: (root) => targetNames(context, root),
    runs: (state) => runNames(context, state),
  });
  context.output.raw(formatCompletions(found));
  return EXIT.done;
};

async function targetNames(context: CommandContext, root: string | undefined): Promise<readonly string[]> {
  const { io, services } = context;
  try {
    const session = await services.openSession({
      cwd: io.cwd,
      env: io.env,
      root,
      fallbackRoot: variable(io.env, 'STX_MAKE_FALLBACK_ROOT'),
    });
    session.close();
    return [...session.tree.graph.targets.keys()];
  } catch {
    return [];
  }
}

async function runNames(context: CommandContext, state: string | undefined): Promise<readonly string[]> {
  const root = await context.services.stateRoot(state, context.io.env, context.io.cwd);
  return await readdir(join(root, 'logs')).catch(() => []);
}
