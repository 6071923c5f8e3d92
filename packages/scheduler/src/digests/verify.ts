/**
 * `verify`: the layouts under out/ against the committed digests, blob by blob.
 *
 * Every byte is read, whatever is remembered of it, and the state folder is not even opened: what is compared is what
 * others would take from out/. Changes nothing.
 */
import { join } from 'node:path';
import { type Problem, ProblemError } from '@stx-make/core/errors';
import type { Digest } from '@stx-make/core/oci/model';
import { byCodeUnit } from '@stx-make/core/order';
import type { Session } from '../api.ts';
import { readCommitted } from './committed.ts';
import { checkImage, readLayoutTop } from './layout.ts';

export type VerifyResult =
  /** Whole, and the committed digest. */
  | 'equal'
  /** Whole, and another digest than the committed one. */
  | 'other'
  /** Whole, and no digest of it is committed. */
  | 'uncommitted'
  /** Committed, and not under out/. */
  | 'missing'
  /** A blob of it is damaged or missing, or its documents do not fit together. */
  | 'damaged';

export interface VerifiedTarget {
  readonly name: string;
  readonly result: VerifyResult;
  readonly digest: Digest | null;
  readonly committed: Digest | null;
  /** For people; empty where it is equal. */
  readonly text: string;
}

export interface VerifyReport {
  /** Sorted by code unit; targets that are neither committed nor here are left out unless named. */
  readonly targets: readonly VerifiedTarget[];
  /** Of damaged ones. */
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

export interface VerifyRequest {
  /** Empty means all. */
  readonly selection: readonly string[];
  readonly signal: AbortSignal;
  /** Told as each target is done. */
  readonly onTarget?: ((target: VerifiedTarget) => void) | undefined;
}

/** @throws ProblemError: files in digests/ that can not be read; the signal's reason */
export async function verifyLayouts(session: Session, request: VerifyRequest): Promise<VerifyReport> {
  const committed = readCommitted(session.root);
  const { targets: known } = session.tree.graph;
  const named = new Set(request.selection);
  const scope = [...(named.size === 0 ? known.keys() : named)].sort(byCodeUnit);
  const targets: VerifiedTarget[] = [];
  const problems: Problem[] = [];
  for (const name of scope) {
    request.signal.throwIfAborted();
    const wanted = committed.lines.get(name)?.digest ?? null;
    const verified = await verifyOne(join(session.out, name), name, wanted, problems);
    if (verified === null && !named.has(name)) continue;
    const entry = verified ?? absent(name);
    targets.push(entry);
    request.onTarget?.(entry);
  }
  return { targets, problems, warnings: committed.warnings };
}

function absent(name: string): VerifiedTarget {
  const text = 'it is not under out/, and no digest of it is committed';
  return { name, result: 'missing', digest: null, committed: null, text };
}

/** Null where there is nothing to compare. */
async function verifyOne(
  folder: string,
  name: string,
  committed: Digest | null,
  problems: Problem[],
): Promise<VerifiedTarget | null> {
  try {
    const top = readLayoutTop(folder);
    if (top === null) {
      const text = 'it is not under out/';
      return committed === null ? null : { name, result: 'missing', digest: null, committed, text };
    }
    const digest = top.manifests[0]?.digest ?? null;
    for (const manifest of top.manifests) await checkImage(folder, manifest);
    if (digest === committed) return { name, result: 'equal', digest, committed, text: '' };
    if (committed === null) {
      return { name, result: 'uncommitted', digest, committed, text: 'no digest of it is committed' };
    }
    return { name, result: 'other', digest, committed, text: `committed is ${committed}, here is ${digest}` };
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    if (error.problems.some(({ tag }) => tag !== 'integrity')) throw error;
    problems.push(...error.problems);
    const text = error.problems.map((problem) => problem.text).join('; ');
    return { name, result: 'damaged', digest: null, committed, text };
  }
}
