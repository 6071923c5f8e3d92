/**
 * The driver that builds with BuildKit: a thin bridge from the run's words to the workers of connect.ts.
 */
import type { Driver } from '../run/driver.ts';
import { connectWorkers } from './connect.ts';

export const buildkitDriver: Driver = {
  connect: async (options) => {
    const set = await connectWorkers(options);
    return {
      workers: set.workers.map(({ info, memory }) => (memory === null ? info : { ...info, memory })),
      engine: set.engine,
      warnings: set.warnings,
      notes: set.notes,
      build: (request, build) => set.build(request, build),
      revive: (worker, signal) => set.revive(worker, signal),
      close: async () => set.close(),
    };
  },
};
