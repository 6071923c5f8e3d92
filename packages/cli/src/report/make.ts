/**
 * Chooses how a run is shown and what of it is kept. The TUI and its libraries are imported only where used.
 */
import { inputProblem, ProblemError } from '@stx-make/core/errors';
import type { CommandContext } from '../context.ts';
import type { RunKeys } from '../live/keys.ts';
import { detectCi } from './ci.ts';
import { plainReporter } from './plain.ts';
import { recorder } from './record.ts';
import type { Reporter } from './reporter.ts';
import { tracer } from './trace.ts';

/** Files a run is kept in. */
export interface Kept {
  readonly events?: string | undefined;
  readonly trace?: string | undefined;
}

/** The reporter for this terminal and these options. @param keys what can be asked of the run; null for a
 * recording. @throws ProblemError where a file can not be opened */
export async function makeReporter(
  context: CommandContext,
  kept: Kept = {},
  keys: RunKeys | null = null,
): Promise<Reporter> {
  const { io, output, terminal } = context;
  if (kept.events === '-' && (terminal.json || terminal.view === 'tui')) {
    throw new ProblemError(
      inputProblem({
        code: 'stdout-taken',
        text: '--events - writes to stdout, where the view or the document goes.',
        hint: 'name a file, or use --ui plain or --ui quiet',
      }),
    );
  }
  const parts: Reporter[] = [];
  if (kept.events !== undefined) parts.push(recorder(kept.events, io.stdout));
  if (kept.trace !== undefined) parts.push(tracer(kept.trace, (text) => output.note(text)));
  // The view last: what it prints at the end is the end.
  parts.push(await makeView(context, kept.events === '-', keys));
  return all(parts);
}

function all(parts: readonly Reporter[]): Reporter {
  return {
    sink: (event) => {
      for (const part of parts) part.sink(event);
    },
    close: async () => {
      for (const part of parts) await part.close();
    },
  };
}

async function makeView(context: CommandContext, aside: boolean, keys: RunKeys | null): Promise<Reporter> {
  const { terminal } = context;
  if (terminal.view === 'tui') {
    const { tuiReporter } = await import('../tui/reporter.tsx');
    return tuiReporter(context, keys, () => plainView(context, aside));
  }
  return plainView(context, aside);
}

/** Lines on the stream for people. @param aside stdout is taken by something else @param isMuted while true nothing
 * is written */
export function plainView(
  context: CommandContext,
  aside: boolean,
  isMuted: () => boolean = () => false,
): Reporter {
  const { terminal, output, io } = context;
  const stream = aside ? io.stderr : output.stream;
  // A terminal that goes away does not end a run; nobody reads it any more. A file does not go away.
  let gone = false;
  context.onHangup(() => {
    gone = stream.isTTY === true;
  });
  return plainReporter({
    write: (text) => {
      if (!gone && !isMuted()) stream.write(text);
    },
    paint: output.paint,
    clock: io.clock,
    quiet: terminal.view === 'quiet',
    ci: detectCi(io.env),
    every: (ms, callback) => {
      const timer = setInterval(callback, ms);
      timer.unref();
      return () => clearInterval(timer);
    },
  });
}
