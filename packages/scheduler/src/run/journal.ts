/**
 * The events of a run, kept beside its logs: `<state>/logs/<run>/events.ndjson`, one JSON document a line, exactly
 * what views are sent (docs/events.md). What `report` and `attach` read later.
 *
 * Cheap and never in the way: lines are gathered for a moment, nothing waits for the disk, and a record that can not be
 * written does not fail a build. What a killed process had not written yet is lost, and the last line may be cut:
 * readers forgive both.
 */
import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import { dirname } from 'node:path';
import { environmentProblem, type Problem } from '@stx-make/core/errors';
import type { EventSink, RunEvent } from '@stx-make/core/events';

export interface Journal {
  readonly sink: EventSink;
  /** From here on the run is worth keeping: writes what came before, too. Until then nothing touches the disk. */
  keep(): void;
  /** Resolves when everything is written; never rejects. The problem, where something could not be. */
  close(): Promise<Problem | null>;
}

/** How long lines are gathered, ms: who looks on sees them a tenth of a second late. */
const GATHER_MS = 100;
/** More text than this is written at once, UTF-16 units. */
const GATHER_LENGTH = 64 * 1024;

/** @param path the file; its folder is made when it is needed. */
export function openJournal(path: string): Journal {
  let early: RunEvent[] = [];
  let stream: WriteStream | null = null;
  let problem: Problem | null = null;
  let gathered = '';
  let timer: NodeJS.Timeout | undefined;
  const fail = (error: Error): void => {
    problem ??= environmentProblem({
      code: 'events-not-kept',
      level: 'warning',
      text: `The events of this run can not be kept: ${error.message}.`,
      file: path,
      hint: 'The build is not touched by it; `report` will not know this run in full.',
    });
  };
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (problem === null && gathered !== '') stream?.write(gathered);
    gathered = '';
  };
  const write = (event: RunEvent): void => {
    gathered += `${JSON.stringify(event)}\n`;
    if (gathered.length > GATHER_LENGTH) flush();
    else timer ??= setTimeout(flush, GATHER_MS).unref();
  };
  return {
    sink: (event) => {
      if (stream === null) early.push(event);
      else write(event);
    },
    keep: () => {
      if (stream !== null) return;
      try {
        mkdirSync(dirname(path), { recursive: true });
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        fail(error);
      }
      stream = createWriteStream(path).on('error', fail);
      for (const event of early) write(event);
      early = [];
      // Who asked for it looks now.
      flush();
    },
    close: () =>
      new Promise((resolve) => {
        flush();
        const open = stream;
        early = [];
        if (open === null || open.closed) {
          resolve(problem);
          return;
        }
        open.once('close', () => resolve(problem));
        open.end();
      }),
  };
}
