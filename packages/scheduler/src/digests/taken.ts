/**
 * What `adopt` and `preseed` are asked for and answer: data, and which answers are a no.
 */
import { buildProblem, type Problem } from '@stx-make/core/errors';
import type { Reason } from '@stx-make/core/events';
import type { Digest, Origin } from '@stx-make/core/oci/model';
import type { ImageOrigin } from './origins.ts';

export type TakeResult =
  /** Verified and recorded. */
  | 'taken'
  /** The origin does not have it. */
  | 'absent'
  /** The origin has another image than the committed one. */
  | 'other'
  /** No digest of it is committed, or its line is in no commit. */
  | 'uncommitted'
  /** The image is there, but nothing says which recipe it is of. */
  | 'unbound'
  /** Damaged, or not what it must be. */
  | 'refused';

export interface TakenTarget {
  readonly name: string;
  readonly result: TakeResult;
  readonly digest: Digest | null;
  /** The commit whose recipe it is of. */
  readonly commit: string | null;
  /** Of taken ones, what a world does with the recipe as it is now. */
  readonly action: 'hit' | 'build' | 'waiting' | null;
  readonly reasons: readonly Reason[];
  /** Bytes of all its blobs; null unless taken. */
  readonly size: number | null;
  /** For people; empty where all is well. */
  readonly text: string;
}

export interface TakeReport {
  /** No error, and nothing that was named or is wrong is left out. */
  readonly ok: boolean;
  /** Sorted by code unit. */
  readonly targets: readonly TakenTarget[];
  readonly problems: readonly Problem[];
}

export interface TakeRequest {
  /** Target names; empty means all. */
  readonly selection: readonly string[];
  readonly origin: ImageOrigin;
  /** What the records say. */
  readonly as: Exclude<Origin, 'built'>;
  /** Whether what the selection needs is taken, too. */
  readonly withDependencies: boolean;
  /** Whether an image that is not there is a failure also where it was not named. */
  readonly wantsAll: boolean;
  /** A commit that vouches for all its digests; null: each line's own. */
  readonly asOf: string | null;
  /** Images at a time. */
  readonly parallel: number;
  readonly wait: boolean;
  readonly command: string;
  readonly signal: AbortSignal;
  readonly onActivity: (text: string) => void;
  /** Told as each image is done; its `action` is not known yet. */
  readonly onTarget: (target: TakenTarget) => void;
}

/** A no for each result that is one. `wantsAll`: an image that is not there is one also where it was not named. */
export function failuresOf(
  targets: readonly TakenTarget[],
  named: ReadonlySet<string>,
  wantsAll: boolean,
): Problem[] {
  return targets.flatMap(({ name, result, text }) => {
    const code = failureCode(result, named.has(name), wantsAll);
    return code === null ? [] : [buildProblem({ code, text: `${name} was not taken: ${text}.` })];
  });
}

/** An image that differs is always a no; what is only missing, where it was named. */
function failureCode(result: TakeResult, named: boolean, wantsAll: boolean): string | null {
  switch (result) {
    case 'taken':
    case 'refused':
      return null;
    case 'other':
      return 'other-digest';
    case 'absent':
      return named || wantsAll ? 'no-image' : null;
    case 'uncommitted':
      return named ? 'no-committed-digest' : null;
    case 'unbound':
      return named ? 'unbound-digest' : null;
    default:
      return result satisfies never;
  }
}
