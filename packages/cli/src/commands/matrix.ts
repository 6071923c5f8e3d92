/**
 * `matrix`: the work of a night shared out among CI jobs, and the workflows that do it.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { EXIT, inputProblem, ProblemError } from '@stx-make/core/errors';
import { fewestShards, MOST_SHARDS, type ShardTarget } from '@stx-make/core/shard/index';
import type { Session } from '@stx-make/scheduler/api';
import type { Handler, OptionValues } from '../args/model.ts';
import { MOST_JOBS, SYSTEMS, type WorkflowFile, type WorkflowOptions } from '../ci/model.ts';
import { isOwnClone, pathIn, repositoryOf } from '../ci/repository.ts';
import {
  type Durations,
  include,
  type Sharing,
  share,
  sharingDocument,
  sharingLines,
} from '../ci/sharing.ts';
import type { CommandContext } from '../context.ts';
import { unwritable } from '../report/record.ts';
import { timeSpan } from '../text/time-span.ts';
import { remoteOf } from './remote.ts';
import { planOptionsOf, warnOf, withSession } from './session.ts';
import type { matrixOptions } from './table-ci.ts';

type MatrixValues = OptionValues<typeof matrixOptions>;

const JOBS = 2;
const TIME = '5h';
const CRON = '17 1 * * *';

export const matrix: Handler<MatrixValues> = (context, { args, options, line }) =>
  withSession(context, async (session) => {
    const { output } = context;
    const system = SYSTEMS.find((each) => each === args[0]);
    if (options.write !== (system !== undefined)) {
      const text = options.write
        ? `matrix --write needs a system: ${SYSTEMS.join(', ')}`
        : `matrix knows ${system} only with --write`;
      throw wrong('bad-arguments', text);
    }
    const most = system === undefined ? MOST_SHARDS : MOST_JOBS[system];
    if ((options.shards ?? 1) > most) {
      const whose = system === undefined ? 'A matrix' : `A matrix of ${system}`;
      throw wrong('bad-shards', `${whose} has at most ${most} jobs, --shards is ${options.shards}.`);
    }
    warnOf(context, session.tree.warnings);
    if (system !== undefined) return await write(context, session, options, line, system);
    const sharing = await shareOut(context, session, options, line, most);
    if (output.json) output.document(sharingDocument(sharing));
    else if (options.format === 'github') output.print(JSON.stringify({ include: include(sharing) }));
    else for (const text of sharingLines(sharing, output.paint)) output.print(text);
    return EXIT.done;
  });

async function shareOut(
  context: CommandContext,
  session: Session,
  options: MatrixValues,
  line: string,
  most: number,
): Promise<Sharing> {
  const plan = await context.services.makePlan(
    session,
    await planOptionsOf(context, session, options, [], line),
  );
  const own = new Map(
    plan.targets.flatMap(({ name, expected }) => (expected === null ? [] : [[name, expected]])),
  );
  const durations = await durationsFor(context, session, options, own);
  const targets = plan.targets
    .filter(({ action }) => !options.pending || action !== 'hit')
    .map(
      ({ name, dependencies }): ShardTarget => ({
        name,
        dependencies,
        expected: durations.of.get(name) ?? null,
        platforms: session.tree.graph.targets.get(name)?.platforms ?? [],
      }),
    );
  const request = { targets, jobs: options.jobs ?? JOBS };
  return share(request, options.shards ?? fewestShards(request, most), durations);
}

/** Given ones, else those that shards of earlier nights took, else those of builds here. */
async function durationsFor(
  { io, services, stop }: CommandContext,
  session: Session,
  options: MatrixValues,
  own: ReadonlyMap<string, number>,
): Promise<Durations> {
  if (options.durations !== undefined) {
    return { from: 'file', of: readDurations(resolve(io.cwd, options.durations)) };
  }
  const remote = remoteOf({ ...options, 'remote-write': false }, io.env, session.config);
  if (remote !== null) {
    const { expectedFromRemote } = await services.shards();
    const { platform } = session;
    const shared = await expectedFromRemote({ remote, env: io.env, signal: stop, platform });
    if (shared.size > 0) return { from: 'remote', of: new Map([...own, ...shared]) };
  }
  return { from: own.size > 0 ? 'history' : 'none', of: own };
}

