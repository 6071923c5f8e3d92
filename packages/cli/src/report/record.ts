/**
 * Runs as files: NDJSON of the events as they happen, and reading it back.
 *
 * The format is core/events.ts, one event a line, the first one `run-started` with the schema's number; fields
 * and event types may be added without it, so a reader passes over types it does not know.
 */
import { createWriteStream, openSync } from 'node:fs';
import { environmentProblem, inputProblem, ProblemError } from '@stx-make/core/errors';
import { EVENT_SCHEMA, type RunEvent, type RunEventType } from '@stx-make/core/events';
import type { Reporter } from './reporter.ts';

/** Writes every event to a file, or to `stdout` for `-`. @throws ProblemError where it can not be opened */
export function recorder(path: string, stdout: NodeJS.WritableStream): Reporter {
  if (path === '-') {
    return {
      sink: (event) => {
        stdout.write(`${JSON.stringify(event)}\n`);
      },
      close: () => Promise.resolve(),
    };
  }
  let handle: number;
  try {
    handle = openSync(path, 'w');
  } catch (error) {
    throw new ProblemError(unwritable(path, error), { cause: error });
  }
  const stream = createWriteStream(path, { fd: handle });
  // A disk that fills up in the middle must not end the run: the record is only about it.
  let broken = false;
  stream.on('error', () => {
    broken = true;
  });
  return {
    sink: (event) => {
      if (!broken) stream.write(`${JSON.stringify(event)}\n`);
    },
    close: () =>
      new Promise((resolve) => {
        if (broken) resolve();
        else stream.end(() => resolve());
        stream.once('error', () => resolve());
      }),
  };
}

export function unwritable(path: string, error: unknown): ReturnType<typeof environmentProblem> {
  const reason = error instanceof Error ? error.message : String(error);
  return environmentProblem({ code: 'unwritable-file', text: `${path} can not be written: ${reason}` });
}

const TYPES: Readonly<Record<RunEventType, true>> = {
  'run-started': true,
  plan: true,
  workers: true,
  'worker-lost': true,
  'worker-back': true,
  activity: true,
  'source-progress': true,
  'target-ready': true,
  'target-started': true,
  'step-started': true,
  'step-finished': true,
  usage: true,
  'target-retry': true,
  'target-finished': true,
  'target-failed': true,
  'target-skipped': true,
  'target-waiting': true,
  finding: true,
  warning: true,
  paused: true,
  resumed: true,
  stopping: true,
  'run-finished': true,
};

/** Every type of event there is. */
export const EVENT_TYPES = Object.keys(TYPES) as readonly RunEventType[];

/** The event on a line; null for types of a later version. A last line cut off by a crash is the caller's to
 * forgive. @throws ProblemError `bad-events` (input) with the line's number */
export function parseEvent(text: string, file: string, line: number): RunEvent | null {
  const bad = (why: string): ProblemError =>
    new ProblemError(inputProblem({ code: 'bad-events', text: `not a recorded run: ${why}`, file, line }));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw bad('this line is no JSON');
  }
  if (typeof value !== 'object' || value === null || !('type' in value) || typeof value.type !== 'string') {
    throw bad('this line is no event');
  }
  if (line === 1 && value.type !== 'run-started') throw bad('the first event is not run-started');
  if (value.type === 'run-started' && (!('schema' in value) || value.schema !== EVENT_SCHEMA)) {
    throw bad(`its schema is not ${EVENT_SCHEMA}`);
  }
  if (!Object.hasOwn(TYPES, value.type)) return null;
  if (!('at' in value) || typeof value.at !== 'number' || !(value.at >= 0))
    throw bad('this event has no time');
  // Its type and time are checked; the rest is what some version of us wrote, and views forgive unknown targets.
  return value as unknown as RunEvent;
}
