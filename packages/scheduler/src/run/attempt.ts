/**
 * One build of one target on one worker, step by step: stage the context, check it is what was judged, build,
 * verify, look at the inputs again.
 *
 * Unaware of queues, retries and other targets.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Failure } from '@stx-make/core/events';
import type { GraphTarget } from '@stx-make/core/graph/model';
import type { Digest, Output } from '@stx-make/core/oci/model';
import type { BuildRequest, BuildResult, Export, StepLimits } from '../buildkit/model.ts';
import { type StagedContext, type StagedSource, stageContext } from '../context/index.ts';
import { imageFor, type RecipeFiles } from '../plan/inputs.ts';
import { type Expectation, type Pool, VerificationError, verifyOutput } from '../store/index.ts';
import type { Crew } from './driver.ts';
import { failureOf } from './failures.ts';
import type { Attempt, AttemptResult } from './ports.ts';
import type { ViaRegistry } from './via-registry.ts';

/** SOURCE_DATE_EPOCH of every StageX build, seconds. */
const EPOCH = 1;

/** An archive holds the layers of the base, too: up to so many bytes of them, sending costs less than asking which are
 * there (some 18 ms; a local daemon sends about 500 MB/s). */
const CHEAP_BASE = 8 * 1024 * 1024;

/** What an attempt needs of its run. */
export interface AttemptTools {
  readonly root: string;
  readonly pool: Pool;
  /** This run's private folder, on the pool's file system. */
  readonly work: string;
  readonly crew: Pick<Crew, 'build'>;
  readonly limits: StepLimits;
  readonly cache: BuildRequest['cache'];
  /** The target's sources in the source store. */
  sourcesOf(target: GraphTarget): readonly StagedSource[];
  /** Dependencies and outputs go through a registry, not through the pool; left out: through the pool. */
  readonly via?: ViaRegistry | undefined;
  /** Looks at the recipe folder again: is what this attempt was judged by still what is to be built? */
  isStillWanted(attempt: Attempt): Promise<boolean>;
}

