/**
 * What a run under way and those who look at it say to each other: one JSON object a line over a unix socket. What
 * happens in the run is not said here but read from its file of events, so that a slow or stopped viewer can neither
 * hold the run up nor fill its memory. The open connection is what tells a run that lives from one that was killed.
 */
import type { Problem } from '@stx-make/core/errors';

export type ToRun =
  /** Answered by `run`; the events are kept from now on, from the run's beginning. */
  | { readonly op: 'hello' }
  /** These are answered by `answer`. */
  | { readonly op: 'ping' }
  | { readonly op: 'pause' }
  | { readonly op: 'resume' }
  | { readonly op: 'retry'; readonly target: string }
  /** Kindly, as a first Ctrl-C; more than once is the same as once. */
  | { readonly op: 'stop' }
  /** As a second Ctrl-C. */
  | { readonly op: 'kill' };

/** A run, as others find it: also the content of `<run>.json`. */
export interface RunFacts {
  readonly run: string;
  readonly pid: number;
  readonly root: string;
  readonly command: string;
  /** ISO 8601, UTC. */
  readonly started: string;
  readonly socket: string;
}

export type FromRun =
  | { readonly is: 'run'; readonly facts: RunFacts; readonly events: string }
  /** Null: done. Else why not. */
  | { readonly is: 'answer'; readonly text: string | null }
  /** It ends in order; all its events are written. */
  | { readonly is: 'over'; readonly code: number; readonly problems: readonly Problem[] };

export function encode(message: ToRun | FromRun): string {
  return `${JSON.stringify(message)}\n`;
}

/** Facts out of a file that any version of us may have written; null where they are not to be understood. */
export function parseFacts(text: string): RunFacts | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const field = (key: string): unknown => Reflect.get(Object(value), key);
  const texts = ['run', 'root', 'command', 'started', 'socket'].map(field);
  if (!texts.every((each) => typeof each === 'string') || typeof field('pid') !== 'number') return null;
  return value as RunFacts;
}
