/** Waits for a run to get on, told by the events it writes (`--events FILE`). */
import { readFileSync, watch } from 'node:fs';
import { dirname } from 'node:path';

/** Resolves when that many of its builds are done. */
export function builds(file: string, count: number): Promise<void> {
  return said(file, /"type":"target-finished".*"result":"(built|unchanged)"/, count);
}

/** Resolves when that many lines of its events match. */
export async function said(file: string, pattern: RegExp, count = 1): Promise<void> {
  const isSaid = (): boolean => {
    try {
      return (
        readFileSync(file, 'utf8')
          .split('\n')
          .filter((line) => pattern.test(line)).length >= count
      );
    } catch {
      return false;
    }
  };
  if (isSaid()) return;
  await new Promise<void>((resolve) => {
    const watcher = watch(dirname(file), () => {
      if (!isSaid()) return;
      watcher.close();
      resolve();
    });
    // It may have been said before anybody listened.
    if (isSaid()) {
      watcher.close();
      resolve();
    }
  });
}
