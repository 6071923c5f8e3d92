/**
 * The real services: each part of core and scheduler is imported when it is asked for, so that `--help` loads
 * neither and `graph` no queue.
 */
import { resolve } from 'node:path';
import { type Problem, ProblemError } from '@stx-make/core/errors';
import { groupsOf } from './process/stat.ts';
import type { GraphServices, Services } from './services.ts';

export function realServices(): Services {
  return {
    openSession: async (options) => (await import('./early.ts')).openSession(options),
    settings: async (options) => (await import('@stx-make/scheduler/config')).settingsOf(options),
    makePlan: async (session, options) =>
      (await import('@stx-make/scheduler/session')).makePlan(session, options),
    run: async (session, options, sink, control) =>
      (await import('./early.ts')).run(session, options, sink, control),
    planCommands: async (session, target) =>
      (await import('@stx-make/scheduler/session')).planCommands(session, target),
    past: async (stateRoot) => (await import('@stx-make/scheduler/state/past')).openPast(stateRoot),
    graph: async () => graphServices(await import('@stx-make/core/graph/index')),
    sources: () => import('@stx-make/scheduler/sources/front'),
    digests: () => import('@stx-make/scheduler/digests/index'),
    images: () => import('@stx-make/scheduler/image/index'),
    affected: async (options) => (await import('@stx-make/scheduler/affected/affected')).affected(options),
    lint: async (options) => (await import('@stx-make/scheduler/lint/lint-tree')).lintTree(options),
    check: async (session, options, control) =>
      (await import('@stx-make/scheduler/check/check')).checkTree(session, options, control),
    why: () => import('@stx-make/scheduler/plan/why'),
    shards: () => import('@stx-make/scheduler/shard/front'),
    gc: () => import('@stx-make/scheduler/gc/gc'),
    doctor: async (options) => (await import('@stx-make/scheduler/doctor')).doctor(options),
    workers: async (options) => (await import('@stx-make/scheduler/doctor')).inspectFor(options),
    daemonStatus: async (stateRoot, env) => (await managedClient()).managedStatus(stateRoot, env),
    stopDaemon: async (stateRoot, env) => (await managedClient()).stopManaged(stateRoot, env),
    superviseDaemon: async (args) =>
      (await import('@stx-make/scheduler/buildkit/managed/launch')).superviseDaemon(args),
    stateRoot: async (option, env, cwd) =>
      resolve(cwd, (await import('@stx-make/scheduler/paths')).defaultStateRoot(option, env)),
    live: () => import('@stx-make/scheduler/live/index'),
    startDetached: async (words, output) =>
      (await import('@stx-make/scheduler/process/detached')).startDetachedSelf(
        process.argv[1] ?? '',
        words,
        output,
      ),
    killChildren: async () => {
      const { descendants, signalAll } = await import('@stx-make/scheduler/process/tree');
      // The managed BuildKit's supervisor may be our child, too; it has a group of its own and stays.
      const own = groupsOf('self')?.group;
      signalAll(
        descendants(process.pid).filter(({ pid }) => groupsOf(pid)?.group === own),
        'SIGKILL',
      );
    },
  };
}

function managedClient(): Promise<typeof import('@stx-make/scheduler/buildkit/managed/client')> {
  return import('@stx-make/scheduler/buildkit/managed/client');
}

/** core/graph as the commands ask for it. */
function graphServices(graph: typeof import('@stx-make/core/graph/index')): GraphServices {
  return {
    select: (target, terms) => {
      const { names, problems } = graph.select(target, terms);
      if (problems.length > 0) throw new ProblemError(problems);
      return names;
    },
    resolve: (targets, words) => {
      const index = new graph.NameIndex(targets);
      const problems: Problem[] = [];
      const names = words.flatMap((word) => {
        const found = index.resolve(word);
        if (found.name !== null) return [found.name];
        problems.push(found.problem);
        return [];
      });
      if (problems.length > 0) throw new ProblemError(problems);
      return names;
    },
    json: (root, tree) => ({ ...graph.graphJson(root, tree) }),
    dot: async (targets, reduced) =>
      graph.graphDot(
        targets,
        reduced ? (await graph.analyseGraph(targets)).transitiveReduction() : undefined,
      ),
    dependencies: graph.dependenciesOf,
    dependents: graph.dependentsOf,
    lineage: async (targets, target) => (await graph.analyseGraph(targets)).chainTo(target),
    path: async (targets, from, to) => (await graph.analyseGraph(targets)).path(from, to),
  };
}
