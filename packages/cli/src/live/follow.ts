/**
 * The events of a run under way, out of the file it writes: from the beginning, then as they come, until the run has
 * ended. Nothing is asked of the run, so a viewer that is slow or stopped costs it nothing.
 */
import { type FSWatcher, watch } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import type { RunEvent } from '@stx-make/core/events';
import { parseEvent } from '../report/record.ts';

/** How often the file is looked at where the kernel does not tell, ms (network file systems; before it is there). */
const LOOK_MS = 250;
const PIECE = 1 << 18;

/**
 * Every event of the file, those to come too. Ends when `ended` has resolved and the rest is read, or when the signal
 * aborts. A line cut off by a crash, and what a later version wrote, is passed over.
 * @throws ProblemError `bad-events`
 */
export async function* followEvents(
  path: string,
  ended: Promise<unknown>,
  signal: AbortSignal,
): AsyncGenerator<RunEvent> {
  let isOver = false;
  const bell = new Bell();
  void ended.finally(() => {
    isOver = true;
    bell.ring();
  });
  const onAbort = (): void => bell.ring();
  signal.addEventListener('abort', onAbort, { once: true });
  let file: FileHandle | null = null;
  let watcher: FSWatcher | null = null;
  const decoder = new StringDecoder('utf8');
  let partial = '';
  let number = 0;
  try {
    const buffer = Buffer.alloc(PIECE);
    while (!signal.aborted) {
      // Read after this was looked at: what was written before the end is then seen.
      const last = isOver;
      file ??= await open(path, 'r').catch(() => null);
      watcher ??= file === null ? null : watchFile(path, bell);
      const got = file === null ? 0 : (await file.read(buffer, 0, PIECE)).bytesRead;
      if (got > 0) {
        const pieces = (partial + decoder.write(buffer.subarray(0, got))).split('\n');
        partial = pieces.pop() ?? '';
        for (const text of pieces) {
          const event = parseEvent(text, path, ++number);
          if (event !== null) yield event;
          if (signal.aborted) return;
        }
        continue;
      }
      if (last) return;
      await bell.wait(LOOK_MS);
    }
  } finally {
    watcher?.close();
    await file?.close();
    signal.removeEventListener('abort', onAbort);
  }
}

function watchFile(path: string, bell: Bell): FSWatcher | null {
  try {
    return watch(path, () => bell.ring()).on('error', () => {});
  } catch {
    return null;
  }
}

/** Wakes one who waits; rung before, the next wait is none. */
class Bell {
  #rung = false;
  #wake: (() => void) | null = null;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  async wait(ms: number): Promise<void> {
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#rung = false;
    this.#wake = null;
  }
}
