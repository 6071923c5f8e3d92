/**
 * The graph of targets: plain data, sorted, independent of the order in which recipes were read.
 */
import type { ReferenceKind, ResolvedContainerfile } from '../containerfile/model.ts';
import type { Problem } from '../errors.ts';
import type { Recipe, Target } from '../recipe/model.ts';

/** From what needs to what is needed; one per place where it is written and reachable. */
export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly kind: ReferenceKind;
  /** Relative to the tree's root. */
  readonly file: string;
  readonly line: number;
}

/** A target with all that its own Containerfile says. */
export interface GraphTarget extends Target {
  /** By platform of the target, same order as `platforms`. */
  readonly resolved: readonly ResolvedContainerfile[];
  /** The edges that leave this target, in order of place. */
  readonly edges: readonly Edge[];
  /** Distinct names of needed targets, sorted. */
  readonly dependencies: readonly string[];
  /** How BuildKit will ask for each dependency: every spelling used (`stagex/core-musl`,
   * `stagex/core-musl:latest`, ...) -> target name. Keys sorted. */
  readonly contextNames: ReadonlyMap<string, string>;
}

/** The whole tree's graph. Acyclic, every edge's end known. */
export interface TargetGraph {
  /** Keys sorted by code unit. */
  readonly targets: ReadonlyMap<string, GraphTarget>;
  /** Topological, dependencies first, ties by code unit. */
  readonly order: readonly string[];
  /** target -> targets that need it directly, sorted. */
  readonly dependents: ReadonlyMap<string, readonly string[]>;
}

/** One recipe folder as bytes: what the loader gives to core. */
export interface RecipeFolder {
  readonly stage: string;
  readonly name: string;
  /** Relative to the root, with `/`. */
  readonly dir: string;
  /** null where the file is not there. */
  readonly packageToml: Uint8Array | null;
  readonly containerfile: Uint8Array | null;
}

export interface LoadedTree {
  readonly recipes: readonly Recipe[];
  readonly graph: TargetGraph;
  readonly warnings: readonly Problem[];
}
