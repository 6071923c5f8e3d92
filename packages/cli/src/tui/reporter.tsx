/**
 * The TUI as a reporter: Ink on stdout for as long as the run lasts, then the summary as plain lines, so that
 * what stays in the scrollback is text.
 */
import { render } from 'ink';
import type { CommandContext } from '../context.ts';
import { formatProblems } from '../report/problems.ts';
import type { Reporter } from '../report/reporter.ts';
import { summaryLines } from '../report/summary.ts';
import { App } from './app.tsx';
import { glyphsFor } from './glyphs.ts';
import { controlJobs, type JobControl } from './job-control.ts';
import { RunStore } from './store.ts';

/** Frames a second, for keys and resizing; events alone make at most ten (store.ts). */
const MAX_FPS = 10;

export function tuiReporter(context: CommandContext): Reporter {
  const { io, terminal, output, requestStop } = context;
  const store = new RunStore({
    clock: io.clock,
    after: (ms, callback) => {
      const timer = setTimeout(callback, ms);
      return () => clearTimeout(timer);
    },
  });
  let gone = false;
  let jobs: JobControl | null = null;
  const instance = render(
    <App
      store={store}
      glyphs={glyphsFor(terminal.unicode)}
      colour={terminal.colour}
      onStop={requestStop}
      onSuspend={() => jobs?.suspend()}
      onTerminal={(giveBack) => {
        jobs ??= controlJobs(giveBack);
      }}
    />,
    {
      stdout: io.stdout,
      stdin: io.stdin,
      stderr: io.stderr,
      exitOnCtrlC: false,
      patchConsole: false,
      maxFps: MAX_FPS,
      incrementalRendering: true,
      interactive: true,
    },
  );
  // A terminal that is gone answers reads with EIO; the run goes on without it.
  io.stdin.on('error', () => {});
  context.onHangup(() => {
    gone = true;
    store.close();
  });
  return {
    sink: (event) => {
      if (!gone) store.sink(event);
    },
    close: async () => {
      if (gone) return;
      store.flush();
      await instance.waitUntilRenderFlush();
      store.close();
      jobs?.dispose();
      instance.clear();
      instance.unmount();
      await instance.waitUntilExit();
      const { view } = store.frame();
      const lines = summaryLines(view, output.paint);
      if (view.warnings.length > 0) lines.unshift(formatProblems(view.warnings, output.paint));
      if (lines.length > 0) output.print(lines.join('\n'));
    },
  };
}