/** @throws ProblemError `bad-durations`, `unreadable-file` (input) */
function readDurations(path: string): Map<string, number> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw wrong(
      'unreadable-file',
      `${path} can not be read: ${error instanceof Error ? error.message : error}`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw wrong('bad-durations', `${path} is not JSON: ${error instanceof Error ? error.message : error}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrong('bad-durations', `${path} is not an object of milliseconds by target.`);
  }
  const entries = Object.entries(value);
  const bad = entries.filter(([, ms]) => typeof ms !== 'number' || !Number.isFinite(ms) || ms < 0);
  if (bad.length > 0) {
    throw wrong(
      'bad-durations',
      `${path} has something else than milliseconds for ${bad.map(([name]) => JSON.stringify(name)).join(', ')}.`,
    );
  }
  return new Map(entries as [string, number][]);
}

async function write(
  context: CommandContext,
  session: Session,
  options: MatrixValues,
  line: string,
  system: WorkflowOptions['system'],
): Promise<number> {
  const { io, output } = context;
  const time = options.for ?? TIME;
  const timeMs = timeSpan(time);
  if (timeMs === null || timeMs === 0)
    throw wrong('bad-time', `--for is given "${time}", which is not a length of time: 5h, 90m`);
  const repository = repositoryOf(session.root) ?? session.root;
  const { workflowFiles } = await import('../ci/write.ts');
  const shards =
    options.shards ?? (await shareOut(context, session, options, line, MOST_JOBS[system])).shards;
  const files = workflowFiles({
    system,
    shards,
    command: options.command ?? (isOwnClone(repository) ? './run' : 'stx-make'),
    install: options.install ?? null,
    remote: options.remote ?? null,
    tree: pathIn(repository, session.root) ?? '',
    cron: options.cron ?? CRON,
    time,
    timeMs,
    runsOn: options['runs-on'] ?? null,
    line: sameAgain(system, shards, options),
  });
  if (options.output === '-') {
    if (output.json) output.document({ files });
    else for (const { path, text } of files) output.raw(`# ${path}\n${text}`);
    return EXIT.done;
  }
  const folder = options.output === undefined ? repository : resolve(io.cwd, options.output);
  const written = files.map((file) => writeWorkflow(folder, file));
  if (output.json) output.document({ files: written });
  else for (const path of written) output.print(path);
  return EXIT.done;
}

/** The command line that writes the very same, whatever history says then and wherever it is typed. */
function sameAgain(system: string, shards: number, options: MatrixValues): string {
  const given = (['remote', 'for', 'cron', 'runs-on', 'command', 'install'] as const).flatMap((name) => {
    const value = options[name];
    return value === undefined ? [] : [`--${name} ${quoted(value)}`];
  });
  return ['stx-make matrix', `--write ${system}`, `--shards ${shards}`, ...given].join(' ');
}

/** As a shell takes it, on one line. */
function quoted(value: string): string {
  if (/^[\w./:@%+=,-]+$/.test(value)) return value;
  return value.includes('\n')
    ? `$'${value.replaceAll(/[\\']/g, '\\$&').replaceAll('\n', '\\n')}'`
    : `'${value.replaceAll("'", "'\\''")}'`;
}

/** @returns its path. @throws ProblemError `unwritable-file` (environment) */
function writeWorkflow(folder: string, { path, text }: WorkflowFile): string {
  const file = join(folder, path);
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  } catch (error) {
    throw new ProblemError(unwritable(file, error), { cause: error });
  }
  return file;
}

function wrong(code: string, text: string): ProblemError {
  return new ProblemError(inputProblem({ code, text }));
}
