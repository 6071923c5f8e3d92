/**
 * Files that survive a power cut, links that become copies where links can not be, trees removed with care.
 *
 * The order is always: write a temporary, fsync it, rename it into place, fsync the folder. All calls are
 * synchronous: they are few, small, and must not interleave. Unaware of what the files mean.
 */
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fdatasyncSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statfsSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { errnoOf, withFileProblems } from './problems.ts';

/** Names that only we make, for things under way; left behind by a dead run they are litter. */
const TEMPORARY = /^\.tmp-(\d+)-\d+-/;

let counter = 0;

/** A path beside `path` that no other process uses: `.tmp-<pid>-<n>-<name>`. */
export function temporaryBeside(path: string): string {
  counter += 1;
  // Long names would pass the limit of 255 bytes with the prefix; the tail is only for people.
  return join(dirname(path), `.tmp-${process.pid}-${counter}-${basename(path).slice(0, 64)}`);
}

/** True for names made by `temporaryBeside`. */
export function isTemporaryName(name: string): boolean {
  return TEMPORARY.test(name);
}

export interface WriteOptions {
  /** Default 0644, less the umask. */
  readonly mode?: number;
  /** Default true. False: atomic, but a power cut may lose the new content or leave it empty. */
  readonly durable?: boolean;
}

/**
 * Replaces a file atomically: readers see the old content or the new, after a power cut too.
 * @throws ProblemError environment (`no-space`, `no-permission`, ...)
 */
export function writeFileDurable(
  path: string,
  content: string | Uint8Array,
  options: WriteOptions = {},
): void {
  const durable = options.durable ?? true;
  withFileProblems('write the file', path, () => {
    const temporary = temporaryBeside(path);
    try {
      const fd = openSync(temporary, 'w', options.mode ?? 0o644);
      try {
        writeFileSync(fd, content);
        if (durable) fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
      renameSync(temporary, path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
    if (durable) fsyncDir(dirname(path));
  });
}

/** Makes a folder and those above it that are missing; a power cut takes none of them away. */
export function makeFolderDurable(path: string): void {
  const first = mkdirSync(path, { recursive: true });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) fsyncDir(dirname(made));
}

/** Makes the names in a folder durable. File systems that can not do this are left alone. */
export function fsyncDir(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } catch (error) {
    // Some network and fuse file systems refuse fsync of a folder; there is nothing better to do there.
    if (errnoOf(error) !== 'EINVAL') throw error;
  } finally {
    closeSync(fd);
  }
}

/** Makes a file's bytes durable, not its times: nearly free where they already are. */
export function syncFileData(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    fdatasyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Where a hard link can not be made: other file system, too many links, not supported or not allowed
 * (fs.protected_hardlinks). */
const NO_LINK: ReadonlySet<string> = new Set(['EXDEV', 'EMLINK', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/**
 * A second name for a file; where that can not be, a copy (reflinked where the file system can) with the
 * same mode and mtime. Fails with EEXIST where `to` exists.
 * @returns what was made
 */
export function linkOrCopy(from: string, to: string): 'link' | 'copy' {
  try {
    linkSync(from, to);
    return 'link';
  } catch (error) {
    if (!NO_LINK.has(errnoOf(error) ?? '')) throw error;
  }
  copyExact(from, to);
  return 'copy';
}

/** A copy of its own inode, with the same mode and mtime (whole microseconds). Fails where `to` exists. Its bytes are
 * on the disk before it gets the times by which it is believed to be whole. */
export function copyExact(from: string, to: string): void {
  const stat = lstatSync(from);
  copyFileSync(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  syncFileData(to);
  utimesSync(to, stat.atimeMs / 1000, stat.mtimeMs / 1000);
  chmodSync(to, stat.mode & 0o7777);
}

/** Gives a finished file its name, whatever is there. Not durable by itself. */
export function takePlace(temporary: string, place: string): void {
  if (lstatSync(place, { throwIfNoEntry: false })?.isDirectory() === true) removeTree(place);
  renameSync(temporary, place);
  // rename() of two names of one inode does nothing and says nothing.
  rmSync(temporary, { force: true });
}

/**
 * Removes a file, link or tree; not there is fine. Never follows a link out of the tree. Folders that were
 * made unreadable or read-only (a build can do that to its own files) are opened up first.
 * @throws ProblemError environment; bare Error for a path that can only be a mistake of ours
 */
export function removeTree(path: string): void {
  if (!isAbsolute(path) || dirname(path) === path || dirname(dirname(path)) === dirname(path)) {
    throw new Error(`refusing to remove ${JSON.stringify(path)}`);
  }
  withFileProblems('remove', path, () => {
    try {
      rmSync(path, { recursive: true, force: true });
    } catch (error) {
      if (errnoOf(error) !== 'EACCES' && errnoOf(error) !== 'EPERM') throw error;
      openUp(path);
      rmSync(path, { recursive: true, force: true });
    }
  });
}

function openUp(path: string): void {
  const stat = lstatSync(path);
  if (!stat.isDirectory()) return;
  chmodSync(path, (stat.mode & 0o7777) | 0o700);
  for (const name of readdirSync(path)) openUp(join(path, name));
}

/** Removes what dead runs left in a folder: names of `temporaryBeside`. The caller holds the lock that keeps
 * living runs away. @returns the names removed */
export function removeTemporaries(folder: string): string[] {
  return removeNames(folder, isTemporaryName);
}

/** The same where no lock keeps others away: only those of processes that are gone. */
export function removeDeadTemporaries(folder: string): string[] {
  return removeNames(folder, (name) => isGoneProcess(Number(TEMPORARY.exec(name)?.[1])));
}

function removeNames(folder: string, isLitter: (name: string) => boolean): string[] {
  const removed = readFolder(folder).filter(isLitter);
  for (const name of removed) removeTree(join(folder, name));
  return removed;
}

/** True where surely no process has this pid; one that was given away again may keep a file longer than it should. */
export function isGoneProcess(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return errnoOf(error) === 'ESRCH';
  }
}

/** The names in a folder; empty where there is none. */
export function readFolder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Unlinks a file or link; false where there was none. */
export function unlinkIfThere(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}

export interface Space {
  /** Bytes we may still write. */
  readonly free: number;
  /** Bytes of the whole file system. */
  readonly total: number;
  /** Files we may still make; null where the file system has no such limit. */
  readonly files: number | null;
}

/** The space of the file system that holds `path`, which must exist. */
export function freeSpace(path: string): Space {
  return withFileProblems('look at the free space', path, () => {
    const stat = statfsSync(path);
    return {
      free: stat.bavail * stat.bsize,
      total: stat.blocks * stat.bsize,
      files: stat.files === 0 ? null : stat.ffree,
    };
  });
}
