/**
 * What is to come in a run: the plan as an event, and which target is the most urgent.
 */
import type { GraphTarget } from '@stx-make/core/graph/model';
import type { Standing } from '../plan/evaluate.ts';
import { planOf } from '../plan/plan.ts';
import { expectedDurations, remainingPaths } from '../plan/priority.ts';
import type { State } from '../state/state.ts';
import type { Emit } from './ports.ts';

/** Tells views what is to come. */
export function emitPlan(
  emit: Emit,
  order: readonly GraphTarget[],
  standings: ReadonlyMap<string, Standing>,
  state: State,
): void {
  const { targets } = planOf(order, standings, state.history.estimates());
  emit({
    type: 'plan',
    targets: targets.map(({ name, stage, action, reasons, dependencies, expected }) => ({
      name,
      stage,
      action,
      reasons,
      dependencies,
      expected,
    })),
  });
}

/** Expected time to the end of the last target that needs each one: more is more urgent. */
export function priorities(order: readonly GraphTarget[], state: State): Map<string, number> {
  const names = order.map((target) => target.name);
  const expected = expectedDurations(names, state.history.estimates());
  const dependents = new Map<string, string[]>();
  for (const target of order) {
    for (const dependency of target.dependencies) {
      const list = dependents.get(dependency);
      if (list === undefined) dependents.set(dependency, [target.name]);
      else list.push(target.name);
    }
  }
  return remainingPaths(
    names,
    (name) => dependents.get(name) ?? [],
    (name) => expected.get(name) ?? 0,
  );
}
