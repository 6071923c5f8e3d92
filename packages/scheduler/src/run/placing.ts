/**
 * What a real run knows for placement: the workers with what they have, what each target needs, and what goes nowhere.
 */
import { ProblemError } from '@stx-make/core/errors';
import type { GraphTarget } from '@stx-make/core/graph/model';
import { canonicalPlatform } from '@stx-make/core/graph/platforms';
import type { Output } from '@stx-make/core/oci/model';
import { homelessOf, homelessProblems } from '../plan/affinity.ts';
import type { Standing } from '../plan/evaluate.ts';
import { surelyBuilt } from '../plan/plan.ts';
import { Holdings } from '../state/holdings.ts';
import type { RunContext } from './context.ts';
import type { Crew } from './driver.ts';
import { needsOf } from './needs.ts';
import type { Needs } from './placement.ts';
import type { RunPorts } from './ports.ts';
import type { RosterWorker } from './roster.ts';

export class Placing {
  readonly workers: readonly RosterWorker[];
  readonly needsOf: (target: GraphTarget, outputs: ReadonlyMap<string, Output>) => Needs;
  readonly #holdings: Holdings;

  constructor({ workspace, options, state }: RunContext, crew: Pick<Crew, 'workers'>) {
    this.#holdings = new Holdings(state.database, Date.now);
    this.workers = crew.workers.map(({ id, jobs, platforms, memory }) => ({
      id,
      jobs,
      memory,
      platforms: platforms.map(canonicalPlatform),
      has: this.#holdings.of(id),
    }));
    const estimates = state.history.estimates();
    this.needsOf = (target, outputs) =>
      needsOf(target, outputs, {
        // As the tree was last read.
        targets: workspace.tree.graph.targets,
        memory: options.limits.memory,
        expected: (name) => estimates.get(name),
      });
  }

  /**
   * The same ports; what each build took on its worker is noted. Not what it gave: a dependent on the very worker that
   * built 150 MB took as long as on a fresh one (7.3 s), the second one there 1.7 s (measured): layers that were rewritten
   * for export are not those BuildKit has.
   */
  watched(ports: RunPorts): RunPorts {
    return {
      ...ports,
      record: (attempt, output, duration) => {
        const taken = [...attempt.outputs.values()];
        const manifests = taken.flatMap(({ images }) => images.map(({ manifest }) => manifest.digest));
        this.#holdings.note(attempt.worker, manifests);
        return ports.record(attempt, output, duration);
      },
    };
  }

  close(): void {
    this.#holdings.flush();
  }
}

/**
 * Refuses a run in which something would be built that no worker can build. With --keep-going the rest is worth building;
 * with a remote somebody else may have it or build it: then it is said, no more.
 * @throws ProblemError `no-worker-for-platform`
 */
export function refuseHomeless(
  { workspace, options, state, emit }: RunContext,
  order: readonly GraphTarget[],
  standings: ReadonlyMap<string, Standing>,
  { workers }: Pick<Crew, 'workers'>,
): void {
  const { targets } = workspace.tree.graph;
  const sure = surelyBuilt(order, standings, state.records.current(workspace.treeKey));
  const problems = homelessProblems(homelessOf(sure, targets, workers), workers);
  if (problems.length === 0) return;
  if (!options.keepGoing && options.remote == null && options.shard == null) throw new ProblemError(problems);
  for (const problem of problems) emit({ type: 'warning', problem: { ...problem, level: 'warning' } });
}
