/**
 * Reads a recorded run, event by event, from a file or stdin: what `replay` and `report` live from.
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { inputProblem, ProblemError } from '@stx-make/core/errors';
import type { RunEvent } from '@stx-make/core/events';
import { parseEvent } from './record.ts';

/** The events of a file, `-` is stdin. A last line that a crash cut off is passed over.
 * @throws ProblemError `bad-events`, `unreadable-file` */
export async function* readEvents(file: string, stdin: NodeJS.ReadableStream): AsyncGenerator<RunEvent> {
  const input = file === '-' ? stdin : createReadStream(file, { encoding: 'utf8' });
  let number = 0;
  /** A line is judged when the next one is there: a crash may have cut the last one. */
  let held: string | null = null;
  try {
    for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (held !== null) {
        const event = parseEvent(held, file, ++number);
        if (event !== null) yield event;
      }
      held = text;
    }
  } catch (error) {
    if (error instanceof ProblemError || !(error instanceof Error)) throw error;
    const problem = inputProblem({
      code: 'unreadable-file',
      text: `${file} can not be read: ${error.message}`,
    });
    throw new ProblemError(problem, { cause: error });
  }
  if (held === null)
    throw new ProblemError(inputProblem({ code: 'bad-events', text: `${file} is empty`, file }));
  const last = parseLast(held, file, number + 1);
  if (last !== null) yield last;
}

function parseLast(text: string, file: string, line: number): RunEvent | null {
  try {
    return parseEvent(text, file, line);
  } catch (error) {
    if (line > 1 && error instanceof ProblemError) return null;
    throw error;
  }
}
