/**
 * `report`: a run that is over as one HTML page. What the page holds is made in page/; here files are found, read
 * and written.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { EXIT, inputProblem, ProblemError } from '@stx-make/core/errors';
import { byCodeUnit } from '@stx-make/core/order';
import { runEventsFile, statePaths } from '@stx-make/scheduler/paths';
import type { Handler } from '../args/model.ts';
import type { CommandContext } from '../context.ts';
import { bundledPageCode, htmlDocument, type PageCode } from '../page/html.ts';
import { pageData } from '../page/make.ts';
import { type LogEnd, RunPage } from '../page/run.ts';
import { readEvents } from '../report/read.ts';
import { unwritable } from '../report/record.ts';
import type { Past } from '../services.ts';
import { bytes } from '../text/format.ts';

/** Bytes of a failed target's log that a page takes in, from its end. */
const LOG_BYTES = 128 * 1024;
/** Earlier builds that a page shows of a target. */
const PAST = 10;

export const report: Handler<{ readonly output: string | undefined }> = async (
  context,
  { args, options },
) => {
  const { output, services, io } = context;
  const state = await services.stateRoot(context.options.state, io.env, io.cwd);
  const events = eventsFile(args[0], state, io.cwd);
  const past = await services.past(state);
  try {
    const { html, run, end } = await reportPage(events, context, past, bundledPageCode);
    const name = options.output ?? `stx-make-report-${fileName(run)}.html`;
    const path = resolve(io.cwd, name);
    if (name === '-') {
      if (output.json) throw new ProblemError(stdoutTaken());
      output.raw(html);
      return EXIT.done;
    }
    try {
      writeFileSync(path, html);
    } catch (error) {
      throw new ProblemError(unwritable(path, error), { cause: error });
    }
    const size = Buffer.byteLength(html);
    if (output.json) output.document({ run, end, file: path, bytes: size, events });
    else output.print(`${path}  ${bytes(size)}  run ${run}: ${end}`);
    return EXIT.done;
  } finally {
    past?.close();
  }
};

/** The page of a recorded run. Logs are taken from beside the events alone, whatever the events say: a record from
 * elsewhere must not pull files of this machine into a page that is passed on. */
export async function reportPage(
  events: string,
  { io }: CommandContext,
  past: Past | null,
  code: () => PageCode,
): Promise<{ readonly html: string; readonly run: string; readonly end: string }> {
  const page = new RunPage();
  let began = Number.POSITIVE_INFINITY;
  let id = '';
  for await (const event of readEvents(events, io.stdin)) {
    if (event.type === 'run-started') {
      began = Date.parse(event.started);
      id = event.run;
    }
    page.take(event);
  }
  const { targets, run } = page.finish({
    past: (target) =>
      (past?.of(target, PAST + 1) ?? [])
        .filter((row) => row.run !== id && row.result !== 'failed' && row.finished < began)
        .slice(0, PAST)
        .map((row) => row.duration)
        .reverse(),
    log: (path) => logEnd(join(dirname(events), basename(path))),
  });
  const data = await pageData(`${run.command}: ${run.id}`, targets, run);
  return { html: htmlDocument(data, code()), run: run.id, end: run.end };
}

/** The file of a run's events: a run's name or its beginning, a file, or nothing for the newest run. */
function eventsFile(wanted: string | undefined, state: string, cwd: string): string {
  if (wanted === '-') return wanted;
  const paths = statePaths(state);
  const runs = runsWithEvents(paths.logs);
  if (wanted === undefined) {
    const newest = runs.at(-1);
    if (newest !== undefined) return runEventsFile(paths, newest);
    throw new ProblemError(
      inputProblem({
        code: 'no-run',
        text: `No run was kept in ${state}.`,
        hint: 'Runs that build something are kept; a file of --events can be named, too.',
      }),
    );
  }
  const file = resolve(cwd, wanted);
  if (!runs.includes(wanted) && existsSync(file) && statSync(file).isFile()) return file;
  const found = runs.filter((run) => run.startsWith(wanted));
  const [only] = found;
  if (only !== undefined && (found.length === 1 || runs.includes(wanted))) {
    return runEventsFile(paths, runs.includes(wanted) ? wanted : only);
  }
  throw new ProblemError(
    inputProblem({
      code: found.length > 1 ? 'ambiguous-run' : 'unknown-run',
      text:
        found.length > 1
          ? `${JSON.stringify(wanted)} can be ${found.join(' or ')}.`
          : `There is no run ${JSON.stringify(wanted)} with events, and no such file.`,
      hint: 'stx-make history names the runs.',
    }),
  );
}

/** Oldest first: runs' names begin with their time. */
function runsWithEvents(logs: string): string[] {
  let names: string[];
  try {
    names = readdirSync(logs);
  } catch {
    return [];
  }
  // A run that was killed as it began may have left an empty one.
  const isKept = (run: string): boolean =>
    (statSync(runEventsFile({ logs }, run), { throwIfNoEntry: false })?.size ?? 0) > 0;
  return names.filter(isKept).sort(byCodeUnit);
}

/** A run's name is text from a file: only what is harmless in a path is taken into one. */
function fileName(run: string): string {
  return run.replaceAll(/[^A-Za-z0-9-]/g, '_').slice(0, 64);
}

function stdoutTaken(): ReturnType<typeof inputProblem> {
  return inputProblem({
    code: 'stdout-taken',
    text: '--output - writes the page to stdout, where --json puts its document.',
    hint: 'name a file',
  });
}

/** The last part of a file from the beginning of a line on. Null where there is no such file. */
function logEnd(path: string): LogEnd | null {
  let handle: number;
  try {
    handle = openSync(path, 'r');
  } catch {
    return null;
  }
  try {
    const stat = fstatSync(handle);
    if (!stat.isFile()) return null;
    const from = Math.max(0, stat.size - LOG_BYTES);
    const buffer = Buffer.alloc(Math.min(stat.size, LOG_BYTES));
    const piece = buffer.subarray(0, readSync(handle, buffer, 0, buffer.length, from));
    const start = from === 0 ? 0 : piece.indexOf(0x0a) + 1;
    return { text: piece.subarray(start).toString('utf8').trimEnd(), omitted: from + start };
  } finally {
    closeSync(handle);
  }
}
