/**
 * The shortest run: the last one found nothing to do, and nothing that it looked at has changed since.
 *
 * A run in which every target is a hit keeps its answer under a key of all it was given (every file of the tree, how
 * it is read, the engine, the folders), with the stats of every file and folder of the outputs it had verified. The
 * next one that has the same key and finds the same stats has the same answer: no graph, no fingerprints, no records.
 * What else could change it, the records and what the tree last had, drops the answer by a trigger of the database
 * (state/schema.ts). On the 513-target twin that is 70 ms instead of 340 (CPU; docs/performance.md).
 *
 * Knows nothing of how targets are judged.
 */
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TargetPlan } from '@stx-make/core/events';
import type { Digest, Origin } from '@stx-make/core/oci/model';
import { byCodeUnit } from '@stx-make/core/order';
import type { RunSummary } from '../api.ts';
import { bootId } from '../files/boot.ts';
import { isTemporaryName } from '../files/durable.ts';
import { addressKey, engineKey } from '../plan/engine-key.ts';
import { seal, unseal } from '../state/seal.ts';
import { PROGRAM } from '../tree/snapshot.ts';
import type { RunContext } from './context.ts';
import { type EndedTarget, summarise } from './summary.ts';

/** Raised when the shape or the meaning of what is kept changes. */
const SETTLED_VERSION = 1;

/** A target of a settled run: all that its events and the summary say. */
export interface SettledTarget {
  readonly name: string;
  readonly stage: string;
  readonly dependencies: readonly string[];
  /** ms. */
  readonly expected: number | null;
  readonly manifest: Digest;
  readonly origin: Origin;
  /** The remote it was taken from, where it was. */
  readonly from?: string | undefined;
  /** Bytes of the output. */
  readonly size: number;
}

export interface Settled {
  /** In topological order. */
  readonly targets: readonly SettledTarget[];
  /** Names in the pool's folder of blobs, each once. */
  readonly blobs: readonly string[];
}

/** What of a run decides whether the answer holds; a plan has it, too. */
export type SettledContext = Pick<RunContext, 'workspace' | 'state' | 'options' | 'started'>;

/** File times come from a clock with ticks of at most 10 ms; a change within two of them can not be told (tree/scan.ts
 * has the same figure). */
const CLOCK_GRAIN_MS = 25;

const DAY_MS = 24 * 60 * 60 * 1000;

/** Numbers kept of each stat. */
const WIDTH = 4;

/** The whole run, where the last one's answer still holds: says of every target what that said. */
export function settledRun(context: RunContext): RunSummary | null {
  const answer = settledAnswer(context);
  if (answer === null) return null;
  const plans = answer.targets.map(
    ({ name, stage, dependencies, expected }): TargetPlan => ({
      name,
      stage,
      action: 'hit',
      reasons: [],
      dependencies,
      expected,
    }),
  );
  context.emit({ type: 'plan', targets: plans.sort((a, b) => byCodeUnit(a.name, b.name)) });
  const results = new Map<string, EndedTarget>();
  for (const { name, manifest, origin, from, size } of answer.targets) {
    const common = { result: 'hit', duration: 0, reasons: [] } as const;
    results.set(name, { ...common, settled: { manifest, origin, from }, failure: null });
    context.emit({ type: 'target-finished', target: name, digest: manifest, origin, from, size, ...common });
  }
  return summarise(context, answer.targets, results, []);
}

/** The last answer where it still holds. */
export function settledAnswer(context: SettledContext): Settled | null {
  const { noCache, remote, shard } = context.options;
  // What there is may have to be given to others.
  if (noCache || remote?.write === true || shard) return null;
  const { database } = context.state;
  const row = database.get<{ key: string; stats: Uint8Array; text: string }>(
    'SELECT key, stats, text FROM settled WHERE tree = ? AND selection = ?',
    context.workspace.treeKey,
    selectionKey(context),
  );
  if (row === undefined || row.key !== keyOf(context)) return null;
  // Something a dead run left; cleaning up is not the shortest way's.
  if (hasLitter(context)) return null;
  try {
    const text = unseal(row.text);
    if (text === null) return null;
    const answer = JSON.parse(text) as Settled;
    return holds(pathsOf(context, answer), row.stats) ? answer : null;
  } catch {
    return null;
  }
}

