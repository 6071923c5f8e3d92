/**
 * What the commands `fetch` and `sources` do, for a session: the store, fetcher and tree put together.
 */
import type { Session } from '../api.ts';
import { workspaceOf } from '../workspace.ts';
import { type ExportReport, exportSources } from './bundle/export.ts';
import { type ImportReport, importSources } from './bundle/import.ts';
import { SourceFetcher } from './fetch/fetcher.ts';
import { materialise } from './local/materialise.ts';
import { type SourceStatus, sourcesStatus } from './local/status.ts';
import type { FetchReport, SourceProgress, WantedSource } from './model.ts';
import { SourceStore } from './store/store.ts';
import { wantedOf } from './wanted.ts';

export interface FetchRequest {
  /** Target names; empty means all. */
  readonly targets: readonly string[];
  readonly offline: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: SourceProgress) => void;
}

/** Has the sources of targets in the store and shown under `fetch/`; what could not be had is in the report. */
export async function fetchForSession(session: Session, request: FetchRequest): Promise<FetchReport> {
  const workspace = workspaceOf(session);
  const state = workspace.openState();
  const wanted = wantedBy(session, request.targets);
  const fetcher = new SourceFetcher({
    paths: state.paths,
    ledger: state.ledgers.sources,
    env: workspace.env,
    offline: request.offline,
  });
  try {
    const report = await fetcher.ensure(wanted, {
      signal: request.signal,
      root: workspace.root,
      onProgress: request.onProgress,
    });
    const here = new Set(report.sources.filter(({ size }) => size !== null).map(({ sha256 }) => sha256));
    materialise(
      workspace.root,
      wanted.filter(({ source }) => here.has(source.sha256)),
      fetcher.store,
    );
    return report;
  } finally {
    fetcher.close();
  }
}

/** Takes whatever files under `paths` match a source that the tree wants. */
export async function importForSession(
  session: Session,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<ImportReport> {
  const workspace = workspaceOf(session);
  const state = workspace.openState();
  const store = new SourceStore(state.paths.sources, state.ledgers.sources);
  return await importSources(paths, wantedBy(session, []), store, { signal, env: workspace.env });
}

/** Writes a bundle of the sources of targets. @throws ProblemError where some are missing, unless allowed */
export async function exportForSession(
  session: Session,
  targets: readonly string[],
  destination: string,
  options: { readonly allowMissing: boolean; readonly signal: AbortSignal },
): Promise<ExportReport> {
  const state = workspaceOf(session).openState();
  const store = new SourceStore(state.paths.sources, state.ledgers.sources);
  return await exportSources(wantedBy(session, targets), destination, store, options);
}

/** Every source of targets and whether it is here. */
export async function listForSession(
  session: Session,
  targets: readonly string[],
  options: { readonly verify: boolean; readonly signal: AbortSignal },
): Promise<readonly SourceStatus[]> {
  const state = workspaceOf(session).openState();
  const store = new SourceStore(state.paths.sources, state.ledgers.sources);
  return await sourcesStatus(wantedBy(session, targets), store, options);
}

function wantedBy(session: Session, targets: readonly string[]): WantedSource[] {
  const { graph } = session.tree;
  const names = targets.length === 0 ? [...graph.targets.keys()] : targets;
  return wantedOf(
    names.map((name) => {
      const target = graph.targets.get(name);
      if (target === undefined) throw new Error(`no target ${name}`);
      return target;
    }),
  );
}
