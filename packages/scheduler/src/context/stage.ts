/**
 * Assembles the build context of one recipe outside its folder (BUILDKIT.md 3).
 *
 * Recipe files are copied, with modes as git knows them and one time derived from them all; sources are hard
 * links from the store (or copies), with a time of their own hash. So two different files never look equal to
 * BuildKit, and the recipe folder is never written to. The bytes that are hashed are the bytes that are written.
 *
 * Unaware of fingerprints, BuildKit and of where sources come from.
 */

import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fstatSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  readSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { environmentProblem, inputProblem, type Problem, ProblemError } from '@stx-make/core/errors';
import type { ContextFile } from '@stx-make/core/fingerprint/encode';
import { digestOf } from '@stx-make/core/oci/digest';
import type { Digest } from '@stx-make/core/oci/model';
import { errnoOf, linkOrCopy, removeTree, throwFileProblem } from '../files/index.ts';
import { contextTime, SOURCE_MODE, timeOf } from './times.ts';

/** A source as it lies in the store, verified by the caller. */
export interface StagedSource {
  /** File name under `fetch/`, one path segment. */
  readonly file: string;
  /** 64 hex digits. */
  readonly sha256: string;
  /** Absolute; a file of the store. Linked where it has SOURCE_MODE and the time of its hash, else copied. */
  readonly path: string;
}

export interface StageRequest {
  /** The recipe folder, absolute. */
  readonly recipe: string;
  /** What belongs to the context, relative to it (`listContextFiles`). */
  readonly files: readonly { readonly path: string }[];
  readonly sources: readonly StagedSource[];
  /** A private folder; what is there is removed. Best on the source store's file system where links are to be cheap. */
  readonly destination: string;
}

/** A recipe's file as it was written into the context. */
export type StagedFile = ContextFile;

/** What was staged. */
export interface StagedContext {
  /** The main context and the place of the Containerfile. */
  readonly contextDir: string;
  /** `contextDir/fetch`, always there, for the named context `fetch`. */
  readonly fetchDir: string;
  /** Exactly what was written, sorted as it was asked for: where it is not what the fingerprint says, the recipe
   * was edited in between. */
  readonly files: readonly StagedFile[];
}

/** Files up to this many bytes are read at once. */
const SMALL = 1024 * 1024;

/**
 * @throws ProblemError `context-changed` (input) where a file went away or changed its kind meanwhile; input for
 * files that can not be sent; environment for the disk. Nothing is left behind then.
 */
export function stageContext(request: StageRequest): StagedContext {
  const { destination } = request;
  try {
    return stage(request);
  } catch (error) {
    removeTree(destination);
    return throwFileProblem(error, 'stage the build context', destination);
  }
}

function stage({ recipe, files, sources, destination }: StageRequest): StagedContext {
  // What a dead run left under this name.
  removeTree(destination);
  mkdirSync(dirname(destination), { recursive: true });
  const folders = new Folders(destination);
  const staged = files.map(({ path }) => {
    folders.make(dirname(path));
    return stageFile(join(recipe, path), join(destination, path), path);
  });
  const fetchDir = folders.make('fetch');
  stageSources(sources, fetchDir);
  const time = contextTime(staged);
  for (const { path, mode } of staged) {
    // A link has a time of its own.
    const set = mode === 'link' ? lutimesSync : utimesSync;
    set(join(destination, path), time, time);
  }
  folders.setTimes(time);
  return { contextDir: destination, fetchDir, files: staged };
}

/** The folders of one context: each made once, with the mode git's checkout gives. */
class Folders {
  readonly #root: string;
  readonly #made = new Set<string>();

  constructor(root: string) {
    this.#root = root;
    mkdirSync(root);
    this.#add(root);
  }

