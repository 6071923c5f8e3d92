/**
 * `attach` and `stop`: runs under way in this state folder, whoever started them.
 */
import { existsSync } from 'node:fs';
import { sep } from 'node:path';
import { EXIT, environmentProblem, exitCodeOf, inputProblem, ProblemError } from '@stx-make/core/errors';
import type { Attachment, RunFacts } from '@stx-make/scheduler/live/index';
import { runEventsFile, type StatePaths, statePaths } from '@stx-make/scheduler/paths';
import type { Handler } from '../args/model.ts';
import type { CommandContext } from '../context.ts';
import { followEvents } from '../live/follow.ts';
import type { RunKeys } from '../live/keys.ts';
import { makeReporter, plainView } from '../report/make.ts';
import { heartbeat } from '../report/plain.ts';
import type { Reporter } from '../report/reporter.ts';
import { sanitizeLine } from '../text/sanitize.ts';
import { emptyView, type RunView } from '../view/model.ts';
import { fold } from '../view/state.ts';
import { viewDocument } from './replay.ts';

/** 128 + SIGHUP. */
const HUNG_UP = 129;

type NoOptions = Readonly<Record<never, never>>;

export const attach: Handler<NoOptions> = async (context, { args }) => {
  const paths = await pathsOf(context);
  const { attachTo } = await context.services.live();
  const facts = await chooseRun(context, paths, args[0]);
  const attachment = facts === null ? null : await attachTo(facts);
  if (facts !== null && attachment !== null) return await watchRun(context, attachment);
  // Over since, or named though it is over.
  const name = facts?.run ?? args[0];
  const file = name === undefined ? null : runEventsFile(paths, name);
  if (file !== null && existsSync(file)) return await watchRun(context, recorded(file));
  throw new ProblemError(
    inputProblem({
      code: 'no-run',
      text:
        name === undefined
          ? 'No run is under way.'
          : `There is no run ${name} under way, nor a record of it.`,
      hint: 'history names those that are over; report shows one',
    }),
  );
};

export const stop: Handler<{ readonly kill: boolean }> = async (context, { args, options }) => {
  const { output, services } = context;
  const { attachTo } = await services.live();
  const facts = await chooseRun(context, await pathsOf(context), args[0]);
  if (facts === null && args[0] !== undefined) {
    throw new ProblemError(
      inputProblem({
        code: 'no-run',
        text: `No run ${args[0]} is under way.`,
        hint: 'status names those that are',
      }),
    );
  }
  const attachment = facts === null ? null : await attachTo(facts);
  if (attachment !== null) {
    void attachment.ask({ op: options.kill ? 'kill' : 'stop' });
    await attachment.end;
    attachment.close();
  }
  const run = facts?.run ?? null;
  if (output.json) output.document({ ok: true, stopped: attachment !== null, run });
  else output.print(attachment === null ? 'no run is under way' : `run ${run} has ended`);
  return EXIT.done;
};

/** `status --follow`: what runs now, then lines. Null where no run is under way. */
export async function followRun(context: CommandContext): Promise<number | null> {
  const { attachTo } = await context.services.live();
  const facts = await chooseRun(context, await pathsOf(context), undefined);
  const attachment = facts === null ? null : await attachTo(facts);
  if (attachment === null) return null;
  return await watchRun(context, attachment, { fromNow: true });
}

async function pathsOf({ services, options, io }: CommandContext): Promise<StatePaths> {
  return statePaths(await services.stateRoot(options.state, io.env, io.cwd));
}

/** The run that is meant; null where there is none. @throws ProblemError `ambiguous-run` (input) */
async function chooseRun(
  { services, io }: CommandContext,
  paths: StatePaths,
  name: string | undefined,
): Promise<RunFacts | null> {
  const { liveRuns } = await services.live();
  const all = await liveRuns(paths);
  const meant = name === undefined ? all : all.filter(({ run }) => run.startsWith(name));
  // Several trees may share a state folder: the one we stand in is meant.
  const here = meant.filter(({ root }) => `${io.cwd}${sep}`.startsWith(`${root}${sep}`));
  const candidates = meant.length > 1 && here.length > 0 ? here : meant;
  const [only] = candidates;
  if (candidates.length <= 1) return only ?? null;
  const list = candidates.map(({ run, command, root }) => `${run} (\`${command}\` in ${root})`);
  throw new ProblemError(
    inputProblem({
      code: 'ambiguous-run',
      text: `Several runs are under way: ${list.join(', ')}.`,
      hint: 'name one',
    }),
  );
}

/** A run that is over, as if we had watched it. */
function recorded(events: string): Watched {
  return { events, facts: null, end: Promise.resolve(null) };
}

type Watched = Attachment | { readonly events: string; readonly facts: null; readonly end: Promise<null> };

/** How the looking ended, where it was before the run's end. */
type Left = 'left' | 'hung up' | 'interrupted';

