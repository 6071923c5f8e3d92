/**
 * For tests: services over a made-up tree of five targets, without files and daemons. Not part of the program.
 */
import { NO_CONFIG } from '@stx-make/core/config/model';
import { inputProblem, ProblemError } from '@stx-make/core/errors';
import type { RunEvent } from '@stx-make/core/events';
import type { Edge, GraphTarget, TargetGraph } from '@stx-make/core/graph/model';
import type { Recipe } from '@stx-make/core/recipe/model';
import type { Plan, RunOptions, RunSummary, Session } from '@stx-make/scheduler/api';
import { statePaths } from '@stx-make/scheduler/paths';
import type { PastBuild } from '@stx-make/scheduler/state/past';
import type { Past, Services } from '../services.ts';

const NEEDS: Readonly<Record<string, readonly string[]>> = {
  'bootstrap-seed': [],
  'core-musl': ['bootstrap-seed'],
  'core-rust': ['core-musl'],
  'pallet-rust': ['core-rust'],
  'user-htop': ['core-musl', 'pallet-rust'],
};

function makeTarget(name: string): GraphTarget {
  const [stage = '', short = ''] = name.split('-');
  const dependencies = NEEDS[name] ?? [];
  const recipe: Recipe = {
    id: `${stage}/${short}`,
    stage,
    name: short,
    dir: `packages/${stage}/${short}`,
    version: '1.0',
    versionFrom: null,
    description: null,
    license: null,
    website: null,
    platforms: [],
    subpackages: [],
    sources: [],
  };
  const edges = dependencies.map(
    (to, i): Edge => ({ from: name, to, kind: 'copy', file: `${recipe.dir}/Containerfile`, line: i + 2 }),
  );
  return {
    name,
    stage,
    recipe,
    buildTarget: null,
    platforms: ['linux/amd64'],
    tag: `stagex/${name}:1.0`,
    buildArgs: {},
    resolved: [],
    edges,
    dependencies,
    contextNames: new Map(dependencies.map((to) => [`stagex/${to}`, to])),
  };
}

export function testGraph(): TargetGraph {
  const names = Object.keys(NEEDS);
  return {
    targets: new Map(names.map((name) => [name, makeTarget(name)])),
    order: names,
    dependents: new Map(names.map((name) => [name, names.filter((other) => NEEDS[other]?.includes(name))])),
  };
}

export interface TestServices extends Services {
  /** What run() and makePlan() were asked for. */
  readonly asked: RunOptions[];
}

/** @param events what run() sends. @param summary what it answers; may throw instead. */
export function testServices(
  events: readonly RunEvent[] = [],
  summary: (options: RunOptions) => RunSummary | Promise<RunSummary> = okSummary,
): TestServices {
  const asked: RunOptions[] = [];
  const close = (graph: TargetGraph, name: string, transitive: boolean, down: boolean): string[] => {
    const found = new Set<string>();
    const open = [name];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const next = down ? graph.targets.get(at)?.dependencies : graph.dependents.get(at);
      for (const other of next ?? []) {
        if (!found.has(other) && transitive) open.push(other);
        found.add(other);
      }
    }
    return [...found].sort();
  };
  return {
    asked,
    openSession: (options) => Promise.resolve(testSession(options.root ?? '/tree')),
    settings: () => Promise.resolve(NO_CONFIG),
    shards: () => Promise.reject(new Error('not here')),
    makePlan: (_session, options) => {
      asked.push(options);
      return Promise.resolve(testPlan(options.selection));
    },
    run: async (_session, options, sink) => {
      asked.push(options);
      for (const event of events) sink(event);
      return await summary(options);
    },
    planCommands: (_session, target) => Promise.resolve(`#!/bin/sh\nbuildctl build # ${target}\n`),
    graph: () =>
      Promise.resolve({
        select: (graph, { terms }) =>
          resolveWords(graph, terms.length === 0 ? [...graph.targets.keys()] : terms),
        resolve: resolveWords,
        json: (root) => ({ root, targets: [], edges: [] }),
        dot: () => Promise.resolve('digraph {}\n'),
        dependencies: (graph, target, transitive) => close(graph, target, transitive, true),
        dependents: (graph, target, transitive) => close(graph, target, transitive, false),
        lineage: (graph, target) => {
          const chain = [target];
          for (let at = graph.targets.get(target)?.dependencies[0]; at !== undefined; ) {
            chain.unshift(at);
            at = graph.targets.get(at)?.dependencies[0];
          }
          return Promise.resolve(chain);
        },
        path: (graph, from, to) => {
          const edge = graph.targets.get(from)?.edges.find((each) => each.to === to);
          return Promise.resolve(edge === undefined ? null : [[edge]]);
        },
      }),
    past: () => Promise.resolve(testPast()),
    sources: () => Promise.reject(new Error('no sources in these tests')),
    digests: () => import('@stx-make/scheduler/digests/index'),
    images: () => import('@stx-make/scheduler/image/index'),
    affected: () => Promise.reject(new Error('no git in these tests')),
    lint: () => Promise.reject(new Error('no files in these tests')),
    check: () => Promise.reject(new Error('no BuildKit in these tests')),
    why: () => import('@stx-make/scheduler/plan/why'),
    gc: () => Promise.reject(new Error('no state in these tests')),
    doctor: () =>
      Promise.resolve([
        { code: 'buildkit', ok: true, text: 'BuildKit v0.32.2', hint: null },
        { code: 'space', ok: false, text: '1 GiB free', hint: 'make room' },
      ]),
    workers: () => Promise.reject(new Error('no BuildKit in these tests')),
    daemonStatus: () =>
      Promise.resolve({ running: false, pid: null, address: null, version: null, text: 'not running' }),
    stopDaemon: () => Promise.resolve(false),
    superviseDaemon: () => Promise.resolve(0),
    stateRoot: (option) => Promise.resolve(option ?? '/state'),
    live: () => import('@stx-make/scheduler/live/index'),
    startDetached: () => Promise.reject(new Error('no processes in these tests')),
    killChildren: () => Promise.resolve(),
  };
}

