/**
 * BuildKit's root folder: kept from one start to the next while it belongs to this BuildKit and its bolt files
 * are still in memory, else discarded. It is only a cache beside our records and pool.
 *
 * Unaware of processes; whoever calls holds the daemon's lock.
 */
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findProgram } from '../../process/find.ts';
import { capture } from '../../process/run.ts';
import { makeMemory, ownsMemory, removeMemory, removeOrphans } from './memory.ts';
import type { Places } from './places.ts';
import { boltFiles } from './sandbox.ts';

/** Which BuildKit, in which manner: a root made by another one is discarded. */
export interface RootKind {
  /** Of `programIdentity`. */
  readonly buildkitd: string;
  readonly snapshotter: string;
  readonly rootless: boolean;
}

export interface RootState extends RootKind {
  readonly schema: 1;
  readonly id: string;
  /** The folder in memory, null where the bolt files are on disk. */
  readonly memory: string | null;
  /** Bytes of the disk, and free when this root was made: the base of the garbage-collection policy. */
  readonly disk: { readonly total: number; readonly free: number };
  /** The boot during which it was made: without memory, nothing else tells of a reboot. */
  readonly boot: string;
}

/** Changes whenever the program at this path is replaced. Not its content: hashing 56 MB costs more than a
 * start, and a cache lost to a touched binary costs little. */
export function programIdentity(path: string): string {
  const stat = statSync(path);
  return `${path} ${stat.size} ${stat.mtimeMs}`;
}

/** The path in what `programIdentity` gave. */
export function pathOfIdentity(identity: string): string {
  return identity.replace(/ \d+ [\d.]+$/, '');
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

function readState(places: Places): RootState | null {
  try {
    const value: unknown = JSON.parse(readFileSync(places.identity, 'utf8'));
    return Reflect.get(Object(value), 'schema') === 1 ? (value as RootState) : null;
  } catch {
    return null;
  }
}

function snapshotters(kind: RootKind): string[] {
  return kind.snapshotter === 'auto' ? ['overlayfs', 'native', 'fuse-overlayfs'] : [kind.snapshotter];
}

/** Makes the root ready for a start: the one that is there, or a new one. Returns it and whether it is warm. */
export async function prepareRoot(
  places: Places,
  kind: RootKind,
  env: NodeJS.ProcessEnv,
): Promise<{ readonly state: RootState; readonly warm: boolean }> {
  const known = readState(places);
  if (known !== null && isUsable(places, known, kind)) return { state: known, warm: true };
  await discardRoot(places, env);
  const stat = statfsSync(places.dir);
  const id = randomBytes(8).toString('hex');
  const draft = {
    schema: 1 as const,
    id,
    ...kind,
    disk: { total: stat.blocks * stat.bsize, free: stat.bavail * stat.bsize },
    boot: bootId(),
  };
  // First our claim, then the memory: a sweep by another supervisor in between must not take it away.
  writeState(places, { ...draft, memory: null });
  await removeOrphans(
    env,
    (owner) => readState({ ...places, identity: join(owner.dir, 'root.json') })?.id === owner.id,
  );
  const memory = await makeMemory({ dir: places.dir, id }, env);
  const state: RootState = { ...draft, memory };
  writeState(places, state);
  mkdirSync(places.root, { recursive: true, mode: 0o700 });
  if (memory !== null) linkBoltFiles(places.root, memory, kind);
  return { state, warm: false };
}

function writeState(places: Places, state: RootState): void {
  const draft = `${places.identity}.new`;
  writeFileSync(draft, JSON.stringify(state));
  renameSync(draft, places.identity);
}

function isUsable(places: Places, known: RootState, kind: RootKind): boolean {
  const same =
    known.buildkitd === kind.buildkitd &&
    known.snapshotter === kind.snapshotter &&
    known.rootless === kind.rootless &&
    known.boot === bootId();
  if (!same || !existsSync(places.root)) return false;
  if (known.memory === null) return true;
  if (!ownsMemory(known.memory, { dir: places.dir, id: known.id })) return false;
  // Once it ran, BuildKit has made these two through their links; without one its cache would be a riddle.
  const ran = snapshotters(kind).some((name) => existsSync(join(places.root, `runc-${name}`, 'workerid')));
  return ['cache.db', 'history.db'].every((file) => {
    const link = join(places.root, file);
    return isLink(link) && (!ran || existsSync(link));
  });
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
}

/** Links that point at nothing yet: bolt makes the files through them. */
function linkBoltFiles(root: string, memory: string, kind: RootKind): void {
  for (const file of new Set(snapshotters(kind).flatMap((snapshotter) => boltFiles(snapshotter)))) {
    const link = join(root, file);
    mkdirSync(dirname(link), { recursive: true, mode: 0o700 });
    symlinkSync(join(memory, file.replaceAll('/', '--')), link);
  }
}

const DISCARDED = 'discarded-';

/** Takes the root out of the way at once; `removeDiscarded` removes it, which can take minutes. */
export async function discardRoot(places: Places, env: NodeJS.ProcessEnv): Promise<void> {
  const known = readState(places);
  rmSync(places.identity, { force: true });
  rmSync(places.engine, { force: true });
  if (known?.memory != null) await removeMemory(known.memory, env);
  if (existsSync(places.root)) {
    renameSync(places.root, join(places.dir, `${DISCARDED}${randomBytes(6).toString('hex')}`));
  }
}

/** The discarded roots that are still there. */
export function discardedRoots(places: Places): string[] {
  return readdirSync(places.dir)
    .filter((name) => name.startsWith(DISCARDED))
    .map((name) => join(places.dir, name));
}

/** What is kept in memory, for a supervisor whose state folder is gone. */
export function memoryOf(places: Places): string | null {
  return readState(places)?.memory ?? null;
}

/** A rootless daemon's files belong to subordinate ids: only its own kind of namespace may remove them. What can not
 * be removed is tried again at the next start. */
export async function removeTree(path: string, env: NodeJS.ProcessEnv): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
  } catch {
    const rootlesskit = findProgram('rootlesskit', env);
    if (rootlesskit === null || process.getuid?.() === 0) return;
    await capture(rootlesskit, ['rm', '-rf', path], { env });
  }
}
