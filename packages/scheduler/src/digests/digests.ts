/**
 * `digests`: the manifest digests of the outputs that are here, beside the committed ones.
 */
import { compareDigests, type DigestChange, type DigestDifference } from '@stx-make/core/digests/index';
import type { Problem } from '@stx-make/core/errors';
import type { Reason } from '@stx-make/core/events';
import { describeDifference } from '@stx-make/core/oci/identity';
import type { Digest, Origin } from '@stx-make/core/oci/model';
import { byCodeUnit } from '@stx-make/core/order';
import type { Session } from '../api.ts';
import type { BuildRecord } from '../state/records.ts';
import type { State } from '../state/state.ts';
import { explainOutputs, openPool, type Pool } from '../store/index.ts';
import { closureOf, workspaceOf } from '../workspace.ts';
import { readCommitted, type WantedDigests, writeCommitted } from './committed.ts';
import { engineOf, type LocalStanding, localOutputs } from './local.ts';

export interface DigestsRequest {
  /** Target names; empty means all, and lines of targets that the tree does not have any more. */
  readonly selection: readonly string[];
}

export interface TargetDigest {
  readonly name: string;
  readonly digest: Digest;
  readonly origin: Origin;
  readonly committed: Digest | null;
}

/** A target without an output of its recipe as it is now. */
export interface StaleTarget {
  readonly name: string;
  /** What the tree had last. */
  readonly digest: string | null;
  readonly committed: Digest | null;
  readonly reasons: readonly Reason[];
}

/** A difference with what is known of its cause. */
export interface ExplainedDifference {
  readonly kind: DigestDifference['kind'];
  readonly target: string;
  readonly committed: Digest | null;
  readonly local: Digest | null;
  readonly text: string;
}

export interface DigestsReport {
  /** Sorted by code unit, as the other lists. */
  readonly targets: readonly TargetDigest[];
  readonly stale: readonly StaleTarget[];
  /** Against digests/<stage>.txt. */
  readonly differences: readonly ExplainedDifference[];
  readonly equal: number;
  readonly warnings: readonly Problem[];
}

/** @throws ProblemError: files in digests/ that can not be read */
export async function reportDigests(session: Session, request: DigestsRequest): Promise<DigestsReport> {
  const workspace = workspaceOf(session);
  const committed = readCommitted(session.root);
  const state = workspace.openState();
  const pool = openPool(state.paths, state.ledgers.blobs);
  const standings = await localOutputs(workspace, state, pool, closureOf(session.tree, request.selection));
  const all = [...session.tree.graph.targets.keys()];
  const scope = [...(request.selection.length === 0 ? all : request.selection)].sort(byCodeUnit);
  const committedOf = (name: string): Digest | null => committed.lines.get(name)?.digest ?? null;
  const targets: TargetDigest[] = [];
  const stale: StaleTarget[] = [];
  const records = new Map<string, BuildRecord>();
  for (const name of scope) {
    const standing = standings.get(name);
    if (standing?.state === 'current') {
      const { manifest: digest, origin } = standing.record;
      records.set(name, standing.record);
      targets.push({ name, digest, origin, committed: committedOf(name) });
    } else if (standing !== undefined) {
      const reasons = reasonsOf(standing);
      stale.push({ name, digest: standing.before, committed: committedOf(name), reasons });
    }
  }
  const comparison = compareDigests(
    new Map([...committed.lines].map(([name, { digest }]) => [name, digest])),
    new Map(targets.map(({ name, digest }) => [name, digest])),
    scope,
    new Set(all),
  );
  const differences: ExplainedDifference[] = [];
  for (const difference of comparison.differences) {
    // Lines of other targets are not what was asked for.
    if (difference.kind === 'unknown' && request.selection.length > 0) continue;
    const text = await explain(difference, { state, pool, records, stale });
    differences.push({
      kind: difference.kind,
      target: difference.target,
      committed: 'committed' in difference ? difference.committed : null,
      local: 'local' in difference ? difference.local : null,
      text,
    });
  }
  const warnings = [...state.warnings, ...committed.warnings];
  return { targets, stale, differences, equal: comparison.equal.length, warnings };
}

