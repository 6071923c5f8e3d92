/**
 * One end of a comparison: a tree as it is now or as it was in a commit, and the own inputs of its targets.
 */
import type { Config } from '@stx-make/core/config/model';
import { type Fact, factsOf, visibility } from '@stx-make/core/fingerprint/encode';
import type { GraphTarget, LoadedTree } from '@stx-make/core/graph/model';
import { digestOf } from '@stx-make/core/oci/digest';
import { countedFiles, type RecipeFiles } from '../plan/inputs.ts';
import type { digestsOfTexts } from './digest-texts.ts';

export interface End {
  /** As people should read it: the name they gave, or `the working tree`. */
  readonly label: string;
  /** Null: the working tree. */
  readonly commit: string | null;
  readonly config: Config;
  readonly tree: LoadedTree;
  /** By recipe id. */
  readonly files: ReadonlyMap<string, RecipeFiles>;
  /** Texts of digests/<stage>.txt, by stage. */
  readonly digests: ReturnType<typeof digestsOfTexts>;
  /** A file of the tree, path relative to its root; null where there is none. */
  readonly read: (path: string) => Promise<Uint8Array | null>;
}

/** In the place of what comparing own inputs leaves out. */
const LEFT_OUT = digestOf('');

/** The own inputs of every target: its fingerprint's facts without the builder and without what its dependencies gave;
 * that it needs them, and whether as a base, counts. */
export function ownFacts({ tree, files }: Pick<End, 'tree' | 'files'>): Map<string, readonly Fact[]> {
  return new Map(
    [...tree.graph.targets.values()].map((target) => {
      const known = files.get(target.recipe.id);
      if (known === undefined) throw new Error(`no files of ${target.recipe.id}`);
      return [target.name, factsOfTarget(target, known)];
    }),
  );
}

function factsOfTarget(target: GraphTarget, files: RecipeFiles): Fact[] {
  const containerfile = files.get('Containerfile');
  if (containerfile === undefined) throw new Error(`no Containerfile among the files of ${target.recipe.id}`);
  return factsOf({
    target: target.name,
    version: target.recipe.version ?? 'latest',
    buildTarget: target.buildTarget,
    platforms: target.platforms,
    containerfile: containerfile.digest,
    files: countedFiles(target, files),
    sources: target.recipe.sources,
    buildArgs: target.buildArgs,
    engine: '',
    dependencies: target.dependencies.map((name) => ({
      target: name,
      sees: visibility(target.edges.filter(({ to }) => to === name).map(({ kind }) => kind)),
      identity: LEFT_OUT,
    })),
  });
}
