/**
 * Which engine a daemon is: builds the canary and looks at what came out. Two daemons of one engine give
 * equal bytes for equal inputs; one whose canary is the known one can reach StageX's published digests.
 *
 * Unaware of fingerprints and of the real builds' outputs.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { environmentProblem, type Problem, ProblemError } from '@stx-make/core/errors';
import { hexOf, isDigest, parseDigest } from '@stx-make/core/oci/digest';
import type { Digest } from '@stx-make/core/oci/model';
import { runBuild, writeSourcePolicy } from './build.ts';
import { KNOWN, writeCanary } from './canary-image.ts';
import type { BuildRequest, Engine, StepLimits } from './model.ts';
import type { DaemonFacts } from './worker.ts';

export interface ProbeOptions {
  readonly address: string;
  readonly buildctl: string;
  readonly env: NodeJS.ProcessEnv;
  /** An existing folder; what is made in it is removed again. */
  readonly work: string;
  readonly signal: AbortSignal;
  /** Only cpusetcpus counts: a step sees it (nproc). */
  readonly limits: StepLimits;
  /** The Go release of the daemon's binary, where it is known. */
  readonly goRelease: string | null;
}

/** What the canary build gave. */
export interface CanaryResult {
  readonly manifest: Digest;
  /** The layer copied from constants, compressed and not. */
  readonly layer: Digest;
  readonly diffId: Digest;
  /** What a step sees: null where no step could be run (not amd64). */
  readonly sys: boolean | null;
}

/** Builds the canary, always anew: a compressed layer in the daemon's cache would hide another compressor.
 * @throws ProblemError `canary-failed` (environment), `run-cancelled` when the signal aborts */
