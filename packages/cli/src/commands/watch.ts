/**
 * `watch`: a run, and another one whenever the tree has changed.
 */
import { EXIT, ProblemError } from '@stx-make/core/errors';
import type { RunSummary } from '@stx-make/scheduler/api';
import { watchedTree } from '@stx-make/scheduler/tree/watched';
import type { Handler, Invocation, OptionValues } from '../args/model.ts';
import type { CommandContext } from '../context.ts';
import { makeReporter } from '../report/make.ts';
import { formatProblems } from '../report/problems.ts';
import { count } from '../text/format.ts';
import { sanitizeLine } from '../text/sanitize.ts';
import { Changes, gitLock } from '../watch/changes.ts';
import { watchFiles } from '../watch/files.ts';
import { canType, listenToLines } from '../watch/keys.ts';
import { watchLoop } from '../watch/loop.ts';
import { runOptionsOf, selectionOf, sessionOptionsOf, warnOf } from './session.ts';
import type { watchOptions } from './table-watch.ts';

type WatchValues = OptionValues<typeof watchOptions>;

/** Changed files named in a line; more are counted. */
const NAMED = 3;

export const watch: Handler<WatchValues> = async (context, invocation) => {
  const { io, output, stop } = context;
  const tree = watchedTree(sessionOptionsOf(context));
  const changes = new Changes({ clock: io.clock, after, isGitBusy: gitLock(tree.root) });
  const files = await watchFiles({
    tree,
    poll: invocation.options.poll,
    onChange: (path) => changes.note(path),
    onProblem: (problem) => output.note(formatProblems([problem], output.paint)),
  });
  const rounds = { runs: 0, built: 0, failed: 0 };
  try {
    await watchLoop({
      changes,
      stop,
      round: async (changed, number, onEdits) => {
        if (number > 1 && changed.size > 0) output.print(changedLine(changed));
        const summary = await round(context, invocation, number, onEdits);
        rounds.runs += 1;
        rounds.built += (summary?.counts.built ?? 0) + (summary?.counts.unchanged ?? 0);
        rounds.failed += summary?.counts.failed ?? 0;
      },
      onIdle: (go) => {
        const keys = canType(io) ? ' (Enter: look now, q: end)' : '';
        output.print(output.paint('quiet', `watching ${tree.root}${keys}`));
        return listenToLines(io, { go, quit: context.requestStop });
      },
    });
  } finally {
    changes.close();
    await files.close();
  }
  if (output.json) output.document({ ok: true, ...rounds });
  return EXIT.interrupted;
};

/** One run. Null where the tree or the selection can not be read now; that was shown. */
async function round(
  context: CommandContext,
  { args, options: values, line }: Invocation<WatchValues>,
  number: number,
  onEdits: (look: () => void) => void,
): Promise<RunSummary | null> {
  const { services, output } = context;
  let isRead = false;
  try {
    const session = await services.openSession(sessionOptionsOf(context));
    isRead = true;
    try {
      if (number === 1 && session.fellBack) output.note(`no tree here or above; using ${session.root}`);
      const selection = await selectionOf(context, session, args, values.except);
      warnOf(context, session.tree.warnings);
      if (selection === null) {
        output.print('nothing selected, nothing to do');
        return null;
      }
      const once = { 'no-cache': false, 'no-wait': false, strict: false, check: false };
      const all = { ...values, ...once, events: undefined, trace: undefined };
      const options = { ...(await runOptionsOf(context, session, all, selection, line)), noCache: false };
      const reporter = await makeReporter(context);
      try {
        const summary = await services.run(session, options, reporter.sink, { stop: context.stop, onEdits });
        show(
          context,
          summary.problems.filter(({ code }) => code !== 'target-failed'),
        );
        return summary;
      } finally {
        await reporter.close();
      }
    } finally {
      session.close();
    }
  } catch (error) {
    // A recipe that is wrong may be right after the next change; a wrong command line will not.
    if (!(error instanceof ProblemError) || context.stop.aborted || (number === 1 && isRead)) throw error;
    show(context, error.problems);
    return null;
  }
}

/** Not as the document of --json: that comes at the end. */
function show({ output }: CommandContext, problems: ProblemError['problems']): void {
  if (problems.length > 0) output.note(formatProblems(problems, output.paint));
}

function changedLine(paths: ReadonlySet<string>): string {
  const named = [...paths].filter((path) => path !== '').map(sanitizeLine);
  if (named.length === 0) return 'looking again';
  const more = named.length > NAMED ? ` and ${named.length - NAMED} more` : '';
  return `${count(named.length, 'change')}: ${named.slice(0, NAMED).join(', ')}${more}`;
}

function after(ms: number, callback: () => void): () => void {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
}
