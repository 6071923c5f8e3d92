/**
 * The real services: each part of core and scheduler is imported when it is asked for, so that `--help` loads
 * neither and `graph` no queue.
 */
import type { Services } from './services.ts';

export function realServices(): Services {
  return {
    openSession: async (options) => (await import('@stx-make/scheduler/session')).openSession(options),
    makePlan: async (session, options) =>
      (await import('@stx-make/scheduler/session')).makePlan(session, options),
    run: async (session, options, sink, control) =>
      (await import('@stx-make/scheduler/session')).run(session, options, sink, control),
    planCommands: async (session, target) =>
      (await import('@stx-make/scheduler/session')).planCommands(session, target),
    graph: async () => {
      const graph = await import('@stx-make/core/graph');
      return {
        resolve: graph.selection,
        json: graph.graphJson,
        dot: graph.graphDot,
        dependencies: graph.dependencies,
        dependents: graph.dependents,
        path: graph.pathBetween,
      };
    },
    doctor: async (options) => (await import('@stx-make/scheduler/doctor')).doctor(options),
    daemonStatus: async (stateRoot) =>
      (await import('@stx-make/scheduler/buildkit/managed')).managedStatus(stateRoot),
    stopDaemon: async (stateRoot) =>
      (await import('@stx-make/scheduler/buildkit/managed')).stopManaged(stateRoot),
    superviseDaemon: async (args) =>
      (await import('@stx-make/scheduler/buildkit/managed')).superviseDaemon(args),
    stateRoot: async (option, env) =>
      (await import('@stx-make/scheduler/paths')).defaultStateRoot(option, env),
    killChildren: async () => {
      const { descendants, signalAll } = await import('@stx-make/scheduler/process/tree');
      signalAll(descendants(process.pid), 'SIGKILL');
    },
  };
}
