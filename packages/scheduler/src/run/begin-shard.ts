/**
 * Puts a shard of a run together: its judge, its remote, the sharing out of the work by the durations of earlier sessions;
 * and at its end leaves what it did for `collect`.
 */
import { readFileSync } from 'node:fs';
import { environmentProblem, type Problem, ProblemError } from '@stx-make/core/errors';
import type { GraphTarget } from '@stx-make/core/graph/model';
import type { Output } from '@stx-make/core/oci/model';
import { assignShards } from '@stx-make/core/shard/assign';
import type { RunSummary } from '../api.ts';
import type { Standing } from '../plan/evaluate.ts';
import { historyTag } from '../shard/collect.ts';
import { withNotes } from '../shard/front.ts';
import type { ShardOptions } from '../shard/model.ts';
import { expectedOf, readHistory, writeResult } from '../shard/result.ts';
import { tagsOf } from '../shard/session.ts';
import type { RunContext } from './context.ts';
import { pause } from './pause.ts';
import type { RunRemote } from './run-remote.ts';
import { ShardRun } from './shard-run.ts';

export interface ShardParts {
  readonly remote: RunRemote;
  readonly order: readonly GraphTarget[];
  readonly judge: (target: GraphTarget, outputOf: (dependency: string) => Output) => Standing;
  readonly engine: string | null;
  /** Builds at a time here; the others' are taken to be the same. */
  readonly jobs: number;
}

/** @throws ProblemError where it can be no shard of its session; the stop signal's reason */
export function beginShard(context: RunContext, shard: ShardOptions, parts: ShardParts): Promise<ShardRun> {
  const { workspace, emit, stop, id } = context;
  const { remote, order, judge, engine, jobs } = parts;
  return ShardRun.begin({
    shard,
    platform: workspace.platform,
    content: workspace.content,
    engine: engine ?? '',
    notes: remote.remote.notes,
    order,
    judge,
    find: (target, fingerprint, outputs, signal) => remote.find(target, fingerprint, outputs, signal),
    assign: async (open) => {
      const expected = await durations(context, remote);
      const targets = open.map(({ name, dependencies, platforms }) => ({
        name,
        dependencies,
        platforms,
        expected: expected.get(name) ?? null,
      }));
      return assignShards({ targets, shards: shard.count, jobs }).shardOf;
    },
    emit,
    clock: () => performance.now(),
    pause,
    process: id,
    stop,
  });
}

/** What targets are expected to take: by the sessions of this remote, else by what was built here. */
async function durations(
  { state, workspace, stop }: RunContext,
  { remote }: RunRemote,
): Promise<Map<string, number>> {
  const own = state.history.estimates();
  try {
    const text = await remote.notes.get(historyTag(workspace.platform), stop);
    return new Map([...own, ...expectedOf(readHistory(text))]);
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return own;
  }
}

/** Everything the others could not be given is theirs to wait for in vain: the shard did not do its part. */
export function ungiven(shard: ShardRun, left: readonly Problem[]): Problem[] {
  const names = shard.ungiven;
  if (names.length === 0) return [];
  const why = left[0]?.text ?? 'the remote did not take it';
  return [
    environmentProblem({
      code: 'shard-not-given',
      text: `${names.length === 1 ? names[0] : `${names.length} targets`} of this shard can not be had by the others: ${why}`,
      hint: 'Run the shard again when the remote is in order: what is built is kept.',
    }),
  ];
}

/** Leaves the run for `collect`. @returns what kept it from being left */
export async function leaveResult(
  { workspace, options: { remote, shard }, eventsFile }: RunContext,
  summary: RunSummary,
): Promise<Problem | null> {
  if (!remote || !shard) return null;
  const { ok, interrupted, stopped, seconds, counts, problems } = summary;
  const { index, count } = shard;
  const end = {
    shard: index,
    count,
    ok,
    interrupted,
    stopped,
    seconds,
    counts,
    tookOver: summary.shard?.tookOver ?? [],
  };
  const errors = problems.filter(({ level }) => level === 'error').map((problem) => problem.text);
  try {
    const text = writeResult({ ...end, problems: errors }, readFileSync(eventsFile, 'utf8'));
    const tag = tagsOf({ ...shard, platform: workspace.platform }).result(index);
    await withNotes(
      { remote, env: workspace.env, signal: new AbortController().signal },
      (notes, _, signal) => notes.put(tag, text, signal),
    );
    return null;
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return environmentProblem({
      code: 'result-not-left',
      level: 'warning',
      text: `What this shard did could not be left in the remote, so collect will miss it: ${error.problems[0]?.text ?? error.message}`,
    });
  }
}
