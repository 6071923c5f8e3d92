/**
 * Waits until what was written has left the process: Node writes to a pipe as its reader takes it, and a process that
 * exits before that has cut its own document in two (64 KiB of it, with a reader that is slower than we are).
 */

/** What is used of process.stdout and stderr. */
export interface Drainable {
  readonly writableLength: number;
  readonly destroyed: boolean;
  write(text: string, written: () => void): unknown;
  once(event: 'close' | 'error', listener: () => void): unknown;
}

/** Resolves when all is out, or when nobody reads any more. */
export async function drained(streams: readonly Drainable[]): Promise<void> {
  await Promise.all(
    streams
      .filter((stream) => stream.writableLength > 0 && !stream.destroyed)
      .map(
        (stream) =>
          new Promise<void>((resolve) => {
            stream.once('close', resolve);
            stream.once('error', resolve);
            stream.write('', () => resolve());
          }),
      ),
  );
}
