/**
 * Finishes a run in which every target is answered by a record: outputs that are not shown yet are, nothing else.
 */
import type { GraphTarget } from '@stx-make/core/graph/model';
import { hexOf } from '@stx-make/core/oci/digest';
import type { Standing } from '../plan/evaluate.ts';
import type { Current } from '../state/records.ts';
import {
  blobsOf,
  isOutputKnownGood,
  isPublished,
  outputSize,
  type Pool,
  publishOutput,
} from '../store/index.ts';
import type { RunContext } from './context.ts';
import { settledOf } from './origin.ts';
import type { ConductedTarget } from './ports.ts';
import { keepSettled } from './settled.ts';

/** @throws ProblemError when an output can not be published */
export function finishHits(
  context: RunContext,
  pool: Pool,
  order: readonly GraphTarget[],
  standings: ReadonlyMap<string, Standing>,
): Map<string, ConductedTarget> {
  const { workspace, options, state, emit } = context;
  const before = state.records.current(workspace.treeKey);
  const changed: Current[] = [];
  const results = new Map<string, ConductedTarget>();
  for (const { name, tag } of order) {
    const standing = standings.get(name);
    if (standing?.state !== 'hit') throw new Error(`${name} is no hit`);
    const settled = settledOf(standing.record);
    const { output, manifest, origin, from } = settled;
    // With --via-registry its layers may be elsewhere.
    const isHere = options.remote?.viaRegistry !== true || isOutputKnownGood(pool, output);
    if (isHere && !isPublished(pool, output, workspace.out, { name, tag })) {
      publishOutput(pool, output, workspace.out, { name, tag });
    }
    const fingerprint = standing.record.fingerprint;
    const known = before.get(name);
    if (known?.fingerprint !== fingerprint || known.manifest !== manifest) {
      changed.push({ target: name, fingerprint, manifest });
    }
    results.set(name, {
      result: 'hit',
      settled,
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
      from,
      duration: 0,
      size: outputSize(output),
      reasons: [],
    });
  }
  state.records.setCurrent(workspace.treeKey, changed);
  return results;
}

/** Keeps the answer, for the next run to find that nothing changed since. */
export function settleHits(
  context: RunContext,
  pool: Pool,
  order: readonly GraphTarget[],
  standings: ReadonlyMap<string, Standing>,
): void {
  const expected = context.state.history.estimates();
  const hits = order.flatMap((target) => {
    const standing = standings.get(target.name);
    return standing?.state === 'hit' ? [{ target, record: standing.record }] : [];
  });
  const answer = {
    targets: hits.map(({ target: { name, stage, dependencies }, record }) => ({
      name,
      stage,
      dependencies,
      expected: expected.get(name) ?? null,
      manifest: record.manifest,
      origin: record.origin,
      from: settledOf(record).from,
      size: outputSize(record.output),
    })),
    blobs: [...new Set(hits.flatMap(({ record }) => blobsOf(record.output).map(hexOf)))],
  };
  const verify = (): boolean =>
    hits.every(
      ({ target, record: { output } }) =>
        isOutputKnownGood(pool, output) && isPublished(pool, output, context.workspace.out, target),
    );
  keepSettled(context, answer, verify, Date.now());
}
