/**
 * What shows a run: takes its events, and is told when it is over. Deleting every reporter would not change a
 * build.
 */
import type { EventSink } from '@stx-make/core/events';

export interface Reporter {
  /** Never throws, never blocks. */
  readonly sink: EventSink;
  /** Call once, after the run's promise has settled, however it has: leaves the terminal as it was. */
  close(): Promise<void>;
}
