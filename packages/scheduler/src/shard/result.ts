/**
 * What a shard leaves when its run is over, for `collect`: how it ended, and all its events. One text, written and read
 * strictly. And the history of durations that collect keeps for the next session. Pure.
 *
 * Events are kept compressed, a tenth of their size: a registry takes no more than some megabytes for a text.
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import type { RunCounts, RunEvent } from '@stx-make/core/events';
import { byCodeUnit } from '@stx-make/core/order';

const SCHEMA = 1;

/** Larger ones are somebody's mistake, or worse. Bytes. */
const MOST_EVENTS = 512 * 1024 * 1024;

export interface ShardResult {
  readonly shard: number;
  readonly count: number;
  /** Everything that was its own is done and can be had by others. */
  readonly ok: boolean;
  readonly interrupted: boolean;
  /** See RunSummary. */
  readonly stopped?: 'time' | null | undefined;
  readonly seconds: number;
  readonly counts: RunCounts;
  /** Targets it took over, sorted by code unit. */
  readonly tookOver: readonly string[];
  /** What went wrong, for people. */
  readonly problems: readonly string[];
  readonly events: readonly RunEvent[];
}

/** @param events the run's own NDJSON, taken as it is */
export function writeResult(result: Omit<ShardResult, 'events'>, events: string): string {
  return JSON.stringify({ schema: SCHEMA, ...result, gzip: gzipSync(events).toString('base64') });
}

/** Null where it is not that shard's result. Lines that are cut off or unknown are passed over, as everywhere. */
export function readResult(text: string, shard: number): ShardResult | null {
  const value = parse(text);
  if (value === null || value['schema'] !== SCHEMA || value['shard'] !== shard) return null;
  const { ok, counts, problems, tookOver, gzip, ...rest } = value;
  if (typeof ok !== 'boolean' || !isObject(counts) || !Array.isArray(problems) || !Array.isArray(tookOver)) {
    return null;
  }
  const lines = typeof gzip === 'string' ? unpacked(gzip) : null;
  if (lines === null) return null;
  const events = lines.split('\n').flatMap((line) => {
    const event = parse(line);
    return event !== null && typeof event['type'] === 'string' && typeof event['at'] === 'number'
      ? [event as unknown as RunEvent]
      : [];
  });
  return {
    ...(rest as unknown as ShardResult),
    ok,
    counts: counts as unknown as RunCounts,
    problems,
    tookOver,
    events,
  };
}

function unpacked(base64: string): string | null {
  try {
    return gunzipSync(Buffer.from(base64, 'base64'), { maxOutputLength: MOST_EVENTS }).toString('utf8');
  } catch {
    return null;
  }
}

/** Durations kept of each target, as local history has them (state/history.ts). */
const KEPT = 10;

/** target -> ms of its last builds, newest first. */
export type SharedHistory = ReadonlyMap<string, readonly number[]>;

export function writeHistory(history: SharedHistory): string {
  const sorted = [...history].sort(([a], [b]) => byCodeUnit(a, b));
  return JSON.stringify({ schema: SCHEMA, durations: Object.fromEntries(sorted) });
}

/** Empty where it can not be read: it only makes estimates better. */
export function readHistory(text: string | null): SharedHistory {
  const value = text === null ? null : parse(text);
  const durations = value?.['schema'] === SCHEMA ? value['durations'] : null;
  if (!isObject(durations)) return new Map();
  return new Map(
    Object.entries(durations).flatMap(([target, list]) =>
      Array.isArray(list) && list.every((one) => typeof one === 'number' && one >= 0)
        ? [[target, list.slice(0, KEPT) as number[]] as const]
        : [],
    ),
  );
}

/** The history with what was built now in front. */
export function addToHistory(
  history: SharedHistory,
  built: readonly { readonly name: string; readonly duration: number }[],
): SharedHistory {
  const added = new Map(history);
  for (const { name, duration } of built) {
    added.set(name, [Math.round(duration), ...(added.get(name) ?? [])].slice(0, KEPT));
  }
  return added;
}

/** Medians: what a target is expected to take, ms. */
export function expectedOf(history: SharedHistory): Map<string, number> {
  const expected = new Map<string, number>();
  for (const [target, durations] of history) {
    const sorted = [...durations].sort((a, b) => a - b);
    const median = sorted[sorted.length >> 1];
    if (median !== undefined) expected.set(target, median);
  }
  return expected;
}

function parse(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
