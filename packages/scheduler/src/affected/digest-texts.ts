/**
 * Committed digests at both ends, and what changed between them. A line that can not be read is a warning: it
 * must not keep anybody from knowing what rebuilds.
 */
import { parseDigests } from '@stx-make/core/digests/file';
import type { Problem } from '@stx-make/core/errors';
import type { Digest } from '@stx-make/core/oci/model';
import { sortedUnique } from '@stx-make/core/order';

export interface CommittedDigests {
  readonly byTarget: ReadonlyMap<string, Digest>;
  readonly warnings: readonly Problem[];
}

/** @param texts by file name, e.g. `core.txt` */
export function digestsOfTexts(texts: ReadonlyMap<string, string>): CommittedDigests {
  const byTarget = new Map<string, Digest>();
  const warnings: Problem[] = [];
  for (const [name, text] of texts) {
    const file = parseDigests(text, name.replace(/\.txt$/, ''), `digests/${name}`);
    for (const problem of file.problems) {
      if (problem.level === 'error') warnings.push({ ...problem, level: 'warning' });
    }
    for (const { target, digest } of file.lines.values()) byTarget.set(target, digest);
  }
  return { byTarget, warnings };
}

export interface ChangedDigest {
  readonly target: string;
  readonly before: Digest | null;
  readonly after: Digest | null;
}

/** Sorted by target. */
export function changedDigests(before: CommittedDigests, after: CommittedDigests): ChangedDigest[] {
  return sortedUnique([...before.byTarget.keys(), ...after.byTarget.keys()]).flatMap((target) => {
    const old = before.byTarget.get(target) ?? null;
    const now = after.byTarget.get(target) ?? null;
    return old === now ? [] : [{ target, before: old, after: now }];
  });
}
