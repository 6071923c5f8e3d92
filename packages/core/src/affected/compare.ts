/**
 * Two states of a tree against each other: which targets have other inputs of their own, and what hangs on them.
 *
 * Pure: facts come in, as fingerprints are made of, names go out. Unaware of git and of where the facts are from.
 */
import type { Reason } from '../events.ts';
import { compareFacts, explainChange } from '../fingerprint/difference.ts';
import type { Fact } from '../fingerprint/encode.ts';
import { withDependents } from '../graph/closure.ts';
import type { TargetGraph } from '../graph/model.ts';
import { byCodeUnit } from '../order.ts';

/** A target's own inputs: what does not come from what it needs. */
export type OwnFacts = ReadonlyMap<string, readonly Fact[]>;

export interface Comparison {
  /** Targets the later state has and the earlier has not. All lists are sorted. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Own inputs differ; the added ones are among them. */
  readonly changed: readonly string[];
  /** The changed ones and everything of the later state that needs them, directly or through others. */
  readonly affected: readonly string[];
  /** Why each changed one is; keys sorted. */
  readonly reasons: ReadonlyMap<string, readonly Reason[]>;
}

/** @param graph of the later state */
export function compareStates(before: OwnFacts, after: OwnFacts, graph: TargetGraph): Comparison {
  const reasons = new Map<string, readonly Reason[]>();
  const added: string[] = [];
  for (const name of [...after.keys()].sort(byCodeUnit)) {
    const old = before.get(name);
    if (old === undefined) {
      added.push(name);
      reasons.set(name, [{ code: 'target-added', text: 'the target is new' }]);
      continue;
    }
    const changes = compareFacts(old, after.get(name) ?? []);
    if (changes.length > 0) reasons.set(name, changes.map(explainChange));
  }
  const changed = [...reasons.keys()];
  return {
    added,
    removed: [...before.keys()].filter((name) => !after.has(name)).sort(byCodeUnit),
    changed,
    affected: withDependents(graph, changed),
    reasons,
  };
}
