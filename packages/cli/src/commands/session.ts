/**
 * Opening the tree for a command, with what must be said about it.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { inputProblem, type Problem, ProblemError } from '@stx-make/core/errors';
import type { RunOptions, Session, SessionOptions } from '@stx-make/scheduler/api';
import { workersOf } from '@stx-make/scheduler/config';
import type { OptionValues } from '../args/model.ts';
import type { planOptions, runOptions } from '../args/options.ts';
import type { CommandContext } from '../context.ts';
import { checkProgress, switchVariable, variable } from '../io.ts';
import { remoteOf } from './remote.ts';

/** Opens the session, runs `use`, closes it whatever happens. Says where the tree is when it was not found
 * from the current folder. @throws ProblemError */
export async function withSession<T>(
  context: CommandContext,
  use: (session: Session) => Promise<T>,
  options: Pick<SessionOptions, 'outline'> = {},
): Promise<T> {
  const { services } = context;
  const session = await services.openSession({ ...sessionOptionsOf(context), ...options });
  try {
    if (session.fellBack) context.output.note(`no tree here or above; using ${session.root}`);
    return await use(session);
  } finally {
    session.close();
  }
}

/** How the tree is found, from the common options and the environment. */
export function sessionOptionsOf({ io, options }: CommandContext): SessionOptions {
  return {
    cwd: io.cwd,
    env: io.env,
    root: options.root,
    // Set by ./run alone: the installed command has no tree of its own.
    fallbackRoot: variable(io.env, 'STX_MAKE_FALLBACK_ROOT'),
    state: options.state,
    out: options.out,
    platform: options.platform,
  };
}

/** Tells warnings of the tree, once a command. */
export function warnOf(context: CommandContext, warnings: readonly Problem[]): void {
  context.output.problems(warnings);
}

/**
 * The targets of a selection. Null where something was named and nothing is meant (an empty @FILE, everything
 * excepted): not the same as naming nothing, which is everything.
 * @throws ProblemError
 */
export async function selectionOf(
  context: CommandContext,
  session: Session,
  terms: readonly string[],
  except: readonly string[],
): Promise<readonly string[] | null> {
  if (terms.length === 0 && except.length === 0) return [];
  const graph = await context.services.graph();
  const names = graph.select(session.tree.graph, {
    terms,
    except,
    readFile: (path) => readTerms(context, path),
  });
  return names.length === 0 ? null : names;
}

/** The text of an `@FILE`; - is stdin. @throws ProblemError `unreadable-file` (input) */
export function readTerms({ io }: CommandContext, path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : resolve(io.cwd, path), 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ProblemError(
      inputProblem({ code: 'unreadable-file', text: `@${path} can not be read: ${reason}` }),
    );
  }
}

export type PlanValues = OptionValues<typeof planOptions>;
export type RunValues = OptionValues<typeof runOptions>;

/** CPU time of a step as BuildKit takes it: microseconds per 100 ms, so 1 % of a core is 1000. */
const MICROSECONDS_PER_PERCENT = 1_000;

/** The scheduler's options for a run. @throws ProblemError where a variable of the environment is wrong */
export async function runOptionsOf(
  context: CommandContext,
  session: Session,
  values: RunValues,
  selection: readonly string[],
  line: string,
): Promise<RunOptions> {
  checkProgress(context.io.env);
  const memory = values['limit-memory'];
  const cpu = values['limit-cpu'];
  const shares = values['cpu-shares'];
  const cpus = values['cpuset-cpus'];
  return {
    ...(await planOptionsOf(context, session, values, selection, line)),
    keepGoing: values['keep-going'],
    wait: !values['no-wait'],
    strict: values.strict,
    offline: values.offline,
    remote: remoteOf(values, context.io.env, session.config),
    limits: {
      ...(memory === undefined ? {} : { memory }),
      ...(cpu === undefined ? {} : { cpuQuota: cpu * MICROSECONDS_PER_PERCENT }),
      ...(shares === undefined ? {} : { cpuShares: shares }),
      ...(cpus === undefined ? {} : { cpusetCpus: cpus }),
    },
  };
}

/** The same for commands that only plan. */
export async function planOptionsOf(
  { io }: CommandContext,
  { config }: Session,
  values: PlanValues,
  selection: readonly string[],
  line: string,
): Promise<RunOptions> {
  return {
    selection,
    workers: await workersOf(values, io.env, config, io.cwd),
    keepGoing: false,
    noCache: values['no-cache'] || switchVariable(io.env, 'NOCACHE'),
    limits: {},
    wait: true,
    strictEngine: values['strict-engine'],
    strict: false,
    offline: false,
    command: line,
  };
}
