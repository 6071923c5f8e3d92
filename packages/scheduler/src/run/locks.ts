/**
 * The two locks of a run: one on the state folder, one on the tree's outputs, always in this order.
 */
import { join } from 'node:path';
import { describe, type Lock, takeLock } from '../state/lock.ts';
import type { Workspace } from '../workspace.ts';

export interface RunLocks {
  release(): void;
}

export interface LockRequest {
  readonly command: string;
  readonly wait: boolean;
  readonly stop: AbortSignal;
  /** Wall clock, ms since the epoch. */
  readonly now: () => number;
  /** Told once a lock that has to be waited for. */
  readonly onWait: (text: string) => void;
}

/** @throws ProblemError `locked` (environment), `state-unusable`; the stop signal's reason */
export async function takeRunLocks(workspace: Workspace, request: LockRequest): Promise<RunLocks> {
  const holder = { pid: process.pid, command: request.command, since: new Date(request.now()).toISOString() };
  const taken: Lock[] = [];
  const release = (): void => {
    for (const lock of taken.reverse()) lock.release();
  };
  const wanted = [
    { path: join(workspace.state.locks, 'state.lock'), what: `the state folder ${workspace.state.root}` },
    { path: join(workspace.out, '.stx-make.lock'), what: `the tree ${workspace.root}` },
  ];
  try {
    for (const { path, what } of wanted) {
      taken.push(
        await takeLock(path, what, {
          wait: request.wait,
          holder,
          signal: request.stop,
          onWait: (other) => request.onWait(`waiting for another run on ${what}${describe(other)}`),
        }),
      );
    }
  } catch (error) {
    release();
    throw error;
  }
  return { release };
}
