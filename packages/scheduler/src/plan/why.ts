/**
 * Why a target would be built, or was: the answer of the one who decides (evaluate.ts), followed down to its causes;
 * for past runs the facts that were hashed then.
 *
 * Contacts no daemon, changes nothing.
 */
import { inputProblem, ProblemError } from '@stx-make/core/errors';
import type { Reason } from '@stx-make/core/events';
import { compareFacts, explainChange, type FactChange } from '@stx-make/core/fingerprint/difference';
import { decodeFacts } from '@stx-make/core/fingerprint/encode';
import type { Plan, Session } from '../api.ts';
import type { BuiltRow } from '../state/history.ts';
import type { State } from '../state/state.ts';
import { workspaceOf } from '../workspace.ts';

/** A target that will be built for reasons of its own, and the shortest chain down to it. */
export interface Cause {
  readonly target: string;
  /** From the target that was asked about to this one. */
  readonly chain: readonly string[];
  readonly reasons: readonly Reason[];
}

/** What a run now would do with a target. */
export interface WhyNow {
  readonly target: string;
  readonly action: 'build' | 'hit' | 'waiting';
  readonly reasons: readonly Reason[];
  /** Of a hit, else null. */
  readonly digest: string | null;
  /** The targets it waits for in the end, nearest first. */
  readonly causes: readonly Cause[];
}

/** What a past run did with a target. */
export interface WhyThen {
  readonly target: string;
  readonly run: string;
  readonly result: BuiltRow['result'];
  /** ISO 8601. */
  readonly finished: string;
  readonly fingerprint: string;
  readonly previous: string | null;
  readonly manifest: string | null;
  readonly reasons: readonly Reason[];
  /** The facts that differ, whole. */
  readonly changes: readonly FactChange[];
}

/** @param plan of that target alone */
export function whyNow(plan: Plan, target: string): WhyNow {
  const entry = plan.targets.find(({ name }) => name === target);
  if (entry === undefined) throw new Error(`the plan for ${target} lacks it`);
  const { action, reasons, digest } = entry;
  return { target, action, reasons, digest, causes: causesOf(plan, target) };
}

/** Breadth first through what waits, so every chain is a shortest one. */
function causesOf({ targets }: Plan, asked: string): Cause[] {
  const entries = new Map(targets.map((entry) => [entry.name, entry]));
  const chains = new Map<string, readonly string[]>([[asked, [asked]]]);
  const causes: Cause[] = [];
  for (const [name, chain] of chains) {
    const entry = entries.get(name);
    if (entry?.action === 'build' && name !== asked)
      causes.push({ target: name, chain, reasons: entry.reasons });
    if (entry?.action !== 'waiting') continue;
    for (const dependency of entry.dependencies) {
      const open = entries.get(dependency)?.action !== 'hit';
      if (open && !chains.has(dependency)) chains.set(dependency, [...chain, dependency]);
    }
  }
  return causes;
}

/**
 * @param run as `history` lists it; undefined: the last run that built the target
 * @throws ProblemError `unknown-run`, `not-built` (input)
 */
export function whyThen(session: Session, target: string, run: string | undefined): WhyThen {
  const state = workspaceOf(session).openState();
  const row = run === undefined ? state.history.of(target, 1)[0] : rowOf(state, run, target);
  if (row === undefined) {
    throw new ProblemError(
      inputProblem({
        code: 'not-built',
        text: `${target} was never built${run === undefined ? ' here' : ` in run ${run}`}.`,
        hint: `What built it: stx-make stats ${target}`,
      }),
    );
  }
  const { reasons, changes } = explainRow(state, row);
  return {
    target,
    run: row.run,
    result: row.result,
    finished: new Date(row.finished).toISOString(),
    fingerprint: row.fingerprint,
    previous: row.previous,
    manifest: row.manifest,
    reasons,
    changes,
  };
}

function rowOf({ history }: State, run: string, target: string): BuiltRow | undefined {
  const rows = history.inRun(run);
  if (rows.length === 0 && !history.runs(Number.MAX_SAFE_INTEGER).some(({ id }) => id === run)) {
    throw new ProblemError(
      inputProblem({ code: 'unknown-run', text: `There is no run ${run}.`, hint: 'See stx-make history.' }),
    );
  }
  return rows.find((row) => row.target === target);
}

/** From the facts of what the tree had before to those it was built from. */
function explainRow(state: State, row: BuiltRow): Pick<WhyThen, 'reasons' | 'changes'> {
  const only = (code: string, text: string) => ({ reasons: [{ code, text }], changes: [] });
  if (row.previous === null) return only('never-built', 'never built in this tree before');
  if (row.previous === row.fingerprint) {
    return only(
      'same-inputs',
      'nothing it sees had changed: it was asked for without cache, or its output was lost',
    );
  }
  const before = decodeFacts(state.records.facts(row.previous) ?? '');
  const after = decodeFacts(state.records.facts(row.fingerprint) ?? '');
  if (before === null || after === null) {
    return only('facts-unknown', 'what it was built from is not known any more');
  }
  const changes = compareFacts(before, after);
  return { reasons: changes.map(explainChange), changes };
}
