/**
 * From the image references of a Containerfile to edges between targets: which reference means which target,
 * and what is wrong with those that mean none.
 */
import type { ImageReference, ResolvedContainerfile } from '../containerfile/model.ts';
import { inputProblem, type Problem } from '../errors.ts';
import { byCodeUnit, sortedUnique } from '../order.ts';
import type { Target } from '../recipe/model.ts';
import { didYouMean, listed, nearestNames } from '../recipe/nearest.ts';
import { samePlatform } from '../recipe/platform.ts';
import { type ImageMeaning, meaningOf } from './image.ts';
import type { Edge } from './model.ts';
import { sortedByPlace } from './places.ts';
import { GIVEN_CONTEXTS } from './reader.ts';

/** What references are looked up in. */
export interface TreeNames {
  readonly targets: ReadonlyMap<string, Target>;
  /** `<stage>-<name>` of recipes that are split into subpackages -> the targets they give. */
  readonly split: ReadonlyMap<string, readonly string[]>;
  /** `<stage>-<name>` of folders that are skipped for want of a package.toml -> folder. */
  readonly skipped: ReadonlyMap<string, string>;
  /** Targets that broken recipes would give: needing them is no further error. */
  readonly broken: ReadonlySet<string>;
  /** Images that may come from a registry, as written or as Docker shortens them. */
  readonly allowedImages: ReadonlySet<string>;
  /** What references mean, as far as it was asked: a tree writes few of them, each many times. */
  readonly meanings: Map<string, ImageMeaning>;
}

export interface TargetEdges {
  /** In order of place, without repetition. */
  readonly edges: readonly Edge[];
  readonly dependencies: readonly string[];
  readonly contextNames: ReadonlyMap<string, string>;
  readonly problems: readonly Problem[];
}

/** The edges of one target. Codes: `unknown-dependency`, `image-from-outside`, `bad-image`, `platform-mismatch`. */
export function edgesOf(
  target: Target,
  resolved: readonly ResolvedContainerfile[],
  names: TreeNames,
): TargetEdges {
  const file = `${target.recipe.dir}/Containerfile`;
  const edges: Edge[] = [];
  const contexts = new Map<string, string>();
  const problems: Problem[] = [];
  for (const { references } of resolved) {
    for (const reference of references) {
      const found = lookUp(reference, names, file);
      if (found === null) continue;
      if ('code' in found) {
        problems.push(found);
        continue;
      }
      edges.push({ from: target.name, to: found.target, kind: reference.kind, file, line: reference.line });
      // BuildKit looks for the short form; others look for what is written.
      contexts.set(found.context, found.target);
      if (reference.image !== found.context) contexts.set(reference.image, found.target);
      const mismatch = platformMismatch(reference, names.targets.get(found.target), file);
      if (mismatch !== null) problems.push(mismatch);
    }
  }
  const keys = [...contexts.keys()].sort(byCodeUnit);
  return {
    edges: sortedByPlace(edges),
    dependencies: sortedUnique(contexts.values()),
    contextNames: new Map(keys.map((key) => [key, contexts.get(key) ?? ''])),
    problems,
  };
}

type Found = { readonly target: string; readonly context: string };

/** The target, the problem, or null where there is nothing to say. */
function lookUp({ image, line }: ImageReference, names: TreeNames, file: string): Found | Problem | null {
  const meaning = meaningIn(names.meanings, image);
  if (meaning.kind === 'target' && names.targets.has(meaning.target)) return meaning;
  if (names.allowedImages.has(image)) return null;
  const problem = (code: string, text: string, hint?: string): Problem =>
    inputProblem({ code, text, file, line, hint });
  if (meaning.kind === 'malformed')
    return problem('bad-image', `${JSON.stringify(image)} is no image reference`);
  if (names.allowedImages.has(meaning.context)) return null;
  switch (meaning.kind) {
    case 'target':
      if (names.broken.has(meaning.target)) return null;
      return problem('unknown-dependency', ...unknown(image, meaning.target, names));
    case 'foreign-version':
      return problem(
        'image-from-outside',
        `${image} is not the tree's own ${meaning.target} but an image that only a registry has`,
        `write stagex/${meaning.target}`,
      );
    case 'outside': {
      if (GIVEN_CONTEXTS.has(meaning.context)) return null;
      return problem(
        'image-from-outside',
        `${image} comes from outside the tree`,
        'take a package of the tree (stagex/<stage>-<name>), or allow this image by name',
      );
    }
  }
}

function meaningIn(meanings: TreeNames['meanings'], image: string): ImageMeaning {
  const known = meanings.get(image);
  if (known !== undefined) return known;
  const meaning = meaningOf(image);
  meanings.set(image, meaning);
  return meaning;
}

/** Text and hint for what is no target. */
function unknown(image: string, wanted: string, names: TreeNames): [string, string | undefined] {
  const split = names.split.get(wanted);
  if (split !== undefined) {
    return [
      `${image}: that recipe gives no target of this name`,
      `its subpackages are ${listed(split, 'and')}`,
    ];
  }
  const folder = names.skipped.get(wanted);
  if (folder !== undefined) return [`${image}: ${folder} is skipped, it has no package.toml`, undefined];
  const known = [...names.targets.keys()];
  // A forgotten or a wrong stage is nearer than any other spelling.
  const bare = wanted.slice(wanted.indexOf('-') + 1);
  const elsewhere = known.filter((name) => {
    const own = name.slice(name.indexOf('-') + 1);
    return own === bare || own === wanted;
  });
  const near = elsewhere.length > 0 ? elsewhere : nearestNames(wanted, known);
  return [`${image}: there is no such target`, didYouMean(near.map((name) => `stagex/${name}`))];
}

/** `FROM --platform=` names what the needed target is not built for: BuildKit would take the wrong one, since
 * it is given a manifest and not an index (BUILDKIT.md 5). */
function platformMismatch(
  { platform, image, line }: ImageReference,
  needed: Target | undefined,
  file: string,
): Problem | null {
  if (platform === null || needed === undefined) return null;
  if (needed.platforms.some((built) => samePlatform(built, platform))) return null;
  const text = `${image} is wanted for ${platform} and built for ${listed(needed.platforms, 'and')}`;
  return inputProblem({ code: 'platform-mismatch', text, file, line });
}
