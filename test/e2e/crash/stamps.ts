/**
 * Makes what is noted of verified files fit the files that a replay wrote: on a real disk a file keeps its inode and
 * times when its bytes are lost, here it has others. Without this no lost byte could hide behind its stat.
 */
import { existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const FOLDERS: Readonly<Record<string, string>> = {
  blob: 'pool/blobs/sha256',
  source: 'sources/sha256',
};

/** Where the size is the noted one, so are the others. */
export function fitStamps(state: string): void {
  const path = join(state, 'state.db');
  if (!existsSync(path)) return;
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path);
    const rows = database.prepare('SELECT kind, digest, stamp FROM good').all();
    const update = database.prepare('UPDATE good SET stamp = ? WHERE kind = ? AND digest = ?');
    for (const { kind, digest, stamp } of rows as { kind: string; digest: string; stamp: string }[]) {
      const file = join(state, FOLDERS[kind] ?? '', digest.replace(/^sha256:/, ''));
      const now = stampOf(file);
      if (now !== null && now.split(':')[0] === stamp.split(':')[0]) update.run(now, kind, digest);
    }
  } catch {
    // Not a database any more, or not yet one.
  } finally {
    database?.close();
  }
}

function stampOf(path: string): string | null {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? null : `${stat.size}:${stat.mtimeNs}:${stat.ino}`;
}
