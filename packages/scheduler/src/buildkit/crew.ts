/**
 * The driver that builds with BuildKit: a thin bridge from the run's words to the workers of connect.ts.
 */
import type { Driver } from '../run/driver.ts';
import { runBuild } from './build.ts';
import { connectWorkers } from './connect.ts';

export const buildkitDriver: Driver = {
  connect: async (options) => {
    const set = await connectWorkers(options);
    const { buildctl, policyFile } = set;
    return {
      workers: set.workers.map(({ info }) => info),
      engine: set.engine,
      warnings: set.warnings,
      notes: set.notes,
      build: (request, build) =>
        runBuild(request, {
          ...build,
          address: set.addressOf(build.worker),
          buildctl,
          policyFile,
          daemonRoot: set.daemonRoot,
          env: options.env,
        }),
      revive: (worker, signal) => set.revive(worker, signal),
      close: async () => set.close(),
    };
  },
};
