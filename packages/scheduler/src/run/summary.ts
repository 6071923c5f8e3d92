/**
 * The end of a run: its counts, every target's result, and failures as problems (their tag gives the exit code).
 */
import {
  buildProblem,
  environmentProblem,
  inputProblem,
  integrityProblem,
  type Problem,
} from '@stx-make/core/errors';
import type { Failure } from '@stx-make/core/events';
import { byCodeUnit } from '@stx-make/core/order';
import type { RunFinding, RunShard, RunSummary } from '../api.ts';
import type { RunContext } from './context.ts';
import type { ConductedTarget } from './ports.ts';

/** What a summary wants to know of a target. */
export type EndedTarget = Omit<ConductedTarget, 'settled'> & {
  readonly settled: Pick<NonNullable<ConductedTarget['settled']>, 'manifest' | 'origin' | 'from'> | null;
};

/** Of a shard: what counts for it. What failed on another one is that one's failure. */
export interface ShardPart {
  isOwn(target: string): boolean;
  part(): RunShard;
}

function leveled(problem: Problem, isOurs: boolean): Problem {
  return isOurs ? problem : { ...problem, level: 'warning' };
}

/** The summary and its event; the history row where something was built. */
export function summarise(
  context: RunContext,
  order: readonly { readonly name: string; readonly dependencies: readonly string[] }[],
  results: ReadonlyMap<string, EndedTarget>,
  more: readonly Problem[],
  shard: ShardPart | null = null,
): RunSummary {
  const counts = { targets: order.length, hit: 0, built: 0, unchanged: 0, failed: 0, skipped: 0 };
  const problems = [...more];
  const findings: RunFinding[] = [];
  /** Not done though it was ours to do. */
  let undone = 0;
  const targets = order
    .map(({ name }) => name)
    .sort(byCodeUnit)
    .map((name) => {
      const end = results.get(name);
      if (end === undefined) throw new Error(`${name} has no result`);
      counts[end.result] += 1;
      const isOurs = shard === null || shard.isOwn(name);
      if (end.failure !== null) problems.push(leveled(problemOf(name, end.failure), isOurs));
      if (isOurs && (end.result === 'failed' || end.result === 'skipped')) undone += 1;
      if (end.finding !== undefined) {
        const { text, before, now } = end.finding;
        findings.push({ target: name, text, before, now });
        if (context.options.strict) problems.push(notReproducible(name, text));
      }
      return {
        name,
        result: end.result,
        digest: end.settled?.manifest ?? null,
        origin: end.settled?.origin ?? null,
        from: end.settled?.from,
        seconds: end.duration / 1_000,
        reasons: end.reasons,
      };
    });
  const interrupted = context.stop.aborted && counts.skipped > 0;
  const stopped =
    !interrupted && context.timeUp?.aborted === true && isUnfinished(order, results) ? 'time' : null;
  const ok = undone === 0 && !problems.some(({ level }) => level === 'error');
  const duration = performance.now() - context.began;
  const summary: RunSummary = {
    run: context.id,
    ok,
    interrupted,
    stopped,
    seconds: duration / 1_000,
    counts,
    targets,
    findings,
    ...(shard === null ? {} : { shard: shard.part() }),
    problems,
  };
  // Where nothing was begun there is no row, and nothing is written.
  const kept = JSON.stringify({ counts, interrupted, stopped });
  context.state.history.finish(context.id, Date.now(), ok, kept);
  context.emit({ type: 'run-finished', ok, duration, counts, interrupted, stopped });
  return summary;
}

/** Something was left that no failure was in the way of. `order` is topological. */
function isUnfinished(
  order: Parameters<typeof summarise>[1],
  results: Parameters<typeof summarise>[2],
): boolean {
  const behind = new Set<string>();
  for (const { name, dependencies } of order) {
    const result = results.get(name)?.result;
    if (result === 'failed' || dependencies.some((needed) => behind.has(needed))) behind.add(name);
    else if (result === 'skipped') return true;
  }
  return false;
}

/** Under --strict a build that is not reproducible is a build that says no. */
function notReproducible(target: string, text: string): Problem {
  return buildProblem({
    code: 'not-reproducible',
    text: `${target} is not reproducible: ${text}`,
    hint: 'Both outputs are kept; without --strict the run goes on with the new one.',
  });
}

/** A failed target as a problem: its kind gives the tag, and so the exit code. */
function problemOf(target: string, failure: Failure): Problem {
  const make = {
    build: buildProblem,
    infrastructure: environmentProblem,
    integrity: integrityProblem,
    input: inputProblem,
  }[failure.kind];
  const step = failure.step === null ? '' : ` at ${failure.step}`;
  return make({
    code: 'target-failed',
    text: `${target} failed${step}: ${failure.cause}`,
    file: failure.file ?? undefined,
    line: failure.line ?? undefined,
    hint: failure.hint ?? (failure.logFile === null ? undefined : `The whole log: ${failure.logFile}`),
  });
}