/** Never throws for what a build, a daemon or an edit can do. */
export async function attemptBuild(attempt: Attempt, tools: AttemptTools): Promise<AttemptResult> {
  const folder = join(tools.work, `${attempt.target.name}.${attempt.number}`);
  try {
    return await stagedBuild(attempt, tools, folder);
  } catch (error) {
    if (attempt.signal.aborted) return { status: 'cancelled' };
    // A file that vanished while it was staged is an edit, not an error.
    if (!(await tools.isStillWanted(attempt))) return { status: 'edited' };
    return { status: 'failed', failure: failureOf(error, attempt.logFile), retry: 'no' };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function stagedBuild(attempt: Attempt, tools: AttemptTools, folder: string): Promise<AttemptResult> {
  const { target } = attempt;
  // Not the tree's files as they are known now: another target's edit may have had it read again since.
  const judged = attempt.fingerprint.files;
  const staged = stageContext({
    recipe: join(tools.root, target.recipe.dir),
    files: [...judged.values()],
    sources: tools.sourcesOf(target),
    destination: join(folder, 'context'),
  });
  if (!isSame(judged, staged.files)) return { status: 'edited' };
  const request = requestOf(attempt, tools, staged.contextDir, staged.fetchDir);
  // A second export mends blobs that were damaged on the way into the pool.
  for (let last = false; ; last = true) {
    const exported = await exportOnce(attempt, tools, request, join(folder, last ? 'again' : 'export'));
    // The next try needs a registry that answers.
    if (exported.status === 'failed' && exported.retry === 'here')
      await tools.via?.untilThere(attempt.signal);
    if (exported.status === 'failed') return { ...exported, failure: placed(exported.failure, target) };
    if (exported.status === 'cancelled') return exported;
    attempt.onExported();
    try {
      const output = await verified(attempt, tools, exported.digest);
      if (attempt.signal.aborted) return { status: 'cancelled' };
      if (!(await tools.isStillWanted(attempt))) return { status: 'edited' };
      await tools.pool.syncTogether();
      return { status: 'built', output };
    } catch (error) {
      if (last || !(error instanceof VerificationError) || error.bad.length === 0) throw error;
      for (const digest of error.bad) tools.pool.remove(digest);
    }
  }
}

function verified(attempt: Attempt, tools: AttemptTools, digest: Digest): Promise<Output> {
  const expectation = expectationOf(attempt);
  if (tools.via === undefined) return verifyOutput(tools.pool, digest, expectation);
  return tools.via.pushed(attempt.target.name, digest, expectation, attempt.signal);
}

/** BuildKit knows the file as `Containerfile`; people want to know whose. */
function placed(failure: Failure, target: GraphTarget): Failure {
  return failure.file === null ? failure : { ...failure, file: `${target.recipe.dir}/Containerfile` };
}

function exportOnce(
  attempt: Attempt,
  tools: AttemptTools,
  request: BuildRequest,
  folder: string,
): Promise<BuildResult> {
  const { pool, crew } = tools;
  const build = (place: Export): Promise<BuildResult> =>
    crew.build(request, {
      worker: attempt.worker,
      export: place,
      logFile: attempt.logFile,
      signal: attempt.signal,
      onStep: attempt.onStep,
      onUsage: attempt.onUsage,
    });
  if (tools.via === undefined && isCheapToSend(attempt)) {
    return build({ kind: 'archive', blobs: pool.folder, has: (digest) => pool.isKnownGood(digest) });
  }
  const exportDir = pool.makeExportDir(
    tools.work,
    `${folder.slice(tools.work.length + 1).replaceAll('/', '.')}`,
  );
  return build({
    kind: 'folder',
    folder: exportDir,
    metadataFile: join(exportDir, 'metadata.json'),
  }).finally(() => rmSync(exportDir, { recursive: true, force: true }));
}

/** Whether little of the image comes from what it is FROM. */
function isCheapToSend(attempt: Attempt): boolean {
  let bytes = 0;
  for (const { base } of expectationOf(attempt).images) {
    if (base === 'outside') return false;
    for (const { size } of base?.layers ?? []) bytes += size;
  }
  return bytes <= CHEAP_BASE;
}

/** What is asked of BuildKit for a target. Also what `plan --commands` prints. */
export function requestOf(
  attempt: Pick<Attempt, 'target' | 'outputs'>,
  tools: Pick<AttemptTools, 'pool' | 'limits' | 'cache' | 'via'>,
  contextDir: string,
  fetchDir: string,
): BuildRequest {
  const { target, outputs } = attempt;
  return {
    target: target.name,
    recipe: target.recipe.id,
    platforms: target.platforms,
    buildTarget: target.buildTarget,
    buildArgs: target.buildArgs,
    version: target.recipe.version ?? 'latest',
    tag: target.tag,
    contextDir,
    fetchDir,
    dependencies: [...target.contextNames].map(([name, dependency]) => ({
      name,
      digest: contextDigest(needed(outputs, dependency)),
      image: tools.via?.repositoryOf(dependency),
    })),
    pushTo: tools.via?.pushTo(target.name),
    pool: tools.pool.root,
    cache: tools.cache,
    limits: tools.limits,
  };
}

/** The manifest's digest: an index of another platform's image is refused (BUILDKIT.md 5). Of several platforms the
 * index is the only name that holds them all. */
function contextDigest(output: Output) {
  const [first] = output.images;
  return first !== undefined && output.images.length === 1 ? first.manifest.digest : output.index.digest;
}

/** What must come out: these platforms, these annotations, the base's layers at the bottom. */
export function expectationOf(attempt: Pick<Attempt, 'target' | 'outputs'>): Expectation {
  const { target, outputs } = attempt;
  return {
    target: target.name,
    images: target.platforms.map((platform, index) => {
      const base = target.resolved[index]?.base ?? null;
      const dependency = base === null ? undefined : target.contextNames.get(base.image);
      if (base === null) return { platform, base: null };
      // An image that stx-make.toml allows by name.
      if (dependency === undefined) return { platform, base: 'outside' as const };
      return { platform, base: imageFor(needed(outputs, dependency), base.platform ?? platform) };
    }),
    annotations: {
      'containerd.io/distribution.source.docker.io': `stagex/${target.name}`,
      'org.opencontainers.image.version': target.recipe.version ?? 'latest',
      'org.opencontainers.image.created': '1970-01-01T00:00:01Z',
    },
    epoch: EPOCH,
  };
}

function needed(outputs: ReadonlyMap<string, Output>, dependency: string): Output {
  const output = outputs.get(dependency);
  if (output === undefined) throw new Error(`${dependency} has no output yet`);
  return output;
}

/** Whether what was staged is exactly what was judged. */
function isSame(judged: RecipeFiles, staged: StagedContext['files']): boolean {
  return (
    staged.length === judged.size &&
    staged.every((file) => {
      const known = judged.get(file.path);
      return known?.digest === file.digest && known.mode === file.mode;
    })
  );
}
