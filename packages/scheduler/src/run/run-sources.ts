/**
 * The sources of a run: one fetcher for all its targets, made when the first one needs it.
 */
import { join } from 'node:path';
import { ProblemError } from '@stx-make/core/errors';
import type { GraphTarget } from '@stx-make/core/graph/model';
import type { SourceFetcher } from '../sources/fetch/fetcher.ts';
import type { RunContext } from './context.ts';

export interface RunSources {
  /** Has the target's sources in the store and shown under fetch/. @throws ProblemError naming every mirror that failed */
  fetch(target: GraphTarget, signal: AbortSignal): Promise<void>;
  /** Where a source lies in the store. */
  pathOf(sha256: string): string;
  close(): void;
}

export function openRunSources({ state, options, workspace, emit }: RunContext): RunSources {
  let fetcher: SourceFetcher | null = null;
  return {
    fetch: async (target, signal) => {
      if (target.recipe.sources.length === 0) return;
      const { materialise, SourceFetcher: Fetcher, wantedOf } = await import('../sources/index.ts');
      fetcher ??= new Fetcher({
        paths: state.paths,
        ledger: state.ledgers.sources,
        env: workspace.env,
        offline: options.offline,
      });
      const wanted = wantedOf([target]);
      const report = await fetcher.ensure(wanted, {
        signal,
        root: workspace.root,
        onProgress: ({ file, url, received, total, done }) =>
          emit({ type: 'source-progress', target: target.name, file, url, received, total, done }),
      });
      signal.throwIfAborted();
      for (const problem of report.warnings) emit({ type: 'warning', problem });
      if (!report.ok) throw new ProblemError(report.problems);
      materialise(workspace.root, wanted, fetcher.store);
    },
    pathOf: (sha256) => join(state.paths.sources, 'sha256', sha256),
    close: () => fetcher?.close(),
  };
}
