/**
 * What a tree has of each target now: the output of the recipe as it is, or an older one, or none.
 *
 * Asks the same judge as plans and runs do (plan/evaluate.ts), for every engine whose records can be here: an output
 * counts by what it is, whichever daemon would be used next. Contacts no daemon, changes nothing.
 */
import type { Reason } from '@stx-make/core/events';
import { decodeFacts } from '@stx-make/core/fingerprint/encode';
import type { GraphTarget } from '@stx-make/core/graph/model';
import type { Output } from '@stx-make/core/oci/model';
import { type EvaluateContext, judge, type Standing } from '../plan/evaluate.ts';
import type { BuildRecord, Current } from '../state/records.ts';
import type { State } from '../state/state.ts';
import { isOutputKnownGood, missingBlobs, type Pool } from '../store/index.ts';
import type { Workspace } from '../workspace.ts';

export type LocalStanding =
  /** The output of the recipe and of what it needs as they are now. */
  | { readonly state: 'current'; readonly record: BuildRecord }
  /** Its own inputs changed, or its output is lost, or it was never built. `before`: what the tree had last. */
  | { readonly state: 'stale'; readonly before: string | null; readonly reasons: readonly Reason[] }
  /** Something it needs is not current: nobody knows whether its own output still is. */
  | { readonly state: 'waiting'; readonly before: string | null; readonly on: readonly string[] };

/** @param order topological, all dependencies in it */
export async function localOutputs(
  workspace: Workspace,
  state: State,
  pool: Pool,
  order: readonly GraphTarget[],
): Promise<Map<string, LocalStanding>> {
  const current = state.records.current(workspace.treeKey);
  const contexts = enginesOf(state, current).map(
    (engine): EvaluateContext => ({
      filesOf: (recipe) => workspace.filesOf(recipe),
      records: state.records,
      current,
      engine,
      isComplete: (output) => isOutputKnownGood(pool, output),
      forced: new Set(),
    }),
  );
  const doubtful = new Set<Output>();
  const watched = contexts.map((context) => ({
    ...context,
    isComplete: (output: Output) => {
      const complete = context.isComplete(output);
      if (!complete) doubtful.add(output);
      return complete;
    },
  }));
  const standings = judgeAll(order, watched, current);
  // Blobs that were touched are read once before their outputs are given up.
  let mended = false;
  for (const output of doubtful) {
    if ((await missingBlobs(pool, output)).length === 0) mended = true;
  }
  return mended ? judgeAll(order, contexts, current) : standings;
}

/** The engine parts of fingerprints that records of this tree can have; null: only records of any engine. */
function enginesOf(state: State, current: ReadonlyMap<string, Current>): (string | null)[] {
  const engines = new Set(state.engines().map(({ id }) => id));
  for (const { fingerprint } of current.values()) {
    const engine = engineOf(state, fingerprint);
    if (engine !== null) engines.add(engine);
  }
  return engines.size === 0 ? [null] : [...engines];
}

/** The engine a fingerprint was made with, as its facts say; null where they are not known any more. */
export function engineOf(state: State, fingerprint: string): string | null {
  const facts = decodeFacts(state.records.facts(fingerprint) ?? '');
  return facts?.find(([key]) => key === 'engine')?.[1] ?? null;
}

function judgeAll(
  order: readonly GraphTarget[],
  contexts: readonly EvaluateContext[],
  current: ReadonlyMap<string, Current>,
): Map<string, LocalStanding> {
  const standings = new Map<string, LocalStanding>();
  const outputOf = (dependency: string): Output => {
    const standing = standings.get(dependency);
    if (standing?.state !== 'current') throw new Error(`${dependency} was judged after what needs it`);
    return standing.record.output;
  };
  for (const target of order) {
    const before = current.get(target.name)?.manifest ?? null;
    const on = target.dependencies.filter((name) => standings.get(name)?.state !== 'current');
    standings.set(
      target.name,
      on.length > 0
        ? { state: 'waiting', before, on }
        : best(
            contexts.map((context) => judge(target, outputOf, context)),
            before,
          ),
    );
  }
  return standings;
}

/** Of several engines' answers: the record the tree has, else any, else the reasons with the fewest changes. */
function best(answers: readonly Standing[], before: string | null): LocalStanding {
  const records = answers.flatMap((answer) => (answer.state === 'hit' ? [answer.record] : []));
  const record = records.find(({ manifest }) => manifest === before) ?? records[0];
  if (record !== undefined) return { state: 'current', record };
  const reasons = answers
    .flatMap((answer) => (answer.state === 'build' ? [answer.reasons] : []))
    .sort((a, b) => a.length - b.length);
  return { state: 'stale', before, reasons: reasons[0] ?? [] };
}
