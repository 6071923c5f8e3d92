/**
 * On which processors a target's build has to run programs, and on which it may have to.
 *
 * Only a RUN needs the processor it is for: COPY and the like give an image for any platform anywhere. Unaware of workers.
 */
import type { BuildStage, ResolvedContainerfile } from '../containerfile/model.ts';
import { formatPlatform, normalizePlatform, parsePlatform } from '../containerfile/platform.ts';
import { sortedUnique } from '../order.ts';
import type { Target } from '../recipe/model.ts';
import type { GraphTarget } from './model.ts';

/** Normalised, sorted. */
export interface TargetPlatforms {
  /** A RUN is for these: where none of them can run, the build fails. */
  readonly must: readonly string[];
  /**
   * Also what is copied or mounted from targets of other platforms is for these: programs of theirs that a RUN starts
   * (core-go starts those of bootstrap-stage1, linux/386). Whether it does nobody can see, so it is only better.
   */
  readonly may: readonly string[];
}

/** In BuildKit's one spelling of it: `linux/arm64/v8` is `linux/arm64`. */
export function canonicalPlatform(platform: string): string {
  return formatPlatform(normalizePlatform(parsePlatform(platform, null)), false);
}

type Reads = Pick<GraphTarget, 'platforms' | 'resolved' | 'edges' | 'contextNames'>;

/** @param targets where the needed ones are looked up */
export function platformsOf(
  target: Reads,
  targets: ReadonlyMap<string, Pick<Target, 'platforms'>>,
): TargetPlatforms {
  const must: string[] = [];
  let runs = false;
  for (const [index, platform] of target.platforms.entries()) {
    const resolved = target.resolved[index];
    // Nothing is known of its steps.
    if (resolved === undefined) must.push(platform);
    for (const stage of resolved === undefined ? [] : stagesThatRun(resolved)) {
      runs = true;
      must.push(stagePlatform(stage, resolved as ResolvedContainerfile, platform, target, targets));
    }
  }
  const taken = runs
    ? target.edges.flatMap(({ to }) => foreign(targets.get(to)?.platforms ?? [], target.platforms))
    : [];
  const normal = must.map(canonicalPlatform);
  return { must: sortedUnique(normal), may: sortedUnique([...normal, ...taken.map(canonicalPlatform)]) };
}

/** Reachable stages with a RUN of their own. */
function stagesThatRun({ stages, runs }: ResolvedContainerfile): Set<BuildStage> {
  const found = new Set<BuildStage>();
  for (const run of runs) {
    if (!run.reachable) continue;
    const stage = stages.findLast(({ line }) => line <= run.line);
    if (stage !== undefined) found.add(stage);
  }
  return found;
}

/** What its FROM says, else what it starts from: BuildKit gives an image of another platform its own (linux/386 in a
 * build for linux/amd64), else the target's. */
function stagePlatform(
  stage: BuildStage,
  { stages }: ResolvedContainerfile,
  platform: string,
  { contextNames }: Reads,
  targets: ReadonlyMap<string, Pick<Target, 'platforms'>>,
): string {
  let at: BuildStage | undefined = stage;
  let first = stage;
  while (at !== undefined) {
    if (at.platform !== null) return at.platform;
    first = at;
    const { index, base }: BuildStage = at;
    at = stages.findLast((other) => other.index < index && other.name === base);
  }
  const needed = contextNames.get(first.base);
  const given = needed === undefined ? [] : (targets.get(needed)?.platforms ?? []);
  return foreign(given, [platform])[0] ?? platform;
}

/** The platforms of one that is built for none of the others. */
function foreign(given: readonly string[], others: readonly string[]): readonly string[] {
  const known = new Set(others.map(canonicalPlatform));
  return given.some((platform) => known.has(canonicalPlatform(platform))) ? [] : given;
}
