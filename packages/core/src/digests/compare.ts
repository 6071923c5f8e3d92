/**
 * Committed digests against outputs. Pure: what is here and what is committed come in, differences go out.
 */
import type { Digest } from '../oci/model.ts';
import { byCodeUnit } from '../order.ts';

export type DigestDifference =
  /** Committed, but there is no output here to compare. */
  | { readonly kind: 'missing'; readonly target: string; readonly committed: Digest }
  /** An output is here, and no digest of it is committed. */
  | { readonly kind: 'additional'; readonly target: string; readonly local: Digest }
  /** Both, and they differ. */
  | { readonly kind: 'other'; readonly target: string; readonly committed: Digest; readonly local: Digest }
  /** Committed for a target that the tree does not have (any more). */
  | { readonly kind: 'unknown'; readonly target: string; readonly committed: Digest };

export interface DigestComparison {
  /** Targets whose digests are equal, sorted. */
  readonly equal: readonly string[];
  /** Sorted by target. */
  readonly differences: readonly DigestDifference[];
}

/**
 * Compares within a scope.
 * @param committed by target, of all stages that are looked at
 * @param local manifest digests of the outputs that are here, by target
 * @param scope what was selected: targets outside it do not count
 * @param known all targets of the tree; committed ones that are not among them are `unknown`, whatever the scope
 */
export function compareDigests(
  committed: ReadonlyMap<string, Digest>,
  local: ReadonlyMap<string, Digest>,
  scope: Iterable<string>,
  known: ReadonlySet<string>,
): DigestComparison {
  const equal: string[] = [];
  const differences: DigestDifference[] = [];
  for (const target of new Set(scope)) {
    const theirs = committed.get(target);
    const ours = local.get(target);
    if (theirs === undefined && ours !== undefined)
      differences.push({ kind: 'additional', target, local: ours });
    else if (theirs !== undefined && ours === undefined) {
      differences.push({ kind: 'missing', target, committed: theirs });
    } else if (theirs !== undefined && ours !== undefined) {
      if (theirs === ours) equal.push(target);
      else differences.push({ kind: 'other', target, committed: theirs, local: ours });
    }
  }
  for (const [target, digest] of committed) {
    if (!known.has(target)) differences.push({ kind: 'unknown', target, committed: digest });
  }
  return {
    equal: equal.sort(byCodeUnit),
    differences: differences.sort((a, b) => byCodeUnit(a.target, b.target)),
  };
}
