/** Waits for a run to get on, told by the events it writes. */
import { readFileSync, watch } from 'node:fs';
import { dirname } from 'node:path';

/** Resolves when the events of a run (`--events FILE`) tell of that many builds that are done. */
export async function builds(file: string, count: number): Promise<void> {
  const done = (): number => {
    try {
      return readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => /"type":"target-finished".*"result":"(built|unchanged)"/.test(line)).length;
    } catch {
      return 0;
    }
  };
  if (done() >= count) return;
  await new Promise<void>((resolve) => {
    const watcher = watch(dirname(file), () => {
      if (done() < count) return;
      watcher.close();
      resolve();
    });
  });
}