async function watchRun(
  context: CommandContext,
  watched: Watched,
  { fromNow = false } = {},
): Promise<number> {
  const { output, stop: stopped, onHangup } = context;
  const since = watched.facts === null ? 0 : Math.max(0, Date.now() - Date.parse(watched.facts.started));
  const leaving = new AbortController();
  let left: Left | null = null;
  const leave = (how: Left): void => {
    left ??= how;
    leaving.abort();
  };
  // Closing this terminal, or a signal to this process, says nothing about the run.
  onHangup(() => leave('hung up'));
  const onStopped = (): void => leave('interrupted');
  stopped.addEventListener('abort', onStopped, { once: true });
  if (stopped.aborted) onStopped();
  const view = emptyView();
  const keys = watched.facts === null ? null : keysOf(watched, () => leave('left'), view);
  const reporter = fromNow ? linesFromNow(context, view, since) : await makeReporter(context, {}, keys);
  try {
    for await (const event of followEvents(watched.events, watched.end, leaving.signal)) {
      fold(view, event);
      const isLate = event.type === 'run-started' && watched.facts !== null;
      // A late viewer's clock begins when the run did.
      reporter.sink(isLate ? { ...event, at: since } : event);
    }
  } finally {
    await reporter.close();
    stopped.removeEventListener('abort', onStopped);
  }
  if (left !== null) return leftCode(context, watched, left);
  const end = await watched.end;
  if (watched.facts !== null) watched.close();
  if (end?.how === 'killed' && view.end === null) throw new ProblemError(killed(watched.facts));
  if (output.json) output.document(viewDocument(view));
  if (end?.how === 'over') {
    output.problems(end.problems);
    return end.code;
  }
  return codeOf(view);
}

/** How long what was before now may take to be read, ms: then it is said what runs. */
const CATCH_UP_MS = 300;

/** What runs now, and lines for what happens from now on. @param since ms since the run began */
function linesFromNow(context: CommandContext, view: RunView, since: number): Reporter {
  const { output } = context;
  let isPast = true;
  const lines = plainView(context, false, () => isPast);
  const begin = (): void => {
    clearTimeout(timer);
    if (!isPast) return;
    isPast = false;
    output.print(`run ${view.run}: ${sanitizeLine(view.command)} in ${sanitizeLine(view.root)}`);
    for (const line of heartbeat(view, Math.max(view.at, since))) output.print(line);
  };
  const timer = setTimeout(begin, CATCH_UP_MS);
  return {
    sink: (event) => {
      if (event.at > since) begin();
      lines.sink(event);
    },
    close: async () => {
      begin();
      await lines.close();
    },
  };
}

function keysOf(attachment: Attachment, leave: () => void, view: RunView): RunKeys {
  return {
    attached: true,
    pause: () => void attachment.ask({ op: 'pause' }),
    resume: () => void attachment.ask({ op: 'resume' }),
    retry: (target) => attachment.ask({ op: 'retry', target }),
    stop: () => void attachment.ask({ op: view.phase === 'stopping' ? 'kill' : 'stop' }),
    detach: leave,
  };
}

function leftCode({ output, terminal }: CommandContext, watched: Watched, how: Left): number {
  if (watched.facts !== null) watched.close();
  if (how === 'hung up') return HUNG_UP;
  const run = watched.facts?.run;
  if (terminal.json) output.document({ ok: true, left: true, run: run ?? null });
  if (run !== undefined) output.note(`run ${run} goes on; stx-make stop ${run} ends it`);
  return how === 'left' ? EXIT.done : EXIT.interrupted;
}

/** The exit code of a run of which only its events are left. */
function codeOf({ end, failures, targets, warnings }: RunView): number {
  if (end === null) return EXIT.environment;
  if (end.interrupted) return EXIT.interrupted;
  if (end.ok) return EXIT.done;
  if (end.stopped === 'time' && failures.length === 0) return EXIT.interrupted;
  const tags = {
    build: 'build',
    infrastructure: 'environment',
    integrity: 'integrity',
    input: 'input',
  } as const;
  const failed = failures.flatMap((name) => targets.get(name)?.failure ?? []);
  const problems = failed.map(({ kind, cause }) => ({
    code: 'target-failed',
    tag: tags[kind],
    level: 'error' as const,
    text: cause,
  }));
  const code = exitCodeOf([...problems, ...warnings]);
  return code === EXIT.done ? EXIT.no : code;
}

function killed(facts: RunFacts | null): ReturnType<typeof environmentProblem> {
  return environmentProblem({
    code: 'run-killed',
    text: `Run ${facts?.run} (pid ${facts?.pid}) is gone without a word: it was killed, or the machine wanted memory.`,
    hint: `What is finished is kept: \`${facts?.command}\` goes on from there.`,
  });
}
