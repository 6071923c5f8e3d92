/**
 * Outputs as people and other tools take them: `out/<target>/`, one self-contained OCI layout each, its blobs
 * hard links into the pool.
 *
 * A new target appears whole by one rename; an existing one changes at the rename of its index.json, with the
 * blobs of both states there. Nothing here is synced to the disk: all of it can be made again from the pool and
 * `isPublished` looks at every byte a power cut could have eaten (the small files) and at every blob's stat.
 */
import { lstatSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { inputProblem, integrityProblem, ProblemError } from '@stx-make/core/errors';
import { type Digest, hexOf, layoutIndex, OCI_LAYOUT, type Output } from '@stx-make/core/oci/index';
import {
  isTemporaryName,
  linkOrCopy,
  readFolder,
  removeTemporaries,
  removeTree,
  temporaryBeside,
  unlinkIfThere,
  withFileProblems,
  writeFileDurable,
} from '../files/index.ts';
import { stampOf } from './ledger.ts';
import { blobsOf } from './output.ts';
import type { Pool } from './pool.ts';
import { readSmall } from './read.ts';
import { VerificationError } from './verify.ts';

/** The folder's name and what index.json calls the image. */
export interface PublishedName {
  /** `core-musl`: one path segment. */
  readonly name: string;
  /** `stagex/core-musl:1.2.5`. */
  readonly tag: string;
}

/** index.json may grow by annotations of later versions; anything larger is not ours. Bytes. */
const MAX_INDEX = 64 * 1024;
/** How far a copied mtime may be off: it goes through a double, in ns. */
const UTIMES_GRAIN = 10_000n;

/**
 * Makes `outDir/<name>` show exactly this output. All blobs must be good (`missingBlobs`).
 * @returns the layout's folder
 * @throws VerificationError where a blob is not good; ProblemError environment (space, permission), or
 * input where something else lies there
 */
export function publishOutput(pool: Pool, output: Output, outDir: string, target: PublishedName): string {
  const folder = join(outDir, target.name);
  withFileProblems('publish the output', folder, () => {
    refuseDamaged(pool, output, target);
    const there = lstatSync(folder, { throwIfNoEntry: false });
    if (there === undefined) {
      publishNew(pool, output, folder, target);
    } else if (there.isDirectory()) {
      fill(pool, output, folder, target);
      dropOthers(output, folder);
    } else {
      throw new ProblemError(
        inputProblem({
          code: 'in-the-way',
          text: `${target.name} can not be published: there is something in its place that is no folder`,
          file: folder,
          hint: 'move it away, or publish elsewhere with --out DIR',
        }),
      );
    }
  });
  return folder;
}

/** The last gate before others see it: one stat a blob, read only where that is not the noted one. */
function refuseDamaged(pool: Pool, output: Output, target: PublishedName): void {
  const unknown = blobsOf(output).filter((digest) => !pool.isKnownGood(digest));
  if (unknown.length === 0) return;
  const bad = unknown.flatMap((digest) => pool.checkNow(digest) ?? []);
  if (bad.length === 0) {
    pool.sync();
    return;
  }
  const problems = bad.map(({ digest, why }) =>
    integrityProblem({
      code: 'bad-blob',
      text: `${target.name} can not be published: of its blob ${digest}, ${why}`,
      file: pool.path(digest),
      hint: 'build the target again',
    }),
  );
  throw new VerificationError(
    problems,
    bad.map(({ digest }) => digest),
  );
}

function publishNew(pool: Pool, output: Output, folder: string, target: PublishedName): void {
  const temporary = temporaryBeside(folder);
  removeTree(temporary);
  mkdirSync(temporary, { recursive: true });
  try {
    fill(pool, output, temporary, target);
    renameSync(temporary, folder);
  } catch (error) {
    removeTree(temporary);
    throw error;
  }
}

/** Blobs first, then the files that say what they are. */
function fill(pool: Pool, output: Output, folder: string, target: PublishedName): void {
  const blobs = ownFolder(join(ownFolder(join(folder, 'blobs')), 'sha256'));
  for (const digest of blobsOf(output)) placeBlob(pool, digest, join(blobs, hexOf(digest)));
  writeIfOther(join(folder, 'oci-layout'), OCI_LAYOUT);
  writeIfOther(join(folder, 'index.json'), layoutIndex(output.index, target.tag));
}

/** A folder of our own; a link or file in its place is taken away, for writing through it would change
 * something else. */
function ownFolder(path: string): string {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there?.isDirectory() !== true) {
    if (there !== undefined) unlinkIfThere(path);
    mkdirSync(path);
  }
  return path;
}

