/**
 * A run of everything as it is when nobody asks for anything: for what judges a tree without being a run.
 */
import type { RunOptions } from '../api.ts';

/** @param command see RunOptions */
export function plainOptions(command: string): RunOptions {
  return {
    selection: [],
    workers: { addresses: [], jobs: undefined },
    keepGoing: false,
    noCache: false,
    limits: {},
    wait: true,
    strictEngine: false,
    strict: false,
    offline: true,
    command,
  };
}
