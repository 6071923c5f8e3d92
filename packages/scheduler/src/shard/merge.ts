/**
 * Several shards' runs as one: their events made into one stream that every view can show, workers as lanes of their own.
 *
 * Of each target the shard counts that did the most for it: who built it, else who failed, else who found it. Pure.
 */
import {
  EVENT_SCHEMA,
  type RunCounts,
  type RunEvent,
  type TargetPlan,
  type TargetResult,
} from '@stx-make/core/events';
import { byCodeUnit } from '@stx-make/core/order';

/** What one shard kept of its run. */
export interface ShardRun {
  readonly shard: number;
  readonly events: readonly RunEvent[];
}

/** The end of a target over all shards. */
export interface MergedTarget {
  readonly name: string;
  readonly result: TargetResult;
  readonly digest: string | null;
  /** Whose end it is. */
  readonly shard: number;
  /** ms. */
  readonly duration: number;
  /** All shards that built it, in order: more than one is work done twice. */
  readonly builtBy: readonly number[];
  /** Two built it and got other outputs. */
  readonly differs: boolean;
}

export interface MergedRun {
  readonly events: readonly RunEvent[];
  readonly targets: readonly MergedTarget[];
  readonly counts: RunCounts;
}

type End = Extract<RunEvent, { type: 'target-finished' | 'target-failed' | 'target-skipped' }>;

/** Best first. An end elsewhere that failed is told by every shard: the one that tried has the log. */
const RANK: Readonly<Record<TargetResult, number>> = {
  built: 0,
  unchanged: 1,
  failed: 2,
  hit: 3,
  skipped: 4,
};

/** @param name of the whole, shown as the run's @param count of all shards, those that gave nothing among them */
export function mergeRuns(runs: readonly ShardRun[], name: string, count: number): MergedRun {
  const sorted = [...runs].sort((a, b) => a.shard - b.shard);
  const starts = sorted.map(({ events }) => startOf(events));
  const first = Math.min(...starts);
  const targets = endsOf(sorted);
  const holder = new Map(targets.map((target) => [target.name, target.shard]));
  const events: RunEvent[] = [];
  for (const [index, { shard, events: own }] of sorted.entries()) {
    const shift = (starts[index] ?? first) - first;
    for (const event of own) {
      const kept = rewritten(event, shard, count, (target) => holder.get(target) === shard);
      if (kept !== null) events.push({ ...kept, at: kept.at + shift });
    }
  }
  events.sort((a, b) => a.at - b.at);
  const counts = countsOf(targets);
  const last = events.at(-1)?.at ?? 0;
  const workers = sorted.flatMap(({ shard, events: own }) => workersOf(own, shard, count));
  const notes = sorted.flatMap(({ shard, events: own }) =>
    own.flatMap((event) =>
      event.type === 'workers' ? event.notes.map((note) => `shard ${shard}: ${note}`) : [],
    ),
  );
  return {
    events: [
      {
        at: 0,
        type: 'run-started',
        schema: EVENT_SCHEMA,
        run: name,
        started: new Date(first).toISOString(),
        root: rootOf(sorted),
        command: `${count} shards`,
        selection: [],
      },
      { at: 0, type: 'plan', targets: plansOf(sorted) },
      { at: 0, type: 'workers', workers, notes: [...new Set(notes)] },
      ...events,
      {
        at: last,
        type: 'run-finished',
        ok: counts.failed === 0 && counts.skipped === 0,
        duration: last,
        counts,
        interrupted: sorted.some(({ events: own }) =>
          own.some((e) => e.type === 'run-finished' && e.interrupted),
        ),
        stopped:
          counts.skipped > 0 &&
          sorted.some(({ events: own }) => own.some((e) => e.type === 'run-finished' && e.stopped === 'time'))
            ? 'time'
            : null,
      },
    ],
    targets,
    counts,
  };
}

