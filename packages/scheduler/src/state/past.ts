/**
 * What runs did, for people who look afterwards: read only, and makes nothing where nothing is.
 */
import { existsSync } from 'node:fs';
import { statePaths } from '../paths.ts';
import { outputSize } from '../store/output.ts';
import type { BuiltRow, RunRow } from './history.ts';
import { openState } from './state.ts';

/** A build of a target, and what it gave. */
export interface PastBuild extends BuiltRow {
  /** Bytes of all blobs of the output; null where it is not known (a failure, or a record that is gone). */
  readonly size: number | null;
}

export interface Past {
  /** Runs that built something, newest first. @param tree only of this root. */
  runs(limit: number, tree?: string): readonly RunRow[];
  /** In the order they finished. */
  inRun(run: string): readonly PastBuild[];
  /** Newest first. */
  of(target: string, limit: number): readonly PastBuild[];
  /** Bytes of all blobs; null where no such output is known. */
  sizeOf(target: string, manifest: string): number | null;
  close(): void;
}

/** Null where there is no state yet. @throws ProblemError `state-newer`, `state-unusable` */
export function openPast(stateRoot: string): Past | null {
  const paths = statePaths(stateRoot);
  if (!existsSync(paths.database)) return null;
  const state = openState(paths, Date.now);
  const sizeOf = (target: string, manifest: string): number | null => {
    const output = state.records.outputOf(target, manifest);
    return output === null ? null : outputSize(output);
  };
  const withSize = (row: BuiltRow): PastBuild => ({
    ...row,
    size: row.manifest === null ? null : sizeOf(row.target, row.manifest),
  });
  return {
    runs: (limit, tree) => state.history.runs(limit, tree),
    inRun: (run) => state.history.inRun(run).map(withSize),
    of: (target, limit) => state.history.of(target, limit).map(withSize),
    sizeOf,
    close: () => state.close(),
  };
}
