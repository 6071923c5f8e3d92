/**
 * `replay FILE`: a recorded run again, in any view.
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { EXIT, inputProblem, ProblemError } from '@stx-make/core/errors';
import type { RunEvent } from '@stx-make/core/events';
import { byCodeUnit } from '@stx-make/core/order';
import type { Handler } from '../args/model.ts';
import type { CommandContext } from '../context.ts';
import { makeReporter } from '../report/make.ts';
import { parseEvent } from '../report/record.ts';
import { emptyView, type RunView } from '../view/model.ts';
import { fold } from '../view/state.ts';

export const replay: Handler<{ readonly speed: number | undefined }> = async (context, { args, options }) => {
  const { output, terminal, stop, io } = context;
  const [file = ''] = args;
  // Lines are read, a screen is watched: only the latter takes its time where nobody says otherwise.
  const speed = options.speed ?? (terminal.view === 'tui' ? 1 : Number.POSITIVE_INFINITY);
  const view = emptyView();
  const reporter = await makeReporter(context);
  const began = io.clock();
  try {
    for await (const event of recorded(file, context)) {
      if (stop.aborted) return EXIT.interrupted;
      const wait = event.at / speed - (io.clock() - began);
      if (wait > 1) await setTimeout(wait, undefined, { signal: stop }).catch(() => {});
      fold(view, event);
      reporter.sink(event);
    }
  } finally {
    await reporter.close();
  }
  if (output.json) output.document(viewDocument(view));
  return EXIT.done;
};

async function* recorded(file: string, context: CommandContext): AsyncGenerator<RunEvent> {
  const input = file === '-' ? context.io.stdin : createReadStream(file, { encoding: 'utf8' });
  let number = 0;
  /** A line is judged when the next one is there: a crash may have cut the last one. */
  let held: string | null = null;
  try {
    for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (held !== null) {
        const event = parseEvent(held, file, ++number);
        if (event !== null) yield event;
      }
      held = text;
    }
  } catch (error) {
    if (error instanceof ProblemError || !(error instanceof Error)) throw error;
    const problem = inputProblem({
      code: 'unreadable-file',
      text: `${file} can not be read: ${error.message}`,
    });
    throw new ProblemError(problem, { cause: error });
  }
  if (held === null)
    throw new ProblemError(inputProblem({ code: 'bad-events', text: `${file} is empty`, file }));
  const last = parseLast(held, file, number + 1);
  if (last !== null) yield last;
}

function parseLast(text: string, file: string, line: number): RunEvent | null {
  try {
    return parseEvent(text, file, line);
  } catch (error) {
    if (line > 1 && error instanceof ProblemError) return null;
    throw error;
  }
}

/** The document of a run, as far as its events tell. */
function viewDocument(view: RunView): Record<string, unknown> {
  return {
    ok: view.end?.ok ?? false,
    run: view.run,
    interrupted: view.end?.interrupted ?? true,
    seconds: (view.end?.duration ?? view.at) / 1000,
    counts: view.end?.counts ?? null,
    targets: [...view.targets.values()]
      .sort((a, b) => byCodeUnit(a.name, b.name))
      .map(({ name, state, digest, duration, reasons }) => ({
        name,
        result: state,
        digest,
        seconds: duration / 1000,
        reasons,
      })),
  };
}
