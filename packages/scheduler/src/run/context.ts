/**
 * One run, as its parts know it.
 */
import type { Problem } from '@stx-make/core/errors';
import type { RunControl, RunOptions, RunSummary } from '../api.ts';
import type { State } from '../state/state.ts';
import type { Workspace } from '../workspace.ts';
import type { Emit } from './ports.ts';
import type { Steered } from './steering.ts';

export interface RunContext {
  readonly workspace: Workspace;
  readonly options: RunOptions;
  readonly state: State;
  readonly id: string;
  /** ms since the epoch. */
  readonly started: number;
  /** performance.now() of the start. */
  readonly began: number;
  readonly emit: Emit;
  /** Something is going to be built: the run's events are kept from its beginning on. */
  readonly keepEvents: () => void;
  /** Where they are kept, once they are. */
  readonly eventsFile: string;
  /** Is done when the run is over and its events are on disk. Says what went wrong; must not throw for it. */
  readonly afterwards: (work: (summary: RunSummary) => Promise<Problem | null>) => void;
  readonly stop: AbortSignal;
  /** See RunControl. */
  readonly timeUp?: AbortSignal | undefined;
  readonly graceOver?: AbortSignal | undefined;
  /** See RunControl. */
  readonly onEdits: RunControl['onEdits'];
  /** Building begins: how to steer it. */
  readonly onBegun: (steered: Steered) => void;
}
