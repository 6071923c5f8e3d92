/**
 * `world` and `build`: runs, shown by a reporter, answered by an exit code and, under --json, a document.
 */
import { EXIT, exitCodeOf } from '@stx-make/core/errors';
import type { RunSummary } from '@stx-make/scheduler/api';
import type { Handler, Invocation } from '../args/model.ts';
import type { CommandContext } from '../context.ts';
import { switchVariable } from '../io.ts';
import { makeReporter } from '../report/make.ts';
import { problemDocuments } from '../report/output.ts';
import { type RunValues, runOptionsOf, selectionOf, warnOf, withSession } from './session.ts';

export const world: Handler<RunValues> = (context, invocation) => runSelection(context, invocation);
export const build: Handler<RunValues & { readonly except: readonly string[] }> = (context, invocation) =>
  runSelection(context, invocation, invocation.options.except);

async function runSelection(
  context: CommandContext,
  invocation: Invocation<RunValues>,
  except: readonly string[] = [],
): Promise<number> {
  const { services, output } = context;
  return await withSession(context, async (session) => {
    const selection = await selectionOf(context, session, invocation.args, except);
    warnOf(context, session.tree.warnings);
    if (selection === null) return nothingSelected(context);
    const options = runOptionsOf(context, session, invocation.options, selection, invocation.line);
    if (invocation.options.check || switchVariable(context.io.env, 'CHECK')) {
      return await (await import('./check.ts')).checkSelection(context, session, options);
    }
    const reporter = await makeReporter(context, invocation.options);
    let summary: RunSummary;
    try {
      summary = await services.run(session, options, reporter.sink, { stop: context.stop });
    } finally {
      await reporter.close();
    }
    if (output.json) output.document(runDocument(summary));
    // Failed targets were shown by the reporter, with their logs.
    output.problems(summary.problems.filter(({ code }) => code !== 'target-failed'));
    return exitCodeOfRun(summary);
  });
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
    seconds: milliseconds(summary.seconds),
    counts: summary.counts,
    targets: summary.targets.map(({ name, result, digest, origin, seconds, reasons }) => ({
      name,
      result,
      digest,
      origin,
      seconds: milliseconds(seconds),
      reasons,
    })),
    // Equal inputs that gave another output than before.
    findings: summary.findings ?? [],
    ...(errors.length > 0 ? { errors } : {}),
  };
}

/** Seconds to three places: more is noise. */
function milliseconds(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}

/** An interrupted run is that first; then the gravest problem decides; a run that is not ok is never 0. */
export function exitCodeOfRun(summary: RunSummary): number {
  if (summary.interrupted) return EXIT.interrupted;
  const code = exitCodeOf(summary.problems);
  return code === EXIT.done && !summary.ok ? EXIT.no : code;
}