/** An event as one of the whole; null where it is said once for all, or is another shard's to say. */
function rewritten(
  event: RunEvent,
  shard: number,
  count: number,
  holds: (target: string) => boolean,
): RunEvent | null {
  switch (event.type) {
    case 'run-started':
    case 'run-finished':
    case 'plan':
    case 'workers':
    // Of one shard, not of the whole.
    case 'paused':
    case 'resumed':
    case 'stopping':
      return null;
    case 'worker-lost':
    case 'worker-back':
      return { ...event, worker: laneOf(shard, event.worker) };
    case 'activity':
      return { ...event, id: `${shard}/${event.id}`, text: `shard ${shard}/${count}: ${event.text}` };
    case 'target-started':
      return holds(event.target) ? { ...event, worker: laneOf(shard, event.worker) } : null;
    case 'warning':
      return event;
    default:
      if ('target' in event) return holds(event.target) ? event : null;
      return event;
  }
}

function laneOf(shard: number, worker: string): string {
  return `${shard}/${worker}`;
}

function workersOf(events: readonly RunEvent[], shard: number, count: number) {
  const said = events.findLast((event) => event.type === 'workers');
  return (said?.workers ?? []).map((worker) => ({
    ...worker,
    id: laneOf(shard, worker.id),
    name: `shard ${shard}/${count} ${worker.name}`,
  }));
}

/** ms since the epoch, by that machine's clock; 0 where it never began. */
function startOf(events: readonly RunEvent[]): number {
  const begun = events.find((event) => event.type === 'run-started');
  return begun === undefined ? 0 : Date.parse(begun.started) || 0;
}

function rootOf(runs: readonly ShardRun[]): string {
  for (const { events } of runs) {
    for (const event of events) if (event.type === 'run-started') return event.root;
  }
  return '';
}

/** Each target once; to be built where any shard said so. */
function plansOf(runs: readonly ShardRun[]): TargetPlan[] {
  const plans = new Map<string, TargetPlan>();
  for (const { events } of runs) {
    const plan = events.findLast((event) => event.type === 'plan');
    for (const target of plan?.targets ?? []) {
      const known = plans.get(target.name);
      if (known === undefined || known.action === 'hit') plans.set(target.name, target);
    }
  }
  return [...plans.values()].sort((a, b) => byCodeUnit(a.name, b.name));
}

function endsOf(runs: readonly ShardRun[]): MergedTarget[] {
  const merged = new Map<string, MergedTarget>();
  for (const { shard, events } of runs) {
    const ends = new Map<string, End>();
    for (const event of events) if (isEnd(event)) ends.set(event.target, event);
    for (const [name, end] of ends) {
      const result = resultOf(end);
      const digest = end.type === 'target-finished' ? end.digest : null;
      const duration = end.type === 'target-skipped' ? 0 : end.duration;
      const ran = result === 'built' || result === 'unchanged';
      const own = { name, result, digest, shard, duration, builtBy: ran ? [shard] : [], differs: false };
      const known = merged.get(name);
      if (known === undefined) {
        merged.set(name, own);
        continue;
      }
      const best = RANK[result] < RANK[known.result] ? own : known;
      const differs = known.differs || (digest !== null && known.digest !== null && digest !== known.digest);
      merged.set(name, { ...best, builtBy: [...known.builtBy, ...own.builtBy], differs });
    }
  }
  return [...merged.values()].sort((a, b) => byCodeUnit(a.name, b.name));
}

function isEnd(event: RunEvent): event is End {
  return (
    event.type === 'target-finished' || event.type === 'target-failed' || event.type === 'target-skipped'
  );
}

function resultOf(end: End): TargetResult {
  switch (end.type) {
    case 'target-finished':
      return end.result;
    case 'target-failed':
      return 'failed';
    case 'target-skipped':
      return 'skipped';
    default:
      return end satisfies never;
  }
}

function countsOf(targets: readonly MergedTarget[]): RunCounts {
  const counts = { targets: targets.length, hit: 0, built: 0, unchanged: 0, failed: 0, skipped: 0 };
  for (const { result } of targets) counts[result] += 1;
  return counts;
}
