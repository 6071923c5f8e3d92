/**
 * `affected`: what a change to a tree rebuilds, from git. Both ends are read as whole graphs, nothing is checked out.
 */
import { resolve } from 'node:path';
import { compareStates } from '@stx-make/core/affected/compare';
import { type Outlook, outlookOf } from '@stx-make/core/affected/outlook';
import { sayTheSame } from '@stx-make/core/containerfile/equivalent';
import { type Problem, ProblemError } from '@stx-make/core/errors';
import type { Reason } from '@stx-make/core/events';
import type { SessionOptions } from '../api.ts';
import { type ObjectCache, openGit } from '../git/index.ts';
import { defaultStateRoot, statePaths } from '../paths.ts';
import { openState, type State } from '../state/state.ts';
import { findTree } from '../tree/find.ts';
import { loadCommitEnd } from './commit-end.ts';
import { type ChangedDigest, changedDigests } from './digest-texts.ts';
import { type End, ownFacts } from './end.ts';
import { asGitSees, loadWorkingEnd } from './working-end.ts';

export interface AffectedOptions extends SessionOptions {
  readonly since: string;
  /** Undefined: the working tree. */
  readonly until?: string | undefined;
  readonly stop?: AbortSignal | undefined;
}

export interface AffectedReport {
  readonly since: string;
  readonly sinceCommit: string;
  readonly until: string | null;
  readonly untilCommit: string | null;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
  readonly affected: readonly string[];
  readonly reasons: ReadonlyMap<string, readonly Reason[]>;
  /** Committed digests that are other ones. */
  readonly digests: readonly ChangedDigest[];
  readonly outlook: Outlook;
  /** Of the later tree. */
  readonly targets: number;
  readonly warnings: readonly Problem[];
}

/** @throws ProblemError: no tree, no git, unknown commits, trees with errors at either end */
export async function affected(options: AffectedOptions): Promise<AffectedReport> {
  const found = findTree(options);
  const git = await openGit(found.root, options.env, options.stop);
  const state = stateOrNull(options);
  try {
    const cache: ObjectCache = new Map();
    const before = await loadCommitEnd(git, options.since, options, cache);
    const after =
      options.until === undefined
        ? await asGitSees(await loadWorkingEnd(found, options, state?.database ?? null), before, git)
        : await loadCommitEnd(git, options.until, options, cache);
    const comparison = compareStates(ownFacts(before), ownFacts(after), after.tree.graph);
    const { changed, reasons } = comparison;
    const commented = await onlyCommented(before, after, reasons);
    const outlook = outlookOf({
      graph: after.tree.graph,
      changed: new Set(changed),
      affected: new Set(comparison.affected),
      quiet: (name) =>
        reasons.has(name)
          ? commented.has(name)
            ? 'only comments or blank lines of its Containerfile differ'
            : null
          : quietByHistory(name, state),
      estimates: state?.history.estimates() ?? new Map(),
    });
    return {
      since: options.since,
      sinceCommit: before.commit,
      until: options.until ?? null,
      untilCommit: after.commit,
      ...comparison,
      digests: changedDigests(before.digests, after.digests),
      outlook,
      targets: after.tree.graph.targets.size,
      warnings: [...before.digests.warnings, ...after.digests.warnings],
    };
  } finally {
    state?.close();
  }
}

/** History is a help, not a need: without a state folder there are no hours. */
function stateOrNull(options: SessionOptions): State | null {
  try {
    return openState(
      statePaths(resolve(options.cwd, defaultStateRoot(options.state, options.env))),
      Date.now,
    );
  } catch (error) {
    if (error instanceof ProblemError) return null;
    throw error;
  }
}

/** Changed targets whose Containerfile says the same and of which nothing else changed. */
async function onlyCommented(
  before: End,
  after: End,
  reasons: ReadonlyMap<string, readonly Reason[]>,
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const [name, [first, ...more]] of reasons) {
    if (first?.code !== 'containerfile-changed' || more.length > 0) continue;
    const then = before.tree.graph.targets.get(name)?.recipe.dir;
    const now = after.tree.graph.targets.get(name)?.recipe.dir;
    const old = await before.read(`${then}/Containerfile`);
    const text = await after.read(`${now}/Containerfile`);
    if (old !== null && text !== null && sayTheSame(old, text)) found.add(name);
  }
  return found;
}

/** Of this many builds, at least three quarters, and not less than two, must have given what was there. */
const HISTORY = 10;
const LEAST = 2;

/** Why a target that is rebuilt because of others probably gives what it gave: it mostly did. */
function quietByHistory(name: string, state: State | null): string | null {
  const rows = (state?.history.of(name, HISTORY) ?? []).filter(
    // Rebuilds with other inputs than before: a forced one says nothing about changes.
    ({ result, previous, fingerprint }) =>
      result !== 'failed' && previous !== null && previous !== fingerprint,
  );
  const same = rows.filter(({ result }) => result === 'unchanged').length;
  if (same < LEAST || same < rows.length * 0.75) return null;
  return `${same} of its last ${rows.length} rebuilds gave what was there before`;
}
