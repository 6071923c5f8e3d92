/**
 * Gathers what the shards of a session left in the remote: their ends, their events as one run, what was built twice;
 * and keeps how long targets took for the next session.
 *
 * Judges; unaware of how that is shown.
 */
import {
  buildProblem,
  environmentProblem,
  integrityProblem,
  type Problem,
  ProblemError,
} from '@stx-make/core/errors';
import type { RemoteNotes } from '../remote/model.ts';
import { type MergedRun, mergeRuns } from './merge.ts';
import { addToHistory, readHistory, readResult, type ShardResult, writeHistory } from './result.ts';
import { type SessionKey, tagsOf } from './session.ts';

/** A shard in a collection; `result` null: it left none. */
export interface CollectedShard {
  readonly shard: number;
  readonly result: Omit<ShardResult, 'events'> | null;
}

export interface Collected {
  readonly ok: boolean;
  /** `time`: nothing failed, but the shards' time was up before everything was done. */
  readonly stopped: 'time' | null;
  readonly shards: readonly CollectedShard[];
  readonly run: MergedRun;
  /** Built by more than one shard, sorted by code unit. */
  readonly twice: readonly string[];
  readonly problems: readonly Problem[];
}

export interface CollectRequest {
  readonly notes: RemoteNotes;
  /** As people know it. */
  readonly remote: string;
  readonly key: SessionKey;
  /** Whether the remote may be written: then durations are kept there. */
  readonly mayWrite: boolean;
  readonly signal: AbortSignal;
}

/** @throws ProblemError where the remote can not be read, or no shard left anything; the signal's reason */
export async function collect(request: CollectRequest): Promise<Collected> {
  const { notes, key, signal } = request;
  const tags = tagsOf(key);
  const results: ShardResult[] = [];
  const shards: CollectedShard[] = [];
  for (let shard = 1; shard <= key.count; shard += 1) {
    const text = await notes.get(tags.result(shard), signal);
    const result = text === null ? null : readResult(text, shard);
    if (result !== null) results.push(result);
    shards.push({ shard, result: result === null ? null : withoutEvents(result) });
  }
  if (results.length === 0) throw nothingThere(request);
  const run = mergeRuns(results, key.session, key.count);
  const left = leftByTime(results, run);
  const problems = [
    ...missing(shards, run),
    ...(left === null ? [] : [left]),
    ...ends(run, left !== null),
    ...shardProblems(shards),
  ];
  const told = await keepDurations(request, run);
  if (told !== null) problems.push(told);
  return {
    ok: left === null && !problems.some(({ level }) => level === 'error'),
    stopped: left === null ? null : 'time',
    shards,
    run,
    twice: run.targets.filter(({ builtBy }) => builtBy.length > 1).map(({ name }) => name),
    problems,
  };
}

/** The note of durations, one a platform: all sessions of a remote share it. */
export function historyTag(platform: string): string {
  return `history-${platform.replaceAll(/[^A-Za-z0-9._-]/g, '-')}`;
}

function withoutEvents({ events: _, ...result }: ShardResult): Omit<ShardResult, 'events'> {
  return result;
}

/** A shard that left nothing was killed or never came. What was its own may all the same be done, by others. */
function missing(shards: readonly CollectedShard[], run: MergedRun): Problem[] {
  const isDone = run.counts.failed + run.counts.skipped === 0;
  return shards.flatMap(({ shard, result }) =>
    result !== null
      ? []
      : [
          environmentProblem({
            code: 'shard-missing',
            level: isDone ? 'warning' : 'error',
            text: `Shard ${shard} left no result: it was killed, or never ran.`,
            hint: isDone
              ? 'The others did its work.'
              : 'Look at its job, then start the session again: what is done is found.',
          }),
        ],
  );
}

/** What is left for the next session, where nothing but the clock was in the way. */
function leftByTime(results: readonly ShardResult[], { counts }: MergedRun): Problem | null {
  const stopped = results.filter((result) => result.stopped === 'time').map(({ shard }) => shard);
  if (stopped.length === 0 || counts.failed > 0 || counts.skipped === 0) return null;
  return environmentProblem({
    code: 'time-up',
    level: 'warning',
    text: `${counts.skipped === 1 ? '1 target is' : `${counts.skipped} targets are`} left: the time of ${stopped.length === 1 ? 'shard' : 'shards'} ${stopped.join(', ')} was up.`,
    hint: 'Nothing is lost: the next session goes on with them.',
  });
}

function ends(run: MergedRun, isTimeUp: boolean): Problem[] {
  return run.targets.flatMap(({ name, result, shard, differs, builtBy }) => {
    const found: Problem[] = [];
    if (result === 'failed') {
      found.push(
        buildProblem({
          code: 'target-failed',
          text: `${name} failed on shard ${shard}.`,
          hint: 'Its log is with that job.',
        }),
      );
    }
    if (result === 'skipped' && !isTimeUp) {
      found.push(buildProblem({ code: 'target-skipped', text: `${name} was not built by any shard.` }));
    }
    if (differs) {
      found.push(
        integrityProblem({
          code: 'shards-differ',
          text: `${name} was built by shards ${builtBy.join(' and ')} and came out differently.`,
          hint: 'It is not reproducible, or one of the machines is not in order: compare the two outputs.',
        }),
      );
    }
    return found;
  });
}

/** What a shard could not do though its targets are all there, e.g. give them to the others. */
function shardProblems(shards: readonly CollectedShard[]): Problem[] {
  return shards.flatMap(({ shard, result }) =>
    result === null || result.ok || result.counts.failed + result.counts.skipped > 0
      ? []
      : [
          environmentProblem({
            code: 'shard-failed',
            text: `Shard ${shard} did not do all that was its own: ${result.problems.join('; ') || 'it does not say why'}.`,
          }),
        ],
  );
}

async function keepDurations(
  { notes, key, mayWrite, signal }: CollectRequest,
  run: MergedRun,
): Promise<Problem | null> {
  const built = run.targets.filter(({ result }) => result === 'built' || result === 'unchanged');
  if (!mayWrite || built.length === 0) return null;
  const tag = historyTag(key.platform);
  try {
    const history = readHistory(await notes.get(tag, signal));
    await notes.put(tag, writeHistory(addToHistory(history, built)), signal);
    return null;
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    const [first] = error.problems;
    return environmentProblem({
      code: 'history-not-kept',
      level: 'warning',
      text: `How long targets took could not be kept for the next session: ${first?.text ?? error.message}`,
    });
  }
}

function nothingThere({ remote, key }: CollectRequest): ProblemError {
  return new ProblemError(
    environmentProblem({
      code: 'no-shards',
      text: `No shard of session ${JSON.stringify(key.session)} with ${key.count} shards for ${key.platform} left a result in ${remote}.`,
      hint: 'Give collect the same --session, --shards, --platform and --remote as the shards.',
    }),
  );
}