function reasonsOf(standing: Exclude<LocalStanding, { state: 'current' }>): readonly Reason[] {
  switch (standing.state) {
    case 'stale':
      return standing.reasons;
    case 'waiting':
      return [{ code: 'waits', text: `what it needs is not up to date: ${listed(standing.on)}` }];
    default:
      return standing satisfies never;
  }
}

/** A few names stand for many. */
function listed(names: readonly string[]): string {
  const rest = names.length - 3;
  return rest > 0 ? `${names.slice(0, 3).join(', ')} and ${rest} more` : names.join(', ');
}

interface Known {
  readonly state: State;
  readonly pool: Pool;
  readonly records: ReadonlyMap<string, BuildRecord>;
  readonly stale: readonly StaleTarget[];
}

async function explain(difference: DigestDifference, known: Known): Promise<string> {
  const { target } = difference;
  switch (difference.kind) {
    case 'unknown':
      return 'the tree has no such target (any more)';
    case 'additional':
      return 'no digest of it is committed';
    case 'missing': {
      const row = known.stale.find(({ name }) => name === target);
      const why = (row?.reasons ?? []).map(({ text }) => text).join('; ') || 'it was never built here';
      return `there is no output of it as it is now: ${why}`;
    }
    case 'other':
      return await explainOther(difference.committed, known.records.get(target), known);
    default:
      return difference satisfies never;
  }
}

/** Where the outputs differ, as far as both are here, and whether this builder could have given the committed one. */
async function explainOther(
  committed: Digest,
  record: BuildRecord | undefined,
  { state, pool }: Known,
): Promise<string> {
  if (record === undefined) throw new Error('a digest without a record');
  const parts: string[] = [];
  const engine = engineOf(state, record.fingerprint);
  const builder = state.engines().find(({ id }) => engine === id || engine?.startsWith(`${id} `) === true);
  if (record.origin === 'built' && builder?.matchesPublished === false) {
    parts.push(
      `built by a BuildKit whose canary differs (${builder.version}): its digests can not equal published ones`,
    );
  } else if (record.origin !== 'built') {
    parts.push(`the output here was ${record.origin}`);
  }
  const theirs = state.records.outputOf(record.target, committed);
  const explained =
    theirs === null ? null : await explainOutputs(pool, theirs, record.output).catch(() => null);
  if (explained !== null) {
    const { file } = explained;
    const where = file === null ? '' : `, first differing file ${file.path} (${file.kind})`;
    parts.push(`committed -> here: ${describeDifference(explained.difference)}${where}`);
  }
  return parts.length === 0 ? 'the output here is another one' : parts.join('; ');
}

export interface WriteRequest extends DigestsRequest {
  /** Also digests of outputs that were imported or substituted. */
  readonly includeImported: boolean;
}

export interface WrittenDigests {
  readonly changes: readonly DigestChange[];
  /** Outputs left out because this machine did not build them, where that made a difference. */
  readonly notBuilt: readonly string[];
  /** Targets whose lines were left alone because there is no output of them as they are now. */
  readonly stale: readonly string[];
  readonly warnings: readonly Problem[];
}

/** Brings digests/<stage>.txt up to what is here. @throws ProblemError */
export async function writeDigests(session: Session, request: WriteRequest): Promise<WrittenDigests> {
  const report = await reportDigests(session, request);
  const committed = readCommitted(session.root);
  const { targets } = session.tree.graph;
  const wanted = new Map<string, Map<string, Digest | null>>();
  const want = (stage: string, target: string, digest: Digest | null): void => {
    const lines = wanted.get(stage) ?? new Map<string, Digest | null>();
    wanted.set(stage, lines.set(target, digest));
  };
  const notBuilt: string[] = [];
  for (const { name, digest, origin, committed: before } of report.targets) {
    if (origin === 'built' || request.includeImported) want(targets.get(name)?.stage ?? '', name, digest);
    else if (before !== digest) notBuilt.push(name);
  }
  if (request.selection.length === 0) {
    for (const { target, stage } of committed.lines.values()) {
      if (!targets.has(target)) want(stage, target, null);
    }
  }
  const changes = writeCommitted(
    session.root,
    committed,
    wanted satisfies ReadonlyMap<string, WantedDigests>,
  );
  return { changes, notBuilt, stale: report.stale.map(({ name }) => name), warnings: report.warnings };
}
