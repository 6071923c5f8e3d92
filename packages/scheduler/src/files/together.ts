/**
 * Syncing many files at once: what several threads ask a journaling file system to sync at the same time it mostly
 * writes in one go. Unaware of what the files mean.
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { forEachLimited } from './parallel.ts';
import { errnoOf, isGone } from './problems.ts';

/** libuv's threads by default; more would only wait for them. */
const THREADS = 4;

/** Makes the bytes of files durable, then the names in their folder. Files that are gone by then are passed over. */
export async function syncTogether(paths: readonly string[], folder: string): Promise<void> {
  await forEachLimited(paths, THREADS, async (path) => {
    try {
      await withFile(path, constants.O_RDONLY | constants.O_NOFOLLOW, (file) => file.datasync());
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  });
  try {
    await withFile(folder, constants.O_RDONLY | constants.O_DIRECTORY, (file) => file.sync());
  } catch (error) {
    // As fsyncDir has it: some file systems refuse it.
    if (errnoOf(error) !== 'EINVAL') throw error;
  }
}

async function withFile(
  path: string,
  flags: number,
  work: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const file = await open(path, flags);
  try {
    await work(file);
  } finally {
    await file.close();
  }
}
