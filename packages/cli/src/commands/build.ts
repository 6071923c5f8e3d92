/**
 * `world` and `build`: runs, shown by a reporter, answered by an exit code and, under --json, a document.
 */
import { EXIT, exitCodeOf, ProblemError } from '@stx-make/core/errors';
import type { RunOptions, RunSummary, Session } from '@stx-make/scheduler/api';
import type { Handler, Invocation, OptionValues } from '../args/model.ts';
import type { detachOptions, shardOptions, timeOptions } from '../args/options.ts';
import type { CommandContext } from '../context.ts';
import { switchVariable } from '../io.ts';
import { runDetached, tellStarter } from '../live/detach.ts';
import { OwnRun } from '../live/own-run.ts';
import { type TimeLimit, timeLimitOf, watchClock } from '../live/time-limit.ts';
import { makeReporter } from '../report/make.ts';
import { problemDocuments } from '../report/output.ts';
import { type RunValues, runOptionsOf, selectionOf, warnOf, withSession } from './session.ts';
import { shardOf } from './shard.ts';

type BuildValues = RunValues &
  OptionValues<typeof detachOptions> &
  OptionValues<typeof shardOptions> &
  OptionValues<typeof timeOptions>;

export const world: Handler<BuildValues> = (context, invocation) => runSelection(context, invocation);
export const build: Handler<BuildValues & { readonly except: readonly string[] }> = (context, invocation) =>
  runSelection(context, invocation, invocation.options.except);

async function runSelection(
  context: CommandContext,
  invocation: Invocation<BuildValues>,
  except: readonly string[] = [],
): Promise<number> {
  // A wrong one is told before anything is detached or opened; the clock runs from here.
  const limit = timeLimitOf(invocation.options, new Date());
  if (invocation.options.detach) return await runDetached(context, invocation.words);
  const check = invocation.options.check || switchVariable(context.io.env, 'CHECK');
  // A run of everything may find that nothing changed, and then needs no graph.
  const outline = !check && invocation.args.length === 0 && except.length === 0;
  const use = async (session: Session): Promise<number> => {
    const selection = await selectionOf(context, session, invocation.args, except);
    warnOf(context, session.tree.warnings);
    if (selection === null) return nothingSelected(context);
    const options = withShard(context, session, invocation.options, {
      ...(await runOptionsOf(context, session, invocation.options, selection, invocation.line)),
    });
    if (check) {
      return await (await import('./check.ts')).checkSelection(context, session, options);
    }
    const { output } = context;
    const summary = await runShown(context, invocation.options, session, options, limit);
    if (output.json) output.document(runDocument(summary));
    // Failed targets were shown by the reporter, with their logs.
    output.problems(summary.problems.filter(({ code }) => code !== 'target-failed'));
    return exitCodeOfRun(summary);
  };
  return await withSession(context, use, { outline });
}

function withShard(
  { io }: CommandContext,
  session: Session,
  values: BuildValues,
  options: RunOptions,
): RunOptions {
  return { ...options, shard: shardOf(values, io.env, options.remote, session.content) };
}

/** The run itself: shown here, and to whoever attaches. */
async function runShown(
  context: CommandContext,
  values: BuildValues,
  session: Session,
  options: RunOptions,
  limit: TimeLimit | null,
): Promise<RunSummary> {
  const clock = watchClock(limit);
  const own = new OwnRun(context, session.state, values.detached ? tellStarter : null);
  const reporter = await makeReporter(context, values, own.keys);
  try {
    const summary = await context.services.run(session, options, own.sink(reporter.sink), {
      ...own.control,
      ...clock.control,
    });
    await own.close(
      exitCodeOfRun(summary),
      summary.problems.filter(({ code }) => code !== 'target-failed'),
    );
    return summary;
  } catch (error) {
    const problems = error instanceof ProblemError ? error.problems : [];
    await own.close(problems.length > 0 ? exitCodeOf(problems) : EXIT.bug, problems);
    throw error;
  } finally {
    clock.stop();
    await reporter.close();
  }
}

function nothingSelected({ output }: CommandContext): number {
  const counts = { targets: 0, hit: 0, built: 0, unchanged: 0, failed: 0, skipped: 0 };
  if (output.json) output.document({ ok: true, seconds: 0, counts, targets: [] });
  else output.print('nothing selected, nothing to do');
  return EXIT.done;
}

/** What INTERFACE.md promises of world and build. `errors` is there where something went wrong. */
function runDocument(summary: RunSummary): Record<string, unknown> {
  const errors = problemDocuments(summary.problems);
  return {
    ok: summary.ok,
    run: summary.run,
    interrupted: summary.interrupted,
    stopped: summary.stopped ?? null,
    seconds: milliseconds(summary.seconds),
    counts: summary.counts,
    targets: summary.targets.map(({ name, result, digest, origin, from, seconds, reasons }) => ({
      name,
      result,
      digest,
      origin,
      ...(from === undefined ? {} : { from }),
      seconds: milliseconds(seconds),
      reasons,
    })),
    ...(summary.shard === undefined ? {} : { shard: summary.shard }),
    // Equal inputs that gave another output than before.
    findings: summary.findings ?? [],
    ...(errors.length > 0 ? { errors } : {}),
  };
}

/** Seconds to three places: more is noise. */
function milliseconds(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}

/** An interrupted run is that first; then the gravest problem decides; a run that is not ok is never 0. One whose time
 * was up is like an interrupted one, but what failed before that counts more: nobody was there to see it. */
export function exitCodeOfRun(summary: RunSummary): number {
  if (summary.interrupted) return EXIT.interrupted;
  const code = exitCodeOf(summary.problems);
  if (code === EXIT.done && summary.stopped === 'time') return EXIT.interrupted;
  return code === EXIT.done && !summary.ok ? EXIT.no : code;
}
