/** The StageX graph as jobs, and their urgency as stx-make itself sees it. */
import { expectedDurations, remainingPaths } from '../../packages/scheduler/src/plan/priority.ts';
import { stagexShape } from '../twins/generate.ts';
import { invert, type Jobs } from './simulate.ts';

/** 513 targets in topological order, 3,569 edges. */
export function stagexJobs(): Jobs {
  const needs = new Map<string, readonly string[]>(
    stagexShape().flatMap(({ stage, targets }) =>
      Object.entries(targets).map(([name, { deps }]) => [`${stage}-${name}`, deps] as const),
    ),
  );
  const order = new Set<string>();
  const add = (name: string): void => {
    if (order.has(name)) return;
    for (const needed of needs.get(name) ?? []) add(needed);
    order.add(name);
  };
  for (const name of needs.keys()) add(name);
  const names = [...order];
  const index = new Map(names.map((name, at) => [name, at]));
  return { names, needs: names.map((name) => (needs.get(name) ?? []).map((each) => index.get(each) ?? 0)) };
}

/** @param history what is known of durations; null: nothing was ever built */
export function urgencies({ names, needs }: Jobs, history: readonly number[] | null): number[] {
  const known = new Map(history === null ? [] : names.map((name, at) => [name, history[at] ?? 0]));
  const expected = expectedDurations(names, known);
  const dependents = invert(needs);
  const index = new Map(names.map((name, at) => [name, at]));
  const remaining = remainingPaths(
    names,
    (name) => (dependents[index.get(name) ?? 0] ?? []).map((at) => names[at] ?? ''),
    (name) => expected.get(name) ?? 0,
  );
  return names.map((name) => remaining.get(name) ?? 0);
}
