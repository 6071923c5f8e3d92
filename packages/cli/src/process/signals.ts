/**
 * Signals, with the meaning a build needs: Ctrl-C once ends kindly, twice kills; TERM ends kindly; a terminal
 * that goes away (HUP) does not end a run that can go on without it.
 *
 * Unaware of what is being run.
 */
import { EXIT } from '@stx-make/core/errors';

/** 128 + SIGHUP (POSIX shells' convention), for commands that do not go on without a terminal. */
const HUNG_UP = 129;

export interface SignalOptions {
  /** Where signals come from: `process`. */
  readonly source: {
    on(signal: NodeJS.Signals, listener: () => void): unknown;
    off(signal: NodeJS.Signals, listener: () => void): unknown;
  };
  /** Leave at once, after what must never be left undone. */
  readonly exit: (code: number) => void;
  /** Kill every child of ours. */
  readonly killChildren: () => Promise<void>;
}

export interface Signals {
  /** Aborted by the first Ctrl-C or TERM, or by `requestStop`. */
  readonly stop: AbortSignal;
  /** The code that a stopped command must end with, null while none was stopped. */
  readonly code: () => number | null;
  /** The same as a Ctrl-C at the keyboard: raw-mode views get it as a key. */
  readonly requestStop: () => void;
  /** From now on the command ends kindly by itself; before, the first signal ends it at once. */
  readonly setGraceful: () => void;
  /** The reader of stdout is gone: no failure, what was wanted has been read. A run ends as if interrupted. */
  readonly pipeClosed: () => void;
  readonly onHangup: (listener: () => void) => void;
  readonly dispose: () => void;
}

export function listenToSignals(options: SignalOptions): Signals {
  const controller = new AbortController();
  const hangups: (() => void)[] = [];
  let graceful = false;
  let code: number | null = null;
  let killing = false;
  const end = (exitCode: number): void => {
    if (killing) return;
    killing = true;
    void options.killChildren().finally(() => options.exit(exitCode));
  };
  const ask = (exitCode: number): void => {
    const first = code === null;
    code ??= exitCode;
    controller.abort(new Error('stopped'));
    if (!graceful) options.exit(exitCode);
    else if (!first) end(code);
  };
  const onInterrupt = (): void => ask(EXIT.interrupted);
  const onTerminate = (): void => ask(EXIT.terminated);
  const onHangup = (): void => {
    if (graceful && hangups.length > 0) for (const listener of hangups) listener();
    else ask(HUNG_UP);
  };
  const listeners: [NodeJS.Signals, () => void][] = [
    ['SIGINT', onInterrupt],
    ['SIGTERM', onTerminate],
    ['SIGHUP', onHangup],
  ];
  for (const [signal, listener] of listeners) options.source.on(signal, listener);
  return {
    stop: controller.signal,
    code: () => code,
    requestStop: onInterrupt,
    setGraceful: () => {
      graceful = true;
    },
    pipeClosed: () => {
      if (!graceful) options.exit(EXIT.done);
      else if (code === null) {
        code = EXIT.interrupted;
        controller.abort(new Error('nobody reads our output'));
      }
    },
    onHangup: (listener) => hangups.push(listener),
    dispose: () => {
      for (const [signal, listener] of listeners) options.source.off(signal, listener);
    },
  };
}
