/**
 * What a target's build needs of the worker it is given to, from the graph, its dependencies' outputs and history.
 */
import type { GraphTarget } from '@stx-make/core/graph/model';
import { canonicalPlatform, platformsOf } from '@stx-make/core/graph/platforms';
import type { Output } from '@stx-make/core/oci/model';
import type { Needs } from './placement.ts';

/** What of a run decides besides the target. */
export interface NeedsContext {
  readonly targets: ReadonlyMap<string, GraphTarget>;
  /** `--limit-memory`: what each build is allowed. */
  readonly memory: number | undefined;
  /** ms, of a target; undefined where it was never built. */
  readonly expected: (target: string) => number | undefined;
}

export function needsOf(
  target: GraphTarget,
  outputs: ReadonlyMap<string, Output>,
  { targets, memory, expected }: NeedsContext,
): Needs {
  const { must, may } = platformsOf(target, targets);
  const duration = expected(target.name);
  const takes = new Map<string, number>();
  for (const output of outputs.values()) {
    for (const { manifest, layers } of output.images) {
      takes.set(
        manifest.digest,
        layers.reduce((sum, { size }) => sum + size, 0),
      );
    }
  }
  return {
    platforms: must,
    likes: may,
    takes,
    ...(memory === undefined ? {} : { memory }),
    ...(duration === undefined ? {} : { expected: duration }),
  };
}

/** Where nothing but the target is known: its own platforms. */
export function bareNeedsOf({ platforms }: GraphTarget): Needs {
  return { platforms: platforms.map(canonicalPlatform) };
}
