/**
 * The texts shards leave for each other, written and read strictly: they come from other machines.
 *
 * Pure; unaware of where they are kept.
 */
import { byCodeUnit } from '@stx-make/core/order';
import type { ShardFailure, ShardPlan, ShardStatus } from './model.ts';

/** Raised when a text changes its meaning: shards of different versions do not read each other's. */
const SCHEMA = 1;

const KINDS: ReadonlySet<unknown> = new Set(['build', 'infrastructure', 'integrity', 'input']);

export function writeStatus(status: ShardStatus): string {
  return JSON.stringify({
    schema: SCHEMA,
    ...status,
    failed: Object.fromEntries([...status.failed].sort(([a], [b]) => byCodeUnit(a, b))),
  });
}

/** Null where it is not a status of that shard. */
export function readStatus(text: string, shard: number): ShardStatus | null {
  const value = objectOf(text);
  if (value === null || value['shard'] !== shard) return null;
  const { count, process, beat, ended, open, failed } = value;
  if (!isNumber(count) || !isNumber(beat) || typeof process !== 'string' || typeof ended !== 'boolean') {
    return null;
  }
  if (!isTexts(open) || !isRecord(failed)) return null;
  const failures = new Map<string, ShardFailure>();
  for (const [name, one] of Object.entries(failed)) {
    const failure = failureOf(one);
    if (failure === null) return null;
    failures.set(name, failure);
  }
  return { shard, count, process, beat, ended, open, failed: failures };
}

export function writePlan({ count, tree, engine, shardOf }: ShardPlan): string {
  const sorted = [...shardOf].sort(([a], [b]) => byCodeUnit(a, b));
  return JSON.stringify({ schema: SCHEMA, count, tree, engine, shardOf: Object.fromEntries(sorted) });
}

/** Null where it is not a plan for that many shards. */
export function readPlan(text: string, count: number): ShardPlan | null {
  const value = objectOf(text);
  if (value === null || value['count'] !== count || !isRecord(value['shardOf'])) return null;
  const { tree, engine } = value;
  if (typeof tree !== 'string' || typeof engine !== 'string') return null;
  const shardOf = new Map<string, number>();
  for (const [name, shard] of Object.entries(value['shardOf'])) {
    if (!isNumber(shard) || shard < 1 || shard > count) return null;
    shardOf.set(name, shard);
  }
  return { count, tree, engine, shardOf };
}

function failureOf(value: unknown): ShardFailure | null {
  if (!isRecord(value)) return null;
  const { kind, step, exitCode, file, line, cause } = value;
  if (!KINDS.has(kind) || typeof cause !== 'string') return null;
  return {
    kind: kind as ShardFailure['kind'],
    step: typeof step === 'string' ? step : null,
    exitCode: isNumber(exitCode) ? exitCode : null,
    file: typeof file === 'string' ? file : null,
    line: isNumber(line) ? line : null,
    cause,
  };
}

function objectOf(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) && value['schema'] === SCHEMA ? value : null;
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value);
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}
