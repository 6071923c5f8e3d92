/**
 * Finishes a run in which every target is answered by a record: outputs that are not shown yet are, nothing else.
 */
import type { GraphTarget } from '@stx-make/core/graph/model';
import type { Standing } from '../plan/evaluate.ts';
import type { Current } from '../state/records.ts';
import { isPublished, outputSize, type Pool, publishOutput } from '../store/index.ts';
import type { RunContext } from './context.ts';
import type { ConductedTarget } from './ports.ts';

/** @throws ProblemError when an output can not be published */
export function finishHits(
  context: RunContext,
  pool: Pool,
  order: readonly GraphTarget[],
  standings: ReadonlyMap<string, Standing>,
): Map<string, ConductedTarget> {
  const { workspace, state, emit } = context;
  const before = state.records.current(workspace.treeKey);
  const changed: Current[] = [];
  const results = new Map<string, ConductedTarget>();
  for (const { name, tag } of order) {
    const standing = standings.get(name);
    if (standing?.state !== 'hit') throw new Error(`${name} is no hit`);
    const { output, manifest, origin } = standing.record;
    if (!isPublished(pool, output, workspace.out, { name, tag })) {
      publishOutput(pool, output, workspace.out, { name, tag });
    }
    const fingerprint = standing.record.fingerprint;
    const known = before.get(name);
    if (known?.fingerprint !== fingerprint || known.manifest !== manifest) {
      changed.push({ target: name, fingerprint, manifest });
    }
    results.set(name, {
      result: 'hit',
      settled: { output, manifest, origin },
      failure: null,
      duration: 0,
      reasons: [],
    });
    emit({
      type: 'target-finished',
      target: name,
      result: 'hit',
      digest: manifest,
      origin,
      duration: 0,
      size: outputSize(output),
      reasons: [],
    });
  }
  state.records.setCurrent(workspace.treeKey, changed);
  return results;
}
