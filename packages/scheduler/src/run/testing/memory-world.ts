/**
 * For tests: a world in memory behind the conductor's ports. Not part of the program.
 */
import type { GraphTarget } from '@stx-make/core/graph/model';
import { digestOf } from '@stx-make/core/oci/digest';
import type { Output } from '@stx-make/core/oci/model';
import fc from 'fast-check';
import type { AttemptResult, ConductOptions, RunPorts } from '../ports.ts';

/** A target with nothing but its place in the graph. */
export function bareTarget(
  name: string,
  dependencies: readonly string[],
  platform = 'linux/amd64',
): GraphTarget {
  return {
    name,
    stage: 'core',
    recipe: {
      id: `core/${name}`,
      stage: 'core',
      name,
      dir: `core/${name}`,
      version: null,
      versionFrom: null,
      description: null,
      license: null,
      website: null,
      platforms: [],
      subpackages: [],
      sources: [],
    },
    buildTarget: null,
    platforms: [platform],
    tag: `stagex/${name}:latest`,
    buildArgs: {},
    resolved: [],
    edges: [],
    dependencies,
    contextNames: new Map(),
  };
}

function outputNamed(text: string): Output {
  const descriptor = { mediaType: 'x', digest: digestOf(text), size: 1 };
  return {
    index: descriptor,
    images: [{ platform: 'linux/amd64', manifest: descriptor, config: descriptor, layers: [], diffIds: [] }],
  };
}

export interface World {
  readonly ports: RunPorts;
  readonly built: string[];
  readonly concurrent: { now: number; most: number };
}

/** What a build gives, asked each time; which targets have a record. */
export function world(
  outcome: (name: string, number: number, worker: string) => AttemptResult['status'] | 'lost' | 'flaky',
  hits: ReadonlySet<string> = new Set(),
  revives = false,
): World {
  const built: string[] = [];
  const concurrent = { now: 0, most: 0 };
  const failure = (cause: string) => ({
    kind: 'build' as const,
    step: null,
    exitCode: 1,
    file: null,
    line: null,
    cause,
    tail: [],
    logFile: null,
  });
  const fingerprint = (name: string) => ({ digest: digestOf(name), text: name, files: new Map() });
  const ports: RunPorts = {
    judge: (target) => {
      const output = outputNamed(target.name);
      return hits.has(target.name)
        ? {
            state: 'hit',
            fingerprint: fingerprint(target.name),
            record: {
              fingerprint: target.name,
              manifest: output.index.digest,
              output,
              origin: 'built',
              target: target.name,
              run: 'before',
              created: 0,
            },
          }
        : { state: 'build', fingerprint: fingerprint(target.name), reasons: [] };
    },
    reload: async () => {},
    refresh: (target) => target,
    fetch: async () => {},
    build: async (attempt) => {
      concurrent.now += 1;
      concurrent.most = Math.max(concurrent.most, concurrent.now);
      await Promise.resolve();
      concurrent.now -= 1;
      const { name } = attempt.target;
      if (attempt.signal.aborted) return { status: 'cancelled' };
      const result = outcome(name, attempt.number, attempt.worker);
      switch (result) {
        case 'built':
          built.push(name);
          return { status: 'built', output: outputNamed(name) };
        case 'edited':
          return { status: 'edited' };
        case 'cancelled':
          return { status: 'cancelled' };
        case 'lost':
          return { status: 'failed', failure: failure('gone'), retry: 'elsewhere' };
        case 'flaky':
          return { status: 'failed', failure: failure('EOF'), retry: 'here' };
        case 'failed':
          return { status: 'failed', failure: failure('exit 1'), retry: 'no' };
      }
    },
    record: async (_, output) => ({
      result: 'built',
      output,
      manifest: output.index.digest,
      origin: 'built',
      finding: null,
    }),
    publish: async () => {},
    noteFailure: () => {},
    revive: async () => revives,
    logFile: (target) => `/logs/${target}`,
    pause: async () => {},
  };
  return { ports, built, concurrent };
}

/** All of `order`, on one worker with four places. */
export const options = (
  order: readonly GraphTarget[],
  more: Partial<ConductOptions> = {},
): ConductOptions => ({
  order,
  standings: new Map(),
  workers: [{ id: 'w', jobs: 4, platforms: ['linux/amd64'] }],
  priorityOf: () => 0,
  keepGoing: true,
  stop: new AbortController().signal,
  clock: () => 0,
  ...more,
});

/** Random graphs of up to 25 targets. */
export const graphs = fc
  .array(fc.array(fc.nat(200), { maxLength: 4 }), { minLength: 1, maxLength: 25 })
  .map((rows) =>
    rows.map((row, index) =>
      bareTarget(
        `t${index}`,
        index === 0 ? [] : [...new Set(row.map((value) => `t${value % index}`))].sort(),
      ),
    ),
  );
