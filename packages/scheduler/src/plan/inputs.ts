/**
 * From a target, the files of its recipe and what its dependencies gave, to its fingerprint.
 *
 * Pure. Unaware of records, workers and the disk.
 */
import { matchesContextSource } from '@stx-make/core/containerfile/sources';
import {
  ANY_ENGINE,
  type ContextFile,
  type DependencyFact,
  encodeFacts,
  factsOf,
  fingerprintOf,
  visibility,
} from '@stx-make/core/fingerprint/encode';
import type { GraphTarget } from '@stx-make/core/graph/model';
import { digestOf } from '@stx-make/core/oci/digest';
import { imageIdentity, rootfsIdentity } from '@stx-make/core/oci/identity';
import type { Digest, ImageOutput, Output } from '@stx-make/core/oci/model';
import { normalizePlatform } from '@stx-make/core/oci/platform';

/** The files of a recipe folder by path, Containerfile and package.toml among them. */
export type RecipeFiles = ReadonlyMap<string, ContextFile>;

export interface Fingerprint {
  readonly digest: Digest;
  /** The encoded facts, kept beside the record for `why`. */
  readonly text: string;
  /** The recipe's files it was made from: what is built must be these, whatever the tree was read as meanwhile. */
  readonly files: RecipeFiles;
}

/** The two files of a recipe that are in every context but rarely in an image. */
const DESCRIPTIONS = new Set(['Containerfile', 'package.toml']);

/**
 * The files of a recipe that can change this target's output: all of the context, the Containerfile and
 * package.toml only where a reachable COPY or ADD can take them (the Containerfile's own bytes count apart).
 */
export function countedFiles(target: GraphTarget, files: RecipeFiles): ContextFile[] {
  const all = [...files.values()];
  // A COPY of a link in the context takes what it leads to, which a pattern can not tell.
  if (all.some((file) => file.mode === 'link')) return all;
  return all.filter((file) => !DESCRIPTIONS.has(file.path) || isTaken(target, file.path));
}

function isTaken(target: GraphTarget, path: string): boolean {
  return target.resolved.some((resolved) =>
    resolved.contextSources.some((source) => matchesContextSource(source, path)),
  );
}

/** What `target` sees of each of its dependencies. */
export function dependencyFacts(
  target: GraphTarget,
  outputOf: (dependency: string) => Output,
): DependencyFact[] {
  // Each list is gone through once: a pallet has a hundred of both.
  const kinds = grouped(target.edges, ({ to }) => to);
  const platforms = platformsTaken(target);
  return target.dependencies.map((dependency) => {
    const sees = visibility((kinds.get(dependency) ?? []).map((edge) => edge.kind));
    const identity = identityOf(outputOf(dependency), sees, [...(platforms.get(dependency) ?? [])]);
    return { target: dependency, sees, identity };
  });
}

function grouped<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

/** For which platforms a target takes each dependency: its own, or what its FROM says; each once, in order. */
function platformsTaken(target: GraphTarget): Map<string, Set<string>> {
  const { resolved, contextNames, platforms } = target;
  const taken = new Map<string, Set<string>>();
  for (const [place, { references }] of resolved.entries()) {
    for (const { image, platform } of references) {
      const dependency = contextNames.get(image);
      if (dependency === undefined) continue;
      const known = taken.get(dependency) ?? new Set();
      taken.set(dependency, known.add(platform ?? platforms[place] ?? ''));
    }
  }
  return taken;
}

/** The image BuildKit takes of an output: the platform's own, else the first (BUILDKIT.md 5: a manifest given by its
 * own digest is taken for any platform). */
export function imageFor(output: Output, platform: string): ImageOutput | null {
  const find = (wanted: string): ImageOutput | undefined =>
    output.images.find((image) => image.platform === wanted);
  // As it is written it nearly always fits, and that is found without taking it apart.
  return find(platform) ?? find(normalizePlatform(platform)) ?? output.images[0] ?? null;
}

/** An output has as many that look at it as it has dependents: each identity is hashed once. */
const ROOTFS = new WeakMap<ImageOutput, Digest>();
const IMAGES = new WeakMap<ImageOutput, Digest>();

function identityOfImage(image: ImageOutput, sees: DependencyFact['sees']): Digest {
  const known = sees === 'rootfs' ? ROOTFS : IMAGES;
  let identity = known.get(image);
  if (identity === undefined) {
    identity = sees === 'rootfs' ? rootfsIdentity(image) : imageIdentity(image);
    known.set(image, identity);
  }
  return identity;
}

/** The identity of an output as seen by a COPY (rootfs) or a FROM (image), for these platforms. */
export function identityOf(
  output: Output,
  sees: DependencyFact['sees'],
  platforms: readonly string[],
): Digest {
  const seen = platforms.map((platform) => {
    const image = imageFor(output, platform);
    if (image === null) throw new Error('an output without images');
    return { platform, identity: identityOfImage(image, sees) };
  });
  const [first, ...more] = seen;
  if (first === undefined) throw new Error('a dependency that is taken for no platform');
  if (more.every(({ identity }) => identity === first.identity)) return first.identity;
  return digestOf(JSON.stringify(seen.map(({ platform, identity }) => [platform, identity])));
}

/** The fingerprint of a target whose dependencies' outputs are all known. */
export function fingerprintTarget(
  target: GraphTarget,
  files: RecipeFiles,
  outputOf: (dependency: string) => Output,
  engine: string,
): Fingerprint {
  const containerfile = files.get('Containerfile');
  if (containerfile === undefined) throw new Error(`no Containerfile among the files of ${target.recipe.id}`);
  const text = encodeFacts(
    factsOf({
      target: target.name,
      version: target.recipe.version ?? 'latest',
      buildTarget: target.buildTarget,
      platforms: target.platforms,
      containerfile: containerfile.digest,
      files: countedFiles(target, files),
      sources: target.recipe.sources,
      buildArgs: target.buildArgs,
      engine,
      dependencies: dependencyFacts(target, outputOf),
    }),
  );
  return { digest: fingerprintOf(text), text, files };
}

export { ANY_ENGINE };
