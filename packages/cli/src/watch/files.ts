/**
 * Tells when files of a tree changed, through chokidar: the only one who knows it.
 *
 * Events are only a hint that it is worth looking: what changed is found out by stat and hash, so one that is lost
 * among thousands costs nothing. Where the kernel has no more watches to give, or none work (network file systems),
 * it looks at the files' times every second instead. Unaware of recipes and runs.
 */
import { relative, sep } from 'node:path';
import { environmentProblem, type Problem } from '@stx-make/core/errors';
import { type FSWatcher, watch } from 'chokidar';

/** How often files are looked at where nobody tells of changes, ms. */
const POLL_MS = 1_000;

export interface Watched {
  readonly root: string;
  readonly places: readonly string[];
  leadsTo(path: string): boolean;
  counts(path: string): boolean;
}

export interface FileWatchOptions {
  readonly tree: Watched;
  readonly poll: boolean;
  /** A path that counts changed, came or went; below the root. */
  readonly onChange: (path: string) => void;
  /** Something to tell; the watch goes on. */
  readonly onProblem: (problem: Problem) => void;
}

export interface FileWatch {
  close(): Promise<void>;
}

/** Resolves when every change from now on will be told. */
export async function watchFiles(options: FileWatchOptions): Promise<FileWatch> {
  let current = await open(options, options.poll, (error) => void fallBack(error));
  let closed = false;
  let falling: Promise<void> | null = null;
  const fallBack = (error: Error): Promise<void> => {
    falling ??= (async () => {
      options.onProblem(explain(error));
      await current.close();
      if (closed) return;
      current = await open(options, true, (other) => options.onProblem(explain(other)));
      // What happened in between nobody saw.
      options.onChange('');
    })();
    return falling;
  };
  if (current.failure !== null) await fallBack(current.failure);
  return {
    close: async () => {
      closed = true;
      await falling;
      await current.close();
    },
  };
}

interface Opened {
  /** What went wrong before it was ready. */
  readonly failure: Error | null;
  close(): Promise<void>;
}

async function open(
  options: FileWatchOptions,
  poll: boolean,
  onLost: (error: Error) => void,
): Promise<Opened> {
  const { tree } = options;
  const pathOf = (path: string): string => relative(tree.root, path).split(sep).join('/');
  const watcher: FSWatcher = watch([...tree.places], {
    backend: poll ? 'polling' : 'native',
    pollingInterval: POLL_MS,
    pollingBinaryInterval: POLL_MS,
    ignoreInitial: true,
    // A link is part of a recipe as what it says, not as what it leads to.
    followSymlinks: false,
    ignored: (path) => !tree.leadsTo(pathOf(path)),
  });
  let failure: Error | null = null;
  let isReady = false;
  const ready = Promise.withResolvers<void>();
  watcher.on('error', (error) => {
    const lost = error instanceof Error ? error : new Error(String(error));
    // Without it the first failure would be an uncaught exception. Of hundreds the first says it all.
    if (poll || !isLimit(lost)) {
      options.onProblem(explain(lost));
      return;
    }
    if (isReady) onLost(lost);
    else failure ??= lost;
    ready.resolve();
  });
  watcher.on('ready', () => {
    isReady = true;
    ready.resolve();
  });
  watcher.on('all', (_event, path) => {
    const below = pathOf(path);
    if (tree.counts(below)) options.onChange(below);
  });
  await ready.promise;
  isReady = true;
  return { failure, close: () => watcher.close() };
}

/** The kernel's limits for one user: watches (ENOSPC) and watchers or open files (EMFILE, ENFILE). */
function isLimit(error: Error): boolean {
  return 'code' in error && ['ENOSPC', 'EMFILE', 'ENFILE'].includes(String(error.code));
}

function explain(error: Error): Problem {
  if (!isLimit(error)) {
    return environmentProblem({
      code: 'watch-failed',
      level: 'warning',
      text: `A part of the tree can not be watched: ${error.message}.`,
      hint: 'Changes there are seen with the next change elsewhere.',
    });
  }
  return environmentProblem({
    code: 'watch-limit',
    level: 'warning',
    text: `The kernel has no more file watches for this user (${error.message}): looking at the files every second instead.`,
    hint: 'More of them: sysctl fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=512',
  });
}