/**
 * Keeps the answer of a run that had nothing to do.
 * @param verify looks at every output once more; true where all are whole and shown. What it saw is what the stats
 * before and after it are of, or nothing is kept.
 */
export function keepSettled(
  context: SettledContext,
  answer: Settled,
  verify: () => boolean,
  now: number,
): void {
  const paths = pathsOf(context, answer);
  const before = statsOf(paths);
  if (before === null || before.newest > now - CLOCK_GRAIN_MS || !verify()) return;
  const bytes = new Uint8Array(before.numbers.buffer);
  if (!holds(paths, bytes)) return;
  context.state.database.cache(
    'INSERT OR REPLACE INTO settled (tree, selection, key, stats, text) VALUES (?, ?, ?, ?, ?)',
    context.workspace.treeKey,
    selectionKey(context),
    keyOf(context),
    bytes,
    seal(JSON.stringify(answer)),
  );
}

/** What dead runs leave in places that are not looked at below. */
function hasLitter({ workspace, state: { paths } }: SettledContext): boolean {
  return (
    namesIn(paths.work).length > 0 ||
    namesIn(paths.runs).length > 0 ||
    [workspace.out, join(paths.sources, 'partial')].some((folder) => namesIn(folder).some(isTemporaryName))
  );
}

function selectionKey({ options }: SettledContext): string {
  return [...options.selection].sort(byCodeUnit).join(' ');
}

function keyOf(context: SettledContext): string {
  const { workspace, state, options } = context;
  const engine = engineKey(state.engineAt(addressKey(options.workers.addresses)), options.strictEngine);
  return JSON.stringify([
    SETTLED_VERSION,
    PROGRAM,
    // Outputs are not synced.
    bootId(),
    // Once a day all is judged, which notes that the records are in use (state/records.ts: touch).
    Math.floor(context.started / DAY_MS),
    workspace.content,
    engine,
    options.limits,
    workspace.out,
    workspace.state.pool,
  ]);
}

/**
 * What must be as it was: the pool's folders (each name leads to the same file, and no dead run left one there), every blob (its bytes), and of each
 * layout its folder and that of its blobs (the same names, so the same links into the pool) and its index.json.
 */
function pathsOf({ workspace }: SettledContext, { targets, blobs }: Settled): string[] {
  const { pool } = workspace.state;
  const folder = join(pool, 'blobs', 'sha256');
  const paths = [pool, join(pool, 'oci-layout'), join(pool, 'index.json'), folder];
  for (const blob of blobs) paths.push(`${folder}/${blob}`);
  // Copies, where the outputs are on another file system, have bytes of their own.
  const copied = deviceOf(workspace.out) !== deviceOf(folder);
  for (const { name } of targets) {
    const layout = `${workspace.out}/${name}`;
    const shown = `${layout}/blobs/sha256`;
    paths.push(layout, `${layout}/index.json`, shown);
    if (copied) paths.push(...namesIn(shown).map((blob) => `${shown}/${blob}`));
  }
  return paths;
}

function deviceOf(path: string): number | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.dev;
}

/**
 * Of each path inode, size, mtime and ctime in ms; null where something is missing. As doubles, for making text of some
 * 3,600 stats costs as much as taking them: exact to 0.25 us, and the file system's ticks are longer.
 */
function statsOf(
  paths: readonly string[],
): { readonly numbers: Float64Array; readonly newest: number } | null {
  const numbers = new Float64Array(paths.length * WIDTH);
  let newest = 0;
  for (const [index, path] of paths.entries()) {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return null;
    numbers.set([stat.ino, stat.size, stat.mtimeMs, stat.ctimeMs], index * WIDTH);
    newest = Math.max(newest, stat.ctimeMs);
  }
  return { numbers, newest };
}

/** True when these paths, no more and no fewer, have these stats. Ends at the first that has not. */
function holds(paths: readonly string[], bytes: Uint8Array): boolean {
  if (bytes.byteLength !== paths.length * WIDTH * Float64Array.BYTES_PER_ELEMENT) return false;
  const known = new Float64Array(bytes.slice().buffer);
  return paths.every((path, index) => {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    const at = index * WIDTH;
    return (
      stat !== undefined &&
      stat.ino === known[at] &&
      stat.size === known[at + 1] &&
      stat.mtimeMs === known[at + 2] &&
      stat.ctimeMs === known[at + 3]
    );
  });
}

/** Empty where there is no such folder. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