  /** @param path relative; `.` is the root */
  make(path: string): string {
    const full = join(this.#root, path);
    if (!this.#made.has(full)) {
      this.make(dirname(path));
      mkdirSync(full);
      this.#add(full);
    }
    return full;
  }

  /** Last: making files changes the time of their folder. */
  setTimes(time: number): void {
    for (const folder of this.#made) utimesSync(folder, time, time);
  }

  #add(full: string): void {
    // Whatever the umask says: the mode of a folder is in images.
    chmodSync(full, 0o755);
    this.#made.add(full);
  }
}

function stageFile(from: string, to: string, path: string): ContextFile {
  try {
    const stat = lstatSync(from);
    if (stat.isSymbolicLink()) return stageLink(from, to, path);
    if (stat.isFile()) return copyFile(from, to, path);
  } catch (error) {
    // Gone, or another kind of thing since it was listed.
    const errno = errnoOf(error);
    if (errno !== 'ENOENT' && errno !== 'ENOTDIR' && errno !== 'ELOOP' && errno !== 'EINVAL') {
      return throwFileProblem(error, 'read a file of the recipe', from);
    }
  }
  throw new ProblemError(changed(from));
}

function stageLink(from: string, to: string, path: string): ContextFile {
  const target = readlinkSync(from, 'buffer');
  if (!Buffer.from(target.toString('utf8')).equals(target)) {
    throw new ProblemError(
      inputProblem({
        code: 'unusable-file',
        text: "This file can not be part of a build context: the link's target is not valid UTF-8.",
        file: from,
        hint: 'Remove it from the recipe folder.',
      }),
    );
  }
  symlinkSync(target, to);
  return { path, mode: 'link', digest: digestOf(target) };
}

function copyFile(from: string, to: string, path: string): ContextFile {
  // A link put there since the lstat must not be followed, a fifo not be waited for.
  const input = openSync(from, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(input);
    if (!stat.isFile()) throw new ProblemError(changed(from));
    const executable = (stat.mode & 0o100) !== 0;
    const output = openSync(to, 'wx', 0o600);
    try {
      const digest = stat.size <= SMALL ? copyWhole(input, output) : copyPieces(input, output);
      fchmodSync(output, executable ? 0o755 : 0o644);
      return { path, mode: executable ? '0755' : '0644', digest };
    } finally {
      closeSync(output);
    }
  } finally {
    closeSync(input);
  }
}

function copyWhole(input: number, output: number): Digest {
  const bytes = readFileSync(input);
  writeFileSync(output, bytes);
  return digestOf(bytes);
}

function copyPieces(input: number, output: number): Digest {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(SMALL);
  for (;;) {
    const length = readSync(input, buffer);
    if (length === 0) return `sha256:${hash.digest('hex')}` as Digest;
    const piece = buffer.subarray(0, length);
    hash.update(piece);
    for (let written = 0; written < length; ) written += writeSync(output, piece, written);
  }
}

function stageSources(sources: readonly StagedSource[], fetchDir: string): void {
  const linked = new Set<string>();
  for (const source of sources) {
    if (source.file === '' || source.file === '.' || source.file === '..' || source.file.includes('/')) {
      throw new Error(`${JSON.stringify(source.file)} is not a file name`);
    }
    placeSource(source, join(fetchDir, source.file), linked);
  }
}

/** The store's file is never changed: others may be building with it. */
function placeSource(source: StagedSource, to: string, linked: Set<string>): void {
  const stat = lstatSync(source.path, { bigint: true, throwIfNoEntry: false });
  if (stat?.isFile() !== true) {
    throw new ProblemError(
      environmentProblem({
        code: 'source-missing',
        text: `The source ${source.file} is not in the store.`,
        file: source.path,
        hint: 'Fetch it again: stx-make fetch.',
      }),
    );
  }
  const time = timeOf(source.sha256);
  const fits =
    (stat.mode & 0o7777n) === BigInt(SOURCE_MODE) && stat.mtimeNs === BigInt(time) * 1_000_000_000n;
  // Two names of one inode would become a hard link in the layer: another digest (BUILDKIT.md 3).
  if (fits && !linked.has(source.sha256)) {
    linked.add(source.sha256);
    linkOrCopy(source.path, to);
    return;
  }
  copyFileSync(source.path, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  chmodSync(to, SOURCE_MODE);
  utimesSync(to, time, time);
}

function changed(file: string): Problem {
  return inputProblem({
    code: 'context-changed',
    text: 'This file went away or became something else while the build context was put together.',
    file,
    hint: 'Run the build again when nothing writes to the recipe.',
  });
}