/** Two runs, of which the older one failed. */
function testPast(): Past {
  const build = (run: string, hour: number, duration: number, result: 'built' | 'failed'): PastBuild => ({
    run,
    target: 'core-musl',
    result,
    fingerprint: `sha256:${'f'.repeat(64)}`,
    previous: null,
    manifest: result === 'failed' ? null : `sha256:${run.repeat(32)}`,
    duration,
    finished: Date.UTC(2026, 10, 23, hour),
    worker: 'w0',
    size: result === 'failed' ? null : 2_048,
  });
  const builds = [build('r2', 14, 3_000, 'built'), build('r1', 12, 500, 'failed')];
  return {
    runs: (limit) =>
      [
        { id: 'r2', ok: 1, hour: 13, built: 1, failed: 0 },
        { id: 'r1', ok: 0, hour: 11, built: 0, failed: 1 },
      ]
        .map(({ id, ok, hour, built, failed }) => ({
          id,
          tree: '/tree',
          started: Date.UTC(2026, 10, 23, hour),
          finished: Date.UTC(2026, 10, 23, hour + 1),
          ok,
          command: 'stx-make world',
          summary: JSON.stringify({
            counts: { targets: 5, hit: 4, built, unchanged: 0, failed, skipped: 0 },
            interrupted: false,
          }),
        }))
        .slice(0, limit),
    inRun: (run) => builds.filter((row) => row.run === run),
    of: (target, limit) => builds.filter((row) => row.target === target).slice(0, limit),
    sizeOf: () => 2_048,
    close: () => {},
  };
}

export function testSession(root: string): Session {
  return {
    root,
    out: `${root}/out`,
    state: statePaths('/state'),
    platform: 'linux/amd64',
    config: NO_CONFIG,
    content: 'content',
    tree: { recipes: [], graph: testGraph(), warnings: [] },
    fellBack: false,
    close: () => {},
  };
}

function testPlan(selection: readonly string[]): Plan {
  const names = selection.length === 0 ? Object.keys(NEEDS) : [...selection];
  const targets = names.map((name) => ({
    name,
    stage: name.split('-')[0] ?? '',
    action: name === 'core-musl' ? ('build' as const) : ('hit' as const),
    reasons: name === 'core-musl' ? [{ code: 'file-changed', text: 'Containerfile changed' }] : [],
    dependencies: NEEDS[name] ?? [],
    digest: name === 'core-musl' ? null : `sha256:${'0'.repeat(64)}`,
    expected: 1000,
  }));
  const of = (action: string): number => targets.filter((target) => target.action === action).length;
  return {
    targets,
    counts: { targets: targets.length, build: of('build'), hit: of('hit'), waiting: of('waiting') },
  };
}

export function okSummary(options: RunOptions): RunSummary {
  const names = options.selection.length === 0 ? Object.keys(NEEDS) : options.selection;
  return {
    run: 'r1',
    ok: true,
    interrupted: false,
    seconds: 1.25,
    counts: { targets: names.length, hit: names.length, built: 0, unchanged: 0, failed: 0, skipped: 0 },
    targets: names.map((name) => ({
      name,
      result: 'hit',
      digest: `sha256:${'0'.repeat(64)}`,
      origin: 'built',
      seconds: 0,
      reasons: [],
    })),
    problems: [],
  };
}

function resolveWords(graph: TargetGraph, words: readonly string[]): string[] {
  return words.map((word) => {
    const names = [...graph.targets.keys()].filter((name) => name === word || name.endsWith(`-${word}`));
    const [only] = names;
    if (only !== undefined && names.length === 1) return only;
    throw new ProblemError(
      names.length === 0
        ? inputProblem({ code: 'unknown-target', text: `there is no target "${word}"` })
        : inputProblem({ code: 'ambiguous-name', text: `"${word}" is ${names.join(' or ')}` }),
    );
  });
}
