/**
 * The pool: one OCI layout that holds every blob of every output, `blobs/sha256/<hex>`, 0444.
 *
 * A blob is good when its stat is the one that was noted when its bytes were hashed; else it is hashed again.
 * Only plain files are blobs: a link, folder or anything else in a blob's place is bad. Names that are no
 * digests are not ours and are left alone. buildctl writes into the pool through export folders (BUILDKIT.md
 * 5), and never replaces a blob that is there, so what is not known to be good is taken out first; or its archive is
 * unpacked into it (buildkit/archive.ts).
 *
 * Unaware of outputs, targets and records. One process at a time (the run's lock).
 */
import { lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { environmentProblem, ProblemError } from '@stx-make/core/errors';
import { type Digest, digestOf, EMPTY_INDEX, hexOf, isDigest, OCI_LAYOUT } from '@stx-make/core/oci/index';
import {
  errnoOf,
  forEachLimited,
  fsyncDir,
  isTemporaryName,
  removeTemporaries,
  removeTree,
  syncFileData,
  syncTogether,
  throwFileProblem,
  withFileProblems,
  writeFileDurable,
} from '../files/index.ts';
import { type BlobLedger, stampOf } from './ledger.ts';
import { type BlobReading, readBlob, readBlobNow, readSmall } from './read.ts';

/** Blobs hashed at a time: zlib and the disk run beside us, sha256 does not. */
export const PARALLEL = 4;

/** Why a blob is not what its name says. */
export interface BadBlob {
  readonly digest: Digest;
  readonly why: string;
}

/** What is in the folder of blobs. */
export interface PoolListing {
  readonly blobs: readonly Digest[];
  /** Names that are no digests: not ours. */
  readonly foreign: readonly string[];
  /** Names we gave to things under way. */
  readonly temporary: readonly string[];
}

/** Opens or makes the pool. @throws ProblemError environment */
export function openPool(paths: { readonly pool: string }, ledger: BlobLedger): Pool {
  const root = paths.pool;
  return withFileProblems('open the pool of blobs', root, () => {
    mkdirSync(join(root, 'blobs', 'sha256'), { recursive: true });
    checkLayout(root);
    return new Pool(root, ledger);
  });
}

function checkLayout(root: string): void {
  const path = join(root, 'oci-layout');
  let content: string | null = null;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
  const newer = content === null ? null : /"imageLayoutVersion"\s*:\s*"([0-9][^"]*)"/.exec(content)?.[1];
  if (newer != null && !newer.startsWith('1.')) {
    throw new ProblemError(
      environmentProblem({
        code: 'newer-format',
        text: `the pool of blobs has layout version ${newer}, this stx-make knows 1.0.0`,
        file: path,
        hint: 'use a newer stx-make, or another state folder with --state DIR',
      }),
    );
  }
  // Our own small file: where it is missing or damaged there is only one thing it can say.
  if (content !== OCI_LAYOUT) writeFileDurable(path, OCI_LAYOUT);
  const index = join(root, 'index.json');
  if (readSmall(index, EMPTY_INDEX.length)?.bytes.toString() !== EMPTY_INDEX) {
    writeFileDurable(index, EMPTY_INDEX);
  }
}

/** An open pool. */
export class Pool {
  readonly root: string;
  /** The folder `blobs`. */
  readonly blobs: string;
  readonly ledger: BlobLedger;
  /** The folder of blobs, `blobs/sha256`. */
  readonly folder: string;
  /** Found good since the last `sync`: may not be on the disk yet. */
  readonly #unsynced = new Set<Digest>();
  /** The pass under way, and those that wait for it. */
  #syncing: Promise<void> = Promise.resolve();
  /** The folders' own names are on the disk. Not seen to where they are made: who made them may have died there. */
  #isPlaceSynced = false;

  constructor(root: string, ledger: BlobLedger) {
    this.root = root;
    this.blobs = join(root, 'blobs');
    this.folder = join(this.blobs, 'sha256');
    this.ledger = ledger;
  }

  /** Where a blob lies or would lie. */
  path(digest: Digest): string {
    return `${this.folder}/${hexOf(digest)}`;
  }

  /** One stat: there, and the very file whose bytes were found good. */
  isKnownGood(digest: Digest): boolean {
    const stamp = this.ledger.stamp(digest);
    if (stamp === undefined) return false;
    const stat = lstatSync(this.path(digest), { bigint: true, throwIfNoEntry: false });
    return stat?.isFile() === true && stampOf(stat) === stamp;
  }

  /** Null where the blob is good; reads it only where it is not known to be. */
  async check(digest: Digest): Promise<BadBlob | null> {
    if (this.isKnownGood(digest)) return null;
    return this.judge(digest, await readBlob(this.path(digest)));
  }

  /** As `check`, at once. containerd sets a blob's mtime just after it put it in place, so a blob that another build
   * wrote may have been noted in between: looked at again it is good. */
  checkNow(digest: Digest): BadBlob | null {
    if (this.isKnownGood(digest)) return null;
    return this.judge(digest, readBlobNow(this.path(digest)));
  }

  /** Takes down what was read at a blob's place. */
  judge(digest: Digest, reading: BlobReading): BadBlob | null {
    if (reading.kind === 'blob' && reading.digest === digest) {
      const stamp = stampOf(reading.stat);
      if (this.ledger.stamp(digest) !== stamp) {
        this.ledger.remember(digest, stamp);
        this.#unsynced.add(digest);
      }
      return null;
    }
    this.ledger.forget(digest);
    this.#unsynced.delete(digest);
    return { digest, why: explainReading(reading) };
  }

