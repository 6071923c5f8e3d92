/**
 * What every command handler is given. Types only.
 */
import type { CommandSpec } from './args/model.ts';
import type { CommonValues } from './args/parse.ts';
import type { Io, Terminal } from './io.ts';
import type { Output } from './report/output.ts';
import type { Services } from './services.ts';

export interface CommandContext {
  readonly io: Io;
  readonly terminal: Terminal;
  readonly options: CommonValues;
  readonly output: Output;
  readonly services: Services;
  /** The table, for help and completion. */
  readonly commands: readonly CommandSpec[];
  /** Aborted by the first Ctrl-C or TERM; handlers that take long pass it on. */
  readonly stop: AbortSignal;
  /** The same as a first Ctrl-C, for a view's own key. */
  readonly requestStop: () => void;
  /** Called when the terminal goes away while the command goes on. */
  readonly onHangup: (listener: () => void) => void;
}