function placeBlob(pool: Pool, digest: Digest, path: string): void {
  if (isPlaced(pool, digest, path)) return;
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there === undefined) {
    linkOrCopy(pool.path(digest), path);
    return;
  }
  // A reader may have the old layout open: never a moment without the blob.
  if (there.isDirectory()) removeTree(path);
  const temporary = temporaryBeside(path);
  unlinkIfThere(temporary);
  linkOrCopy(pool.path(digest), temporary);
  renameSync(temporary, path);
  // rename() of two names of one inode does nothing and says nothing.
  unlinkIfThere(temporary);
}

/** True where the published blob is the good file of the pool, or a copy of it that looks untouched. */
function isPlaced(pool: Pool, digest: Digest, path: string): boolean {
  const stamp = pool.ledger.stamp(digest);
  const there = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (stamp === undefined || there?.isFile() !== true) return false;
  if (stampOf(there) === stamp) return true;
  // On another file system it is a copy: same size, and the mtime as exactly as utimes could set it.
  const [size, mtime] = stamp.split(':');
  const drift = there.mtimeNs - BigInt(mtime ?? 0);
  const close = drift > -UTIMES_GRAIN && drift < UTIMES_GRAIN;
  return there.size === BigInt(size ?? 0) && close && !sameFileSystem(pool, path);
}

function sameFileSystem(pool: Pool, path: string): boolean {
  return lstatSync(pool.blobs).dev === lstatSync(path).dev;
}

function writeIfOther(path: string, content: string): void {
  if (holds(path, content)) return;
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true) removeTree(path);
  writeFileDurable(path, content, { durable: false });
}

function holds(path: string, content: string): boolean {
  return readSmall(path, MAX_INDEX)?.bytes.toString('utf8') === content;
}

/** Removes what the output does not name from an existing layout, leftovers of interrupted exports too. */
function dropOthers(output: Output, folder: string): void {
  const blobs = join(folder, 'blobs', 'sha256');
  const wanted = new Set(blobsOf(output).map(hexOf));
  for (const name of readFolder(blobs)) {
    if (!wanted.has(name)) removeTree(join(blobs, name));
  }
  for (const name of readFolder(join(folder, 'blobs'))) {
    if (name !== 'sha256') removeTree(join(folder, 'blobs', name));
  }
  removeTree(join(folder, 'ingest'));
  removeTemporaries(folder);
}

/** True when `outDir/<name>` shows exactly this output and nothing else: the small files by content, each blob by one
 * stat. Nothing is hashed. */
export function isPublished(pool: Pool, output: Output, outDir: string, target: PublishedName): boolean {
  const folder = join(outDir, target.name);
  if (!holds(join(folder, 'index.json'), layoutIndex(output.index, target.tag))) return false;
  if (!holds(join(folder, 'oci-layout'), OCI_LAYOUT)) return false;
  const blobs = join(folder, 'blobs', 'sha256');
  const digests = blobsOf(output);
  if (!digests.every((digest) => isPlaced(pool, digest, join(blobs, hexOf(digest))))) return false;
  // Who published it may have died before the blobs of the output before were gone.
  return readFolder(blobs).length === digests.length && !readFolder(folder).some(isTemporaryName);
}

/** Removes what dead runs left in the folder of outputs. The caller holds the tree's lock. */
export function removeStaleOutputs(outDir: string): string[] {
  return withFileProblems('clean up', outDir, () => removeTemporaries(outDir));
}
