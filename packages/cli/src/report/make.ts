/**
 * Chooses how a run is shown. The TUI and its libraries are imported only where they are used.
 */
import type { CommandContext } from '../context.ts';
import { plainReporter } from './plain.ts';
import type { Reporter } from './reporter.ts';

/** The reporter for this terminal and these options. */
export async function makeReporter(context: CommandContext): Promise<Reporter> {
  const { terminal, output, io } = context;
  if (terminal.view === 'tui') {
    const { tuiReporter } = await import('../tui/reporter.tsx');
    return tuiReporter(context);
  }
  return plainReporter({
    write: (text) => output.stream.write(text),
    paint: output.paint,
    clock: io.clock,
    quiet: terminal.view === 'quiet',
    every: (ms, callback) => {
      const timer = setInterval(callback, ms);
      timer.unref();
      return () => clearInterval(timer);
    },
  });
}
