/**
 * The driver that builds with BuildKit: a thin bridge from the run's words to the workers of connect.ts.
 */
import { join } from 'node:path';
import type { Driver } from '../run/driver.ts';
import { connectWorkers } from './connect.ts';
import { cgroupParent } from './managed/cgroups.ts';
import { newTrace, systemUsage } from './usage.ts';

export const buildkitDriver: Driver = {
  connect: async (options) => {
    const set = await connectWorkers(options);
    // The managed daemon's steps have a parent of their own; others' are where containerd's defaults put them.
    const usage = systemUsage([join(cgroupParent(options.state.daemon), 'buildkit'), 'buildkit']);
    return {
      workers: set.workers.map(({ info, memory }) => (memory === null ? info : { ...info, memory })),
      engine: set.engine,
      warnings: set.warnings,
      notes: set.notes,
      build: async (request, build) => {
        const trace = newTrace();
        const ended = usage?.watch(trace.id, (taken) => build.onUsage?.(taken));
        try {
          return await set.build(request, { ...build, trace: trace.parent });
        } finally {
          ended?.();
        }
      },
      revive: (worker, signal) => set.revive(worker, signal),
      close: async () => set.close(),
    };
  },
};
