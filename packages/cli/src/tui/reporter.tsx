/**
 * The TUI as a reporter: Ink on stdout for as long as the run lasts, then the summary as plain lines, so that
 * what stays in the scrollback is text.
 *
 * A view that fails must not be the run's trouble: the terminal is given back, and lines go on in its place.
 */
import type { RunEvent } from '@stx-make/core/events';
import { render } from 'ink';
import type { CommandContext } from '../context.ts';
import type { RunKeys } from '../live/keys.ts';
import { formatProblems } from '../report/problems.ts';
import type { Reporter } from '../report/reporter.ts';
import { summaryLines } from '../report/summary.ts';
import { App } from './app.tsx';
import { glyphsFor } from './glyphs.ts';
import { controlJobs, type JobControl } from './job-control.ts';
import { clearOnReflow, type Drawn } from './reflow.ts';
import { RunStore } from './store.ts';

/** Frames a second, for keys and resizing; events alone make at most ten (store.ts). */
const MAX_FPS = 10;

/** A recording can only be left. */
function recordingKeys(stop: () => void): RunKeys {
  return {
    attached: false,
    pause: () => {},
    resume: () => {},
    retry: () => Promise.resolve('this is a recording'),
    stop,
    detach: () => {},
  };
}

/** @param keys what can be asked of the run; null for a recording. @param lines the view in place of this one. */
export function tuiReporter(context: CommandContext, keys: RunKeys | null, lines: () => Reporter): Reporter {
  const { io, terminal, output, requestStop } = context;
  const store = new RunStore({
    clock: io.clock,
    after: (ms, callback) => {
      const timer = setTimeout(callback, ms);
      return () => clearTimeout(timer);
    },
  });
  let state: 'shown' | 'closing' | 'gone' | 'failed' = 'shown';
  let instead: Reporter | null = null;
  let started: RunEvent | null = null;
  let plan: RunEvent | null = null;
  let jobs: JobControl | null = null;
  const drawn: Drawn = { widths: [] };
  const endReflow = clearOnReflow(io.stdout, io.env, drawn);
  const instance = render(
    <App
      store={store}
      glyphs={glyphsFor(terminal.unicode)}
      colour={terminal.colour}
      keys={keys ?? recordingKeys(requestStop)}
      drawn={drawn}
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
  const fail = (error: unknown): void => {
    if (state !== 'shown') return;
    state = 'failed';
    endReflow();
    store.close();
    jobs?.dispose();
    instance.unmount();
    output.note(
      `the view failed, lines go on in its place: ${error instanceof Error ? error.stack : String(error)}`,
    );
    instead = lines();
    for (const event of [started, plan]) if (event !== null) instead.sink(event);
  };
  instance.waitUntilExit().catch(fail);
  // A terminal that is gone answers reads with EIO; the run goes on without it.
  io.stdin.on('error', () => {});
  context.onHangup(() => {
    state = 'gone';
    store.close();
  });
  return {
    sink: (event) => {
      if (event.type === 'run-started') started = event;
      if (event.type === 'plan') plan = event;
      if (state === 'failed') instead?.sink(event);
      if (state !== 'shown') return;
      try {
        store.sink(event);
      } catch (error) {
        fail(error);
      }
    },
    close: async () => {
      if (state === 'shown') {
        state = 'closing';
        endReflow();
        store.flush();
        await instance.waitUntilRenderFlush();
        store.close();
        jobs?.dispose();
        instance.clear();
        instance.unmount();
        await instance.waitUntilExit();
        const { view } = store.frame();
        const rest = summaryLines(view, output.paint);
        if (view.warnings.length > 0) rest.unshift(formatProblems(view.warnings, output.paint));
        if (rest.length > 0) output.print(rest.join('\n'));
      }
      await instead?.close();
    },
  };
}
