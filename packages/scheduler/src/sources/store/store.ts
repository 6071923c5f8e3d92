/**
 * The content-addressed store of sources: `sha256/<hex>`, read-only files whose bytes are what their name says.
 *
 * Every file is 0444 and has an mtime derived from its hash, because hard links of it are what BuildKit is given.
 * A file is believed only while its stat is the one it had when it was hashed; else it is hashed again, and
 * removed where it is wrong. Unaware of recipes and of where bytes come from.
 */
import { type BigIntStats, chmodSync, constants, mkdirSync, renameSync, utimesSync } from 'node:fs';
import { copyFile, lstat, open, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { integrityProblem, type Problem, ProblemError } from '@stx-make/core/errors';
import {
  errnoOf,
  fsyncDir,
  makeFolderDurable,
  syncFileData,
  temporaryBeside,
  throwFileProblem,
  unlinkIfThere,
  withFileProblems,
} from '../../files/index.ts';
import { mtimeOfHash } from '../../files/mtime.ts';
import type { StatePaths } from '../../paths.ts';
import type { FileStamp, SourceLedger } from '../model.ts';
import { hashFile } from './hash.ts';
import { Incoming } from './incoming.ts';

/** Read-only for all: a write through a hard link must not reach the store unseen. */
const MODE = 0o444;

/** Files of others that can not be taken: gone, or not for us to read. */
const UNREADABLE: ReadonlySet<string> = new Set(['ENOENT', 'EACCES', 'EISDIR', 'ELOOP', 'ENXIO']);

/** The path of a content in the store of a state folder, there or not. */
export function sourcePath(paths: Pick<StatePaths, 'sources'>, sha256: string): string {
  // It becomes a path: core only lets such hashes through.
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw new Error(`not a sha256: ${JSON.stringify(sha256)}`);
  return join(paths.sources, 'sha256', sha256);
}

/** A ledger that lives as long as the process. */
export function memorySourceLedger(): SourceLedger {
  const good = new Map<string, string>();
  const text = (stamp: FileStamp): string => `${stamp.size}:${stamp.mtimeNs}:${stamp.ino}`;
  return {
    isGood: (sha256, stamp) => good.get(sha256) === text(stamp),
    note: (sha256, stamp) => void good.set(sha256, text(stamp)),
  };
}

/** good: here and right. missing. damaged: was here, was wrong, and is gone now. */
export type Standing = 'good' | 'missing' | 'damaged';

/** What is in the store without reading it. */
export interface Glance {
  readonly size: number;
  /** The ledger vouches for it. */
  readonly verified: boolean;
}

export class SourceStore {
  /** `<state>/sources`. */
  readonly folder: string;
  readonly #ledger: SourceLedger;
  /** Files that were found damaged and removed, for the report. */
  readonly #damaged = new Set<string>();
  readonly #checking = new Map<string, Promise<Standing>>();

  /** Creates the folders. @throws ProblemError environment */
  constructor(folder: string, ledger: SourceLedger) {
    this.folder = folder;
    this.#ledger = ledger;
    withFileProblems('make the folder of sources', folder, () => {
      makeFolderDurable(join(folder, 'sha256'));
      mkdirSync(this.partial, { recursive: true });
    });
  }

  /** What is under way: unfinished downloads and imports. On the store's own file system, for rename. */
  get partial(): string {
    return join(this.folder, 'partial');
  }

  /** The path of a content, there or not. */
  path(sha256: string): string {
    return sourcePath({ sources: this.folder }, sha256);
  }

  /** Looks without reading the file; null where there is none. */
  async glance(sha256: string): Promise<Glance | null> {
    const stat = await this.#stat(sha256);
    if (stat === null || !stat.isFile()) return null;
    return { size: Number(stat.size), verified: this.#isKnown(sha256, stat) };
  }

  /**
   * Makes sure that a content is here and right: hashed where its stat is not the one it had when it was last
   * found right. A wrong file is removed.
   * @throws ProblemError environment; the signal's reason
   */
  async check(sha256: string, signal: AbortSignal): Promise<Standing> {
    // One after the other: sealing changes a file's times, which to a second check under way looks like damage.
    for (let busy = this.#checking.get(sha256); busy !== undefined; busy = this.#checking.get(sha256)) {
      await busy.catch(() => undefined);
    }
    const checking = this.#check(sha256, signal);
    this.#checking.set(sha256, checking);
    try {
      return await checking;
    } finally {
      this.#checking.delete(sha256);
    }
  }

  async #check(sha256: string, signal: AbortSignal): Promise<Standing> {
    const path = this.path(sha256);
    const before = await this.#stat(sha256);
    if (before === null) return 'missing';
    if (this.#isKnown(sha256, before)) {
      // A mode is no content: put right without reading the file again.
      if ((before.mode & 0o7777n) !== BigInt(MODE))
        withFileProblems('protect a source', path, () => chmodSync(path, MODE));
      return 'good';
    }
    try {
      if (before.isFile() && (await hashFile(path, signal)) === sha256) {
        const after = await lstat(path, { bigint: true });
        // Written to while it was hashed: the hash says nothing about what it is now.
        if (after.ino === before.ino && after.size === before.size && after.mtimeNs === before.mtimeNs) {
          this.#seal(path, sha256);
          // Whoever put it there may not have.
          syncFileData(path);
          this.#ledger.note(sha256, stampOf(await lstat(path, { bigint: true })));
          return 'good';
        }
      }
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return 'missing';
      throwFileProblem(error, 'read a source in the store', path);
    }
    withFileProblems('remove a damaged source', path, () => unlinkIfThere(path));
    this.#damaged.add(sha256);
    return 'damaged';
  }

  /**
   * Takes a file that lies in `partial` into the store. The caller vouches that exactly its bytes were hashed and
   * gave `sha256`, and has fsynced it.
   */
  async commit(temporary: string, sha256: string): Promise<void> {
    const path = this.path(sha256);
    try {
      this.#seal(temporary, sha256);
      renameSync(temporary, path);
      fsyncDir(dirname(path));
      this.#ledger.note(sha256, stampOf(await lstat(path, { bigint: true })));
    } catch (error) {
      throwFileProblem(error, 'take a source into the store', path);
    }
  }

  /** The sha256 of any file, links followed; null where it can not be read.
   * @throws the signal's reason */
  async hashOf(path: string, signal: AbortSignal): Promise<string | null> {
    try {
      return await hashFile(await realpath(path), signal);
    } catch (error) {
      if (errnoOf(error) === null) throw error;
      return null;
    }
  }

  /**
   * Copies a file into the store if the copy's hash is `sha256`. The copy is hashed, not the original: that may
   * change any time.
   * @returns false where it is another content or can not be read
   * @throws ProblemError environment; the signal's reason
   */
  async copyIn(path: string, sha256: string, signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    const copy = temporaryBeside(join(this.partial, 'import'));
    try {
      try {
        await copyFile(path, copy, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
        chmodSync(copy, 0o600);
        if ((await hashFile(copy, signal)) !== sha256) return false;
        syncFileData(copy);
      } catch (error) {
        if (UNREADABLE.has(errnoOf(error) ?? '')) return false;
        throwFileProblem(error, 'copy a source into the store', path);
      }
      await this.commit(copy, sha256);
      return true;
    } finally {
      unlinkIfThere(copy);
    }
  }

  /** Begins a file whose hash is known only at its end. It enters the store by `finish`, or leaves nothing. */
  async begin(): Promise<Incoming> {
    const path = temporaryBeside(join(this.partial, 'import'));
    try {
      return new Incoming(path, await open(path, 'wx', 0o600), (from, sha256) => this.commit(from, sha256));
    } catch (error) {
      return throwFileProblem(error, 'write a source', path);
    }
  }

  /** Warnings about files that were found damaged so far, each told once. */
  takeWarnings(): Problem[] {
    const found = [...this.#damaged].sort();
    this.#damaged.clear();
    return found.map((sha256) =>
      integrityProblem({
        code: 'source-damaged',
        level: 'warning',
        text: `The source ${sha256} in the store was not what its name says; it was removed and is fetched anew.`,
        file: this.path(sha256),
        hint: 'Something wrote to it, or the disk is failing.',
      }),
    );
  }

  async #stat(sha256: string): Promise<BigIntStats | null> {
    const path = this.path(sha256);
    try {
      return await lstat(path, { bigint: true });
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return null;
      return throwFileProblem(error, 'look at a source', path);
    }
  }

  #isKnown(sha256: string, stat: BigIntStats): boolean {
    return stat.isFile() && this.#ledger.isGood(sha256, stampOf(stat));
  }

  #seal(path: string, sha256: string): void {
    chmodSync(path, MODE);
    const seconds = mtimeOfHash(sha256);
    utimesSync(path, seconds, seconds);
  }
}

/** What the ledger keeps of a file. */
export function stampOf(stat: BigIntStats): FileStamp {
  return { size: Number(stat.size), mtimeNs: stat.mtimeNs, ino: stat.ino };
}

/** A content that must be in the store and is not. */
export function notInStore(sha256: string, file: string): ProblemError {
  return new ProblemError(
    integrityProblem({
      code: 'source-not-in-store',
      text: `The source ${file} (sha256 ${sha256}) is not in the store any more.`,
      hint: 'Run `stx-make fetch`.',
    }),
  );
}
