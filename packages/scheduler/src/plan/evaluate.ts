/**
 * Judges targets in topological order: answered by a record, to be built, or waiting for what a dependency
 * will give. The one place where "must this be built" is decided; plan, run, why and status all ask here.
 *
 * Unaware of workers, queues and how things are built.
 */
import type { Reason } from '@stx-make/core/events';
import { compareFacts, explainChange } from '@stx-make/core/fingerprint/difference';
import { decodeFacts } from '@stx-make/core/fingerprint/encode';
import type { GraphTarget } from '@stx-make/core/graph/model';
import type { Output } from '@stx-make/core/oci/model';
import type { BuildRecord, Current, Records } from '../state/records.ts';
import { ANY_ENGINE, type Fingerprint, fingerprintTarget, type RecipeFiles } from './inputs.ts';

/** What is known of a target before anything runs. */
export type Standing =
  | { readonly state: 'hit'; readonly fingerprint: Fingerprint; readonly record: BuildRecord }
  | { readonly state: 'build'; readonly fingerprint: Fingerprint; readonly reasons: readonly Reason[] }
  /** A dependency will be built first; whether this one must be depends on what it gives. */
  | { readonly state: 'waiting'; readonly reasons: readonly Reason[] };

export interface EvaluateContext {
  readonly filesOf: (recipe: string) => RecipeFiles;
  readonly records: Pick<Records, 'find' | 'facts'>;
  readonly current: ReadonlyMap<string, Current>;
  /** `Engine.id` of the workers of this run, or the one last seen; null where none was ever seen. */
  readonly engine: string | null;
  /** Whether all blobs of an output are in the pool. */
  readonly isComplete: (output: Output) => boolean;
  /** Whether the rest of a record's output is where workers take it from; left out: outputs are here or nowhere. */
  readonly isElsewhere?: ((record: BuildRecord) => boolean) | undefined;
  /** Targets to build whatever the records say (`--no-cache`). */
  readonly forced: ReadonlySet<string>;
}

/** The engine part of a fingerprint when no engine was ever seen: matches no record. */
const UNSEEN_ENGINE = 'unseen';

/** Judges one target whose dependencies all have an output. */
export function judge(
  target: GraphTarget,
  outputOf: (dependency: string) => Output,
  context: EvaluateContext,
): Standing {
  const files = context.filesOf(target.recipe.id);
  const fingerprint = fingerprintTarget(target, files, outputOf, context.engine ?? UNSEEN_ENGINE);
  if (context.forced.has(target.name)) {
    return {
      state: 'build',
      fingerprint,
      reasons: [{ code: 'forced', text: 'asked to build without cache' }],
    };
  }
  const had = context.current.get(target.name)?.manifest;
  const own = context.records.find(fingerprint.digest);
  // Mostly what the tree has is what this engine gave; then nothing more need be asked for.
  let record = own.find(({ manifest, output }) => manifest === had && context.isComplete(output)) ?? null;
  if (record !== null) return { state: 'hit', fingerprint, record };
  const any = fingerprintTarget(target, files, outputOf, ANY_ENGINE);
  const found = [...own, ...context.records.find(any.digest)];
  record = choose(found, context);
  if (record !== null) return { state: 'hit', fingerprint, record };
  const lost = found.length > 0;
  const reasons = lost
    ? [{ code: 'output-lost', text: 'its recorded output is no longer complete in the store' }]
    : explain(fingerprint, context.current.get(target.name), context.records);
  return { state: 'build', fingerprint, reasons };
}

/** The record to use: what the tree already has where it is among them, else the newest; only complete ones. */
function choose(found: readonly BuildRecord[], context: EvaluateContext): BuildRecord | null {
  const complete = found.filter(
    (record) => context.isComplete(record.output) || context.isElsewhere?.(record) === true,
  );
  const had = complete.find((record) => context.current.get(record.target)?.manifest === record.manifest);
  return had ?? complete[0] ?? null;
}

/** Why a fingerprint has no record, told from the facts of what the tree had before. */
function explain(
  fingerprint: Fingerprint,
  before: Current | undefined,
  records: EvaluateContext['records'],
): Reason[] {
  if (before === undefined) return [{ code: 'never-built', text: 'never built in this tree' }];
  const old = decodeFacts(records.facts(before.fingerprint) ?? '');
  const now = decodeFacts(fingerprint.text);
  if (old === null || now === null) {
    return [{ code: 'facts-unknown', text: 'what it was built from before is not known any more' }];
  }
  const changes = compareFacts(old, now).map(explainChange);
  return changes.length > 0 ? changes : [{ code: 'record-lost', text: 'its record was removed' }];
}

/** Judges all of `order` (topological); a target behind one that is not a hit waits. */
export function evaluate(order: readonly GraphTarget[], context: EvaluateContext): Map<string, Standing> {
  const standings = new Map<string, Standing>();
  const outputOf = (dependency: string): Output => {
    const standing = standings.get(dependency);
    if (standing?.state !== 'hit') throw new Error(`${dependency} was judged after what needs it`);
    return standing.record.output;
  };
  for (const target of order) {
    const open = target.dependencies.filter((dependency) => standings.get(dependency)?.state !== 'hit');
    standings.set(
      target.name,
      open.length === 0
        ? judge(target, outputOf, context)
        : { state: 'waiting', reasons: open.map((name) => ({ code: 'waits', text: `waits for ${name}` })) },
    );
  }
  return standings;
}