export async function buildCanary(facts: DaemonFacts, options: ProbeOptions): Promise<CanaryResult> {
  const native = facts.platforms.includes('linux/amd64');
  const platform = native ? 'linux/amd64' : (facts.platforms[0] ?? 'linux/amd64');
  mkdirSync(options.work, { recursive: true });
  const folder = mkdtempSync(join(options.work, 'canary-'));
  try {
    const context = join(folder, 'context');
    const fetch = join(folder, 'fetch');
    mkdirSync(context);
    mkdirSync(fetch);
    writeCanary(context, native);
    const policyFile = join(folder, 'policy.json');
    await writeSourcePolicy(policyFile);
    const logFile = join(folder, 'log');
    const exportDir = join(folder, 'export');
    const result = await runBuild(canaryRequest(platform, context, fetch, folder), {
      ...options,
      export: { kind: 'folder', folder: exportDir, metadataFile: join(folder, 'metadata.json') },
      policyFile,
      logFile,
      onStep: () => undefined,
    });
    switch (result.status) {
      case 'exported':
        return readCanary(exportDir, result.digest, native ? readFileSync(logFile, 'utf8') : null);
      case 'cancelled':
        throw new ProblemError(
          environmentProblem({ code: 'run-cancelled', text: 'Stopped while BuildKit was looked at.' }),
        );
      case 'failed':
        throw new ProblemError(
          environmentProblem({
            code: 'canary-failed',
            text: `BuildKit at ${options.address} can not build a trivial image: ${result.failure.cause}${result.failure.tail.map((line) => `\n  ${line}`).join('')}`,
            hint: 'Look at the daemon: does it run steps at all (runc, mounts, free space)?',
          }),
        );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function canaryRequest(platform: string, contextDir: string, fetchDir: string, pool: string): BuildRequest {
  return {
    target: 'canary',
    recipe: 'stx-make/canary',
    platforms: [platform],
    buildTarget: null,
    buildArgs: { BUILDKIT_MULTI_PLATFORM: '1', SOURCE_DATE_EPOCH: '1' },
    version: '1',
    tag: 'stx-make/canary:1',
    contextDir,
    fetchDir,
    dependencies: [],
    pool,
    cache: 'none',
    limits: {},
  };
}

/** The chain index, manifest, config of the exported layout, as far as needed. The log tells what the step saw,
 * null where there was none. */
function readCanary(exportDir: string, index: Digest, log: string | null): CanaryResult {
  const read = (digest: Digest): unknown =>
    JSON.parse(readFileSync(join(exportDir, 'blobs', 'sha256', hexOf(digest)), 'utf8'));
  const manifest = parseDigest(at(read(index), 'manifests', 0, 'digest'), 'canary manifest');
  const document = read(manifest);
  const config = read(parseDigest(at(document, 'config', 'digest'), 'canary config'));
  return {
    manifest,
    layer: parseDigest(at(document, 'layers', 0, 'digest'), 'canary layer'),
    diffId: parseDigest(at(config, 'rootfs', 'diff_ids', 0), 'canary diff id'),
    sys: log === null ? null : /^sys: yes$/m.test(log),
  };
}

function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let here = value;
  for (const key of path)
    here = typeof here === 'object' && here !== null ? Reflect.get(here, key) : undefined;
  return here;
}

/** The engine that a canary shows. Its id holds what can change bytes: the encoder, the tar writer, whether
 * steps see /sys, the processors they are bound to. Not the version: a release that gives the same bytes must
 * not cost a rebuild of everything. */
export function engineOf(
  canary: CanaryResult,
  facts: DaemonFacts,
  options: Pick<ProbeOptions, 'limits' | 'goRelease'>,
): Engine {
  const seen = [
    'engine 1',
    `layer ${canary.layer}`,
    `diff ${canary.diffId}`,
    // Another architecture has no probe and counts as usual.
    `sys ${canary.sys === false ? 'no' : 'yes'}`,
    ...(options.limits.cpusetCpus === undefined ? [] : [`cpuset ${options.limits.cpusetCpus}`]),
  ];
  return {
    id: createHash('sha256').update(seen.join('\n')).digest('hex'),
    canary: canary.manifest,
    matchesPublished: canary.layer === KNOWN.layer && canary.diffId === KNOWN.diffId,
    version: facts.version,
    goRelease: options.goRelease,
  };
}

/** What an unexpected canary means, for doctor and the run's header; empty where all is as it should be. */
export function canaryProblems(canary: CanaryResult, facts: DaemonFacts, address: string): Problem[] {
  const problems: Problem[] = [];
  const warn = (code: string, text: string, hint: string) =>
    problems.push(environmentProblem({ code, level: 'warning', text, hint }));
  const consequence = 'digests from this builder will not equal the published ones';
  if (canary.diffId !== KNOWN.diffId) {
    warn(
      'canary-content',
      `BuildKit ${facts.version} at ${address} writes other layer contents than the releases StageX is built with: ${consequence}.`,
      'Use BuildKit v0.32.2 compiled by Go 1.26, as ./run provides it.',
    );
  } else if (canary.layer !== KNOWN.layer) {
    warn(
      'canary-compressor',
      `BuildKit ${facts.version} at ${address} has another gzip compressor (equal diff ids, other digests; Go 1.27 and later compress differently): ${consequence}.`,
      'Compile BuildKit with Go 1.25 or 1.26, or use ./run, which does.',
    );
  }
  if (canary.sys === false) {
    warn(
      'canary-rootless',
      `Steps of BuildKit at ${address} see an empty /sys (it runs rootless): recipes that look there give other digests, and memory limits are ignored.`,
      'For published digests use a BuildKit that runs as root.',
    );
  }
  return problems;
}

/** Asks a daemon what engine it is. About 0.3 s.
 * @throws ProblemError as `buildCanary` */
export async function probeEngine(
  facts: DaemonFacts,
  options: ProbeOptions,
): Promise<{ readonly engine: Engine; readonly warnings: readonly Problem[] }> {
  const canary = await buildCanary(facts, options);
  return {
    engine: engineOf(canary, facts, options),
    warnings: canaryProblems(canary, facts, options.address),
  };
}

/** For a cached engine: data from a file, checked. */
export function isEngine(value: unknown): value is Engine {
  if (typeof value !== 'object' || value === null) return false;
  const get = (key: string): unknown => Reflect.get(value, key);
  const release = get('goRelease');
  return (
    typeof get('id') === 'string' &&
    isDigest(get('canary')) &&
    typeof get('matchesPublished') === 'boolean' &&
    typeof get('version') === 'string' &&
    (release === null || typeof release === 'string')
  );
}
