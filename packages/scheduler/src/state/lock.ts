/**
 * Locks between processes: one run at a time on a tree and on a state folder.
 *
 * A lock is an open exclusive sqlite transaction on a small file: the kernel drops it with the process, however it
 * dies, so there are no stale locks to judge by pid (pids are reused, and kill(pid, 0) succeeds on zombies). Who
 * holds it is written beside it, for people.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { environmentProblem, ProblemError } from '@stx-make/core/errors';
import { isBusy, unusable } from './trouble.ts';

/** How often a waiting process tries again, ms. */
const RETRY_EVERY = 100;

export interface LockHolder {
  readonly pid: number;
  readonly command: string;
  /** ISO 8601. */
  readonly since: string;
}

export interface LockOptions {
  readonly wait: boolean;
  /** Written for others to read. */
  readonly holder: LockHolder;
  /** Called once when another process has it. */
  readonly onWait: (holder: LockHolder | null) => void;
  readonly signal: AbortSignal;
}

export interface Lock {
  release(): void;
}

/**
 * Takes the lock at `path` (a file of its own).
 * @throws ProblemError `locked` (environment) with `wait: false`, `state-unusable`; the signal's reason when aborted.
 */
export async function takeLock(path: string, what: string, options: LockOptions): Promise<Lock> {
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (error) {
    throw unusable(path, error);
  }
  let told = false;
  for (;;) {
    options.signal.throwIfAborted();
    const lock = tryLock(path, options.holder);
    if (lock !== null) return lock;
    const holder = readHolder(path);
    if (!options.wait) {
      throw new ProblemError(
        environmentProblem({
          code: 'locked',
          text: `Another run works on ${what}${describe(holder)}.`,
          file: path,
          hint: 'Wait for it, stop it, or leave --no-wait out to queue behind it.',
        }),
      );
    }
    if (!told) options.onWait(holder);
    told = true;
    await pause(RETRY_EVERY, options.signal);
  }
}

/** ` (pid 12, "stx-make world", since ...)`, or nothing where it is not known. */
export function describe(holder: LockHolder | null): string {
  return holder === null ? '' : ` (pid ${holder.pid}, \`${holder.command}\`, since ${holder.since})`;
}

/** Who holds the lock now; null where nobody does or nobody can say. */
export function lockHolder(path: string): LockHolder | null {
  const lock = tryLock(path, null);
  if (lock === null) return readHolder(path);
  lock.release();
  return null;
}

function tryLock(path: string, holder: LockHolder | null): Lock | null {
  let handle: DatabaseSync;
  try {
    handle = new DatabaseSync(path, { timeout: 0 });
  } catch (error) {
    throw unusable(path, error);
  }
  try {
    // Nothing is ever written to this file, so there is no journal and nothing to sync.
    handle.exec('PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE');
  } catch (error) {
    handle.close();
    if (isBusy(error)) return null;
    throw unusable(path, error);
  }
  if (holder !== null) tellHolder(path, holder);
  return {
    release: () => {
      if (!handle.isOpen) return;
      if (holder !== null) rmSync(`${path}.holder`, { force: true });
      handle.close();
    },
  };
}

/** For people only: a full disk does not keep anybody from the lock. */
function tellHolder(path: string, holder: LockHolder): void {
  try {
    writeFileSync(`${path}.holder`, JSON.stringify(holder));
  } catch {
    rmSync(`${path}.holder`, { force: true });
  }
}

function readHolder(path: string): LockHolder | null {
  try {
    const value: unknown = JSON.parse(readFileSync(`${path}.holder`, 'utf8'));
    if (typeof value !== 'object' || value === null) return null;
    const { pid, command, since } = value as Record<string, unknown>;
    if (typeof pid !== 'number' || typeof command !== 'string' || typeof since !== 'string') return null;
    return { pid, command, since };
  } catch {
    return null;
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', stop, { once: true });
  });
}
