/** A folder for tests that make and remove hundreds of thousands of files: in memory where there is room for them. */
import { mkdtempSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MEMORY = '/dev/shm';
/** Bytes. */
const ROOM = 6 * 1024 ** 3;

/** @param name its beginning @returns a new folder */
export function fastFolder(name: string): string {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    if (bavail * bsize >= ROOM) return mkdtempSync(join(MEMORY, name));
  } catch {
    // There is none, or it is not ours: a disk does as well.
  }
  return mkdtempSync(join(tmpdir(), name));
}
