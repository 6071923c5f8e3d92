/**
 * The work of a night shared out, with what one wants to know before it: as lines, as a document, as a matrix. Pure.
 */
import { byCodeUnit } from '@stx-make/core/order';
import { assignShards, type ShardAssignment, type ShardRequest } from '@stx-make/core/shard/index';
import { count, duration } from '../text/format.ts';
import type { Paint } from '../text/paint.ts';

/** Where durations come from. */
export interface Durations {
  readonly from: 'file' | 'remote' | 'history' | 'none';
  readonly of: ReadonlyMap<string, number>;
}

export interface Sharing {
  readonly shards: number;
  readonly assignment: ShardAssignment;
  /** Of some numbers of shards, this one among them. */
  readonly others: readonly { readonly shards: number; readonly makespan: number }[];
  readonly request: Omit<ShardRequest, 'shards'>;
  readonly durations: Durations;
}

const NUMBERS = [1, 2, 4, 8, 16, 32, 64, 128, 256];
/** Targets of the longest chain that are named in a line. */
const NAMED = 3;

export function share(request: Omit<ShardRequest, 'shards'>, shards: number, durations: Durations): Sharing {
  const assignment = assignShards({ ...request, shards });
  const useful = NUMBERS.filter((each) => each <= Math.max(shards, 2 * shards));
  const others = [...new Set([...useful, shards])]
    .sort((a, b) => a - b)
    .map((each) => ({
      shards: each,
      makespan: each === shards ? assignment.makespan : assignShards({ ...request, shards: each }).makespan,
    }));
  return { shards, assignment, others, request, durations };
}

export function sharingDocument(sharing: Sharing): Record<string, unknown> {
  const { assignment, request, durations, shards } = sharing;
  const known = request.targets.filter(({ expected }) => expected !== null).length;
  return {
    shards,
    jobs: request.jobs,
    targets: request.targets.length,
    durations: { from: durations.from, known },
    expected: Math.round(assignment.makespan),
    minutes: minutes(assignment.makespan),
    bound: Math.round(assignment.bound),
    work: Math.round(assignment.shares.reduce((sum, { load }) => sum + load, 0)),
    transfers: assignment.transfers,
    criticalPath: { targets: assignment.criticalPath, expected: pathLength(sharing) },
    unplaced: assignment.unplaced,
    choices: sharing.others.map(({ shards: each, makespan }) => ({
      shards: each,
      expected: Math.round(makespan),
    })),
    plan: assignment.shares.map(({ shard, targets, load, end, platforms }) => ({
      shard,
      of: shards,
      targets: [...targets].sort(byCodeUnit),
      expected: Math.round(load),
      minutes: minutes(load),
      ends: Math.round(end),
      platforms,
    })),
    include: include(sharing),
  };
}

/** For `strategy.matrix`: one job a shard. Nothing in it is text that somebody else chose. */
export function include({ assignment, shards }: Sharing): Record<string, unknown>[] {
  return assignment.shares.map(({ shard, end, platforms }) => ({
    shard,
    of: shards,
    minutes: minutes(end),
    platforms: platforms.join(','),
  }));
}

export function sharingLines(sharing: Sharing, paint: Paint): string[] {
  const { assignment, request, durations, shards, others } = sharing;
  const { criticalPath: path, shares, makespan, bound } = assignment;
  const work = shares.reduce((sum, { load }) => sum + load, 0);
  const [one] = others;
  const named = path.length <= 2 * NAMED ? path : [...path.slice(0, NAMED), '...', ...path.slice(-NAMED)];
  return [
    `${count(request.targets.length, 'target')}, ${duration(work)} of builds, ${request.jobs} at a time on each shard; ${durationsText(sharing)}`,
    `longest chain: ${duration(pathLength(sharing))}, ${count(path.length, 'target')}: ${named.join(', ')}`,
    '',
    ...table([
      ['shards', 'takes', 'faster'],
      ...others.map(({ shards: each, makespan: takes }) => [
        `${each === shards ? '* ' : ''}${each}`,
        duration(takes),
        one === undefined || takes === 0 ? '' : `${(one.makespan / takes).toFixed(1)} x`,
      ]),
    ]),
    '',
    ...table([
      ['shard', 'targets', 'builds', 'ends after', 'platforms'],
      ...shares.map(({ shard, targets, load, end, platforms }) => [
        String(shard),
        String(targets.length),
        duration(load),
        duration(end),
        platforms.join(' '),
      ]),
    ]),
    ...(assignment.unplaced.length === 0 ? [] : [`nobody can build ${assignment.unplaced.join(', ')}`]),
    '',
    paint(
      'strong',
      `${count(shards, 'shard')}: ${duration(makespan)}; no schedule can be faster than ${duration(bound)}` +
        `${durations.from === 'none' ? ' (guessed: relations count, not times)' : ''}`,
    ),
  ];
}

function durationsText({ request, durations }: Sharing): string {
  const known = request.targets.filter(({ expected }) => expected !== null).length;
  const from = {
    file: 'durations as given',
    remote: "durations by the remote's history",
    history: 'durations by the history here',
    none: 'no durations are known: a minute each',
  }[durations.from];
  const unknown = request.targets.length - known;
  return durations.from === 'none' || unknown === 0 ? from : `${from}, ${unknown} taken for the median`;
}

/** ms of the longest chain. */
function pathLength({ assignment: { criticalPath, urgency } }: Sharing): number {
  return Math.round(urgency.get(criticalPath[0] ?? '') ?? 0);
}

/** To a tenth. */
function minutes(ms: number): number {
  return Math.round(ms / 6_000) / 10;
}

/** The last column to the left, the others to the right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const last = widths.length - 1;
  const isText = rows[0]?.[last] === 'platforms';
  return rows.map((row) =>
    row
      .map((cell, column) => (isText && column === last ? cell : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