  /** Those of `digests` that are not there or not good. */
  async badOf(digests: Iterable<Digest>): Promise<BadBlob[]> {
    const bad: BadBlob[] = [];
    await forEachLimited(new Set(digests), PARALLEL, async (digest) => {
      const finding = await this.check(digest);
      if (finding !== null) bad.push(finding);
    });
    return bad;
  }

  list(): PoolListing {
    const blobs: Digest[] = [];
    const foreign: string[] = [];
    const temporary: string[] = [];
    for (const name of readdirSync(this.folder).sort()) {
      const digest = `sha256:${name}`;
      if (isDigest(digest)) blobs.push(digest);
      else if (isTemporaryName(name)) temporary.push(name);
      else foreign.push(name);
    }
    return { blobs, foreign, temporary };
  }

  /**
   * Takes every blob out of the pool that is not good, before anything is exported into it: BuildKit would not
   * send it again (BUILDKIT.md 4). Costs one stat a blob, and reading for those that changed.
   * @returns what was taken out
   */
  async prepareForExport(): Promise<BadBlob[]> {
    const { blobs } = this.list();
    const bad = await this.badOf(blobs);
    for (const { digest } of bad) this.remove(digest);
    return bad;
  }

  /** Removes what dead runs left. The caller holds the state's lock. */
  removeStale(): void {
    withFileProblems('clean up', this.root, () => {
      for (const folder of [this.root, this.folder]) removeTemporaries(folder);
    });
  }

  /** Takes a blob, or whatever is in its place, out of the pool. */
  remove(digest: Digest): void {
    this.ledger.forget(digest);
    this.#unsynced.delete(digest);
    removeTree(this.path(digest));
  }

  /**
   * A private folder for one export, inside `work`: its `blobs` is the pool's, so blobs that are there are not
   * sent and new ones land there. The caller removes it.
   * @throws ProblemError environment where `work` is on another file system (BuildKit renames blobs)
   */
  makeExportDir(work: string, name: string): string {
    const folder = join(work, name);
    return withFileProblems('make an export folder', folder, () => {
      mkdirSync(folder, { recursive: true });
      if (statSync(folder).dev !== statSync(this.folder).dev) {
        throw new ProblemError(
          environmentProblem({
            code: 'other-file-system',
            text: 'the pool of blobs is on another file system than the work folder',
            file: this.blobs,
            hint: 'move the whole state folder with --state DIR, not parts of it',
          }),
        );
      }
      symlinkSync(this.blobs, join(folder, 'blobs'));
      return folder;
    });
  }

  /** Puts bytes of ours into the pool, durably. */
  write(bytes: Uint8Array | string): Digest {
    const digest = digestOf(bytes);
    if (!this.isKnownGood(digest)) {
      const path = this.path(digest);
      if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true) removeTree(path);
      writeFileDurable(path, bytes, { mode: 0o444 });
      this.ledger.remember(digest, stampOf(lstatSync(path, { bigint: true })));
      this.ledger.keep(digest);
    }
    return digest;
  }

  /**
   * As `sync`, without holding the process up: several files at a time, which the file system then syncs together. One
   * pass sees to what all builds have found good by then; who comes meanwhile has the next one.
   * @throws ProblemError environment
   */
  syncTogether(): Promise<void> {
    // Another one's failure is that one's to tell; what it left is tried again.
    this.#syncing = this.#syncing.catch(() => {}).then(() => this.#syncUnsynced());
    return this.#syncing;
  }

  async #syncUnsynced(): Promise<void> {
    const found = [...this.#unsynced].map((digest) => [digest, this.ledger.stamp(digest)] as const);
    if (found.length === 0) return;
    try {
      await syncTogether(
        found.map(([digest]) => this.path(digest)),
        this.folder,
      );
    } catch (error) {
      throwFileProblem(error, 'sync the pool of blobs', this.folder);
    }
    for (const [digest, stamp] of found) {
      // Another file has its name by now: that one is not synced.
      if (stamp === undefined || this.ledger.stamp(digest) !== stamp) continue;
      this.ledger.keep(digest);
      this.#unsynced.delete(digest);
    }
    this.#syncPlace();
  }

  /**
   * Makes everything found good so far survive a power cut, and what is noted of it be kept; to be called before a
   * record names it. containerd's store syncs each blob and the folder itself as it commits (v2.3: plugins/content/local/writer.go), so for
   * what buildctl wrote this is nearly free; it is for blobs that came otherwise.
   * @throws ProblemError environment
   */
  sync(): void {
    if (this.#unsynced.size === 0) return;
    withFileProblems('sync the pool of blobs', this.folder, () => {
      for (const digest of this.#unsynced) {
        syncFileData(this.path(digest));
        this.ledger.keep(digest);
      }
      fsyncDir(this.folder);
      this.#unsynced.clear();
    });
    this.#syncPlace();
  }

  #syncPlace(): void {
    if (this.#isPlaceSynced) return;
    withFileProblems('sync the pool of blobs', this.folder, () => {
      for (const folder of [this.blobs, this.root, dirname(this.root)]) fsyncDir(folder);
    });
    this.#isPlaceSynced = true;
  }
}

/** What a reading that is not the wanted blob found. */
export function explainReading(reading: BlobReading): string {
  switch (reading.kind) {
    case 'blob':
      return `its bytes (${reading.stat.size}) have the digest ${reading.digest}`;
    case 'missing':
      return 'it is missing';
    case 'not-a-file':
      return 'there is something in its place that is no plain file';
    case 'unreadable':
      return `it can not be read: ${reading.error.message}`;
    case 'unstable':
      return 'it changed while it was read';
    default:
      return reading satisfies never;
  }
}
