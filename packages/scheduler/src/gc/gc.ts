/**
 * `gc`: frees what nobody needs: records by age or size, blobs and facts no record refers to, old runs and logs, trees
 * that are gone; and, when asked, checks every blob.
 *
 * What a tree last had, and what the tree at hand would find as a hit now, never goes unless asked. Records go before
 * their blobs, so a crash in between leaves blobs nobody refers to, not records of nothing.
 */
import { existsSync, lstatSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { decodeFacts } from '@stx-make/core/fingerprint/encode';
import type { Digest } from '@stx-make/core/oci/model';
import { byCodeUnit } from '@stx-make/core/order';
import type { Session } from '../api.ts';
import { isGone, removeTree } from '../files/index.ts';
import type { StatePaths } from '../paths.ts';
import { describe, type Lock, takeLock } from '../state/lock.ts';
import { type KeptRecord, openRetention, type Retention } from '../state/retention.ts';
import { openState, type State } from '../state/state.ts';
import { blobsOf, collectGarbage, openPool, type Pool, verifyPool } from '../store/index.ts';
import { workspaceOf } from '../workspace.ts';
import type { DamagedBlob, GcOptions, GcReport } from './model.ts';
import { chooseRecords } from './records.ts';
import { standingRecords } from './standing.ts';

export { statePaths as pathsOf } from '../paths.ts';
export type * from './model.ts';

/** Runs and log folders that are kept however old they get. */
const KEPT_RUNS = 1_000;

/**
 * @param session the tree at hand, null where there is none
 * @throws ProblemError `locked`, `state-unusable`, `state-newer`, environment for the disk; the stop signal's reason
 */
export async function collect(
  paths: StatePaths,
  session: Session | null,
  options: GcOptions,
): Promise<GcReport> {
  const lock = await lockState(paths, options);
  try {
    const own = session === null ? openState(paths, options.now) : null;
    try {
      return await collectLocked(own ?? workspaceOf(session as Session).openState(), session, options);
    } finally {
      own?.close();
    }
  } finally {
    lock.release();
  }
}

function lockState(paths: StatePaths, { wait, command, stop, now, onWait }: GcOptions): Promise<Lock> {
  const what = `the state folder ${paths.root}`;
  return takeLock(join(paths.locks, 'state.lock'), what, {
    wait,
    holder: { pid: process.pid, command, since: new Date(now()).toISOString() },
    signal: stop,
    onWait: (other) => onWait(`waiting for another run on ${what}${describe(other)}`),
  });
}

async function collectLocked(state: State, session: Session | null, options: GcOptions): Promise<GcReport> {
  const { paths } = state;
  const { dryRun } = options;
  const retention = openRetention(state.database);
  const pool = openPool(paths, state.ledgers.blobs);
  const before = retention.records();
  const { checked, damaged } = await checkPool(pool, before, options);
  const trees = goneTrees(retention);
  const safe = options.all ? new Set<string>() : await protectedKeys(state, pool, retention, trees, session);
  const usedBefore = options.maxAge === undefined ? null : options.now() - options.maxAge;
  const { kept, dropped } = chooseRecords(before, {
    isProtected: (record) => safe.has(keyOf(record)),
    sizeOf: sizes(pool),
    usedBefore,
    maxSize: options.maxSize ?? null,
  });
  const runs = oldRuns(retention, usedBefore);
  if (!dryRun) {
    if (options.all) retention.dropTrees(treesOf(retention));
    else retention.dropTrees(trees);
    retention.dropRecords(dropped);
    retention.dropRuns(runs);
    retention.dropFacts();
  }
  const keep = new Set<Digest>(kept.flatMap(({ output }) => blobsOf(output)));
  const garbage = collectGarbage(pool, keep, { dryRun });
  if (!dryRun) retention.dropLayers(garbage.removed.map(({ digest }) => digest));
  const logs = oldLogs(paths.logs, usedBefore);
  const sources = options.sources ? unusedSources(state, kept, session) : [];
  if (!dryRun) {
    for (const name of logs) removeTree(join(paths.logs, name));
    for (const { sha256 } of sources) removeTree(join(paths.sources, 'sha256', sha256));
    // We hold the lock: nobody is at work.
    removeTree(paths.work);
  }
  return {
    dryRun,
    checked,
    damaged,
    records: { removed: dropped.length, kept: kept.length },
    blobs: garbage.removed,
    sources,
    runs: runs.length,
    logs,
    trees,
    freed: garbage.freed + sources.reduce((sum, { size }) => sum + size, 0),
    kept: garbage.kept,
    foreign: garbage.foreign,
  };
}

/**
 * Reads every blob. What is damaged is taken out; its records stay: they answer nothing without it, and what the next
 * build gives is compared with them.
 */
async function checkPool(
  pool: Pool,
  records: readonly KeptRecord[],
  { verify, dryRun }: GcOptions,
): Promise<{ readonly checked: number | null; readonly damaged: readonly DamagedBlob[] }> {
  if (!verify) return { checked: null, damaged: [] };
  const { checked, bad } = await verifyPool(pool);
  const users = new Map(bad.map(({ digest }) => [digest, new Set<string>()]));
  if (users.size > 0) {
    for (const { output, target } of records) {
      for (const digest of blobsOf(output)) users.get(digest)?.add(target);
    }
  }
  const damaged = bad.map(({ digest, why }) => ({
    digest,
    why,
    targets: [...(users.get(digest) ?? [])].sort(byCodeUnit),
  }));
  if (!dryRun) for (const { digest } of bad) pool.remove(digest);
  return { checked, damaged };
}

function keyOf({ fingerprint, manifest }: Pick<KeptRecord, 'fingerprint' | 'manifest'>): string {
  return `${fingerprint} ${manifest}`;
}

async function protectedKeys(
  state: State,
  pool: Pool,
  retention: Retention,
  gone: readonly string[],
  session: Session | null,
): Promise<Set<string>> {
  const keys = new Set<string>();
  for (const row of retention.current()) if (!gone.includes(row.tree)) keys.add(keyOf(row));
  if (session === null) return keys;
  for (const record of await standingRecords(workspaceOf(session), state, pool)) keys.add(keyOf(record));
  return keys;
}

function treesOf(retention: Retention): string[] {
  return [...new Set(retention.current().map(({ tree }) => tree))].sort(byCodeUnit);
}

/** Roots that are no folder any more. One that can not be looked at (not mounted, not allowed) is not gone. */
function goneTrees(retention: Retention): string[] {
  return treesOf(retention).filter((tree) => {
    try {
      return !statSync(tree).isDirectory();
    } catch (error) {
      return isGone(error);
    }
  });
}

function sizes(pool: Pool): (digest: Digest) => number | undefined {
  const known = new Map<Digest, number | undefined>();
  return (digest) => {
    if (!known.has(digest)) known.set(digest, lstatSync(pool.path(digest), { throwIfNoEntry: false })?.size);
    return known.get(digest);
  };
}

function oldRuns(retention: Retention, usedBefore: number | null): string[] {
  return retention
    .runs()
    .filter(({ started }, place) => place >= KEPT_RUNS || (usedBefore !== null && started < usedBefore))
    .map(({ id }) => id);
}

/** Folders of logs; their names sort by time. */
function oldLogs(folder: string, usedBefore: number | null): string[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).sort(byCodeUnit).reverse();
  return names.filter(
    (name, place) =>
      place >= KEPT_RUNS || (usedBefore !== null && statSync(join(folder, name)).mtimeMs < usedBefore),
  );
}

/** Sources that neither the tree at hand nor anything kept was made from. */
function unusedSources(
  state: State,
  kept: readonly KeptRecord[],
  session: Session | null,
): GcReport['sources'] {
  const wanted = new Set(session?.tree.recipes.flatMap(({ sources }) => sources.map(({ sha256 }) => sha256)));
  for (const { fingerprint } of kept) {
    for (const [key, value] of decodeFacts(state.records.facts(fingerprint) ?? '') ?? []) {
      if (key.startsWith('source ')) wanted.add(value.slice('sha256:'.length));
    }
  }
  const folder = join(state.paths.sources, 'sha256');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^[0-9a-f]{64}$/.test(name) && !wanted.has(name))
    .sort(byCodeUnit)
    .map((sha256) => ({ sha256, size: lstatSync(join(folder, sha256)).size }));
}
