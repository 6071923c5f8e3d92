/**
 * A folder in memory for BuildKit's bolt files: half the cost of a small build is their fsync (BUILDKIT.md 6),
 * and they only have to live as long as the machine runs.
 *
 * Unaware of what is put there.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { findProgram } from '../../process/find.ts';
import { capture } from '../../process/run.ts';

/** statfs(2): TMPFS_MAGIC. */
const TMPFS = 0x01021994;
/** 513 targets take 91 MB; a /dev/shm of a container has 64 MB. */
const NEEDED = 1024 ** 3;
/** A tmpfs of our own takes memory only as it fills. */
const OWN_SIZE = '2g';
const OWNER = 'owner.json';

interface Owner {
  /** Daemon folder. */
  readonly dir: string;
  readonly id: string;
}

function prefix(): string {
  return `stx-make-${process.getuid?.() ?? 0}-`;
}

/** Places in which folders of ours may lie: shared tmpfs, and mount points of our own. */
function parents(env: NodeJS.ProcessEnv): string[] {
  const runtime = env['XDG_RUNTIME_DIR'];
  return ['/dev/shm', '/run', ...(runtime ? [runtime] : [])];
}

function isRoomy(folder: string): boolean {
  try {
    const stat = statfsSync(folder);
    return stat.type === TMPFS && stat.bavail * stat.bsize >= NEEDED;
  } catch {
    return false;
  }
}

/** Makes a folder in memory that belongs to (`dir`, `id`); null where this machine has none to give: then the
 * files stay on disk, slower but right. It appears with its owner in it, never without. */
export async function makeMemory(owner: Owner, env: NodeJS.ProcessEnv): Promise<string | null> {
  const runtime = env['XDG_RUNTIME_DIR'];
  for (const parent of ['/dev/shm', ...(runtime ? [runtime] : [])]) {
    if (!isRoomy(parent)) continue;
    try {
      const made = mkdtempSync(join(parent, `.${prefix()}`));
      writeFileSync(join(made, OWNER), JSON.stringify(owner));
      const path = join(parent, `${prefix()}${owner.id}`);
      renameSync(made, path);
      return path;
    } catch {
      // Not writable for us: the next.
    }
  }
  return process.getuid?.() === 0 ? await mountMemory(owner, env) : null;
}

/** A tmpfs outside the daemon's mount namespace, which dies with it. */
async function mountMemory(owner: Owner, env: NodeJS.ProcessEnv): Promise<string | null> {
  const mount = findProgram('mount', env);
  if (mount === null) return null;
  const path = join('/run', `${prefix()}${owner.id}`);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch {
    return null;
  }
  const options = `size=${OWN_SIZE},mode=0700`;
  const mounted = await capture(mount, ['-t', 'tmpfs', '-o', options, 'tmpfs', path], { env });
  if (mounted.code !== 0) {
    rmSync(path, { recursive: true, force: true });
    return null;
  }
  writeFileSync(join(path, OWNER), JSON.stringify(owner));
  return path;
}

/** Whether the folder is there and belongs to this root: after a reboot it is gone, and the root with it. */
export function ownsMemory(path: string, owner: Owner): boolean {
  const found = readOwner(path);
  return found?.dir === owner.dir && found.id === owner.id;
}

function readOwner(path: string): Owner | null {
  try {
    if (statSync(path).uid !== process.getuid?.()) return null;
    const value: unknown = JSON.parse(readFileSync(join(path, OWNER), 'utf8'));
    const dir: unknown = Reflect.get(Object(value), 'dir');
    const id: unknown = Reflect.get(Object(value), 'id');
    return typeof dir === 'string' && typeof id === 'string' ? { dir, id } : null;
  } catch {
    return null;
  }
}

/** Removes a folder made by `makeMemory`. */
export async function removeMemory(path: string, env: NodeJS.ProcessEnv): Promise<void> {
  if (!basename(path).startsWith(prefix())) return;
  if (dirname(path) === '/run') {
    const umount = findProgram('umount', env);
    if (umount !== null) await capture(umount, ['-l', path], { env });
  }
  rmSync(path, { recursive: true, force: true });
}

/** Removes folders whose daemon folder is gone or belongs to another root by now: left by supervisors that
 * were killed before their state folder was removed. */
export async function removeOrphans(
  env: NodeJS.ProcessEnv,
  belongs: (owner: Owner) => boolean,
): Promise<string[]> {
  const removed: string[] = [];
  for (const parent of parents(env)) {
    if (!existsSync(parent)) continue;
    for (const name of readdirSync(parent)) {
      const path = join(parent, name);
      const owner = name.startsWith(prefix()) ? readOwner(path) : null;
      if (owner === null || belongs(owner)) continue;
      await removeMemory(path, env);
      removed.push(path);
    }
  }
  return removed;
}
