/**
 * `replay FILE`: a recorded run again, in any view.
 */
import { setTimeout } from 'node:timers/promises';
import { EXIT } from '@stx-make/core/errors';
import { byCodeUnit } from '@stx-make/core/order';
import type { Handler } from '../args/model.ts';
import { makeReporter } from '../report/make.ts';
import { readEvents } from '../report/read.ts';
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
    for await (const event of readEvents(file, io.stdin)) {
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

/** The document of a run, as far as its events tell. */
export function viewDocument(view: RunView): Record<string, unknown> {
  return {
    ok: view.end?.ok ?? false,
    run: view.run,
    interrupted: view.end?.interrupted ?? true,
    stopped: view.end?.stopped ?? null,
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
