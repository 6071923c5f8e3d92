/**
 * What is read out of a Containerfile for one target: its references to other images, the files it takes
 * from its context, and facts that policies ask for.
 *
 * Unaware of targets, recipes and the tree: `stagex/core-musl` is just an image reference here.
 */

/** How a build step needs an image. `from`: the step starts from it, so its whole config counts; `copy`
 * and `mount`: only its root file system does. */
export type ReferenceKind = 'copy' | 'from' | 'mount';

/** An image or named context needed from outside the Containerfile, once per place it is written. */
export interface ImageReference {
  readonly kind: ReferenceKind;
  /** As written after expansion, e.g. `stagex/core-musl`, `fetch`, `docker.io/library/alpine:3`. */
  readonly image: string;
  /** Of the first line of the instruction, 1-based; of an ONBUILD trigger, that of the ONBUILD. */
  readonly line: number;
  /** `FROM --platform=` after expansion; null where not given. */
  readonly platform: string | null;
}

/** A COPY/ADD source or a RUN's bind mount taken from the main build context, after expansion: a path or a
 * glob as Go's filepath.Match reads it (a mount's is literal: what is special in a glob is escaped), cleaned,
 * without a leading slash; `.` is everything, also where it can not be known: under `FROM image` a variable
 * that the Containerfile does not set may come from the image. */
export interface ContextSource {
  readonly pattern: string;
  readonly instruction: 'copy' | 'add' | 'mount';
  readonly line: number;
}

/** A RUN of a reachable or unreachable build stage, for policies. */
export interface RunFact {
  readonly line: number;
  /** `--network=` after expansion: none, default, host; `default` where not given. */
  readonly network: string;
  /** `--security=`; `sandbox` where not given. */
  readonly security: string;
  readonly reachable: boolean;
}

/** One build stage (`FROM` to the next `FROM`). */
export interface BuildStage {
  readonly index: number;
  /** Lower case, as BuildKit compares; null where unnamed. */
  readonly name: string | null;
  readonly line: number;
  /** What FROM names, expanded. */
  readonly base: string;
  /** `FROM --platform=` after expansion; null where not given. */
  readonly platform: string | null;
  readonly reachable: boolean;
  /** Replaced by a named context of the same name, as BuildKit does: none of its instructions run. */
  readonly replacedByContext: boolean;
}

/** A Containerfile resolved for one build target, platform and set of build args. */
export interface ResolvedContainerfile {
  readonly stages: readonly BuildStage[];
  /** Of reachable stages only, in order of appearance. `scratch` and other build stages are not in it. */
  readonly references: readonly ImageReference[];
  /** The reference the target's stage starts from, followed through FROMs of other build stages; null for
   * scratch. Its layers are the bottom layers of the output. */
  readonly base: ImageReference | null;
  /** The same for stages not reachable from the target: for lint. */
  readonly unreachableReferences: readonly ImageReference[];
  /** Of reachable stages only. */
  readonly contextSources: readonly ContextSource[];
  readonly runs: readonly RunFact[];
  /** `ADD https://...` or `ADD git@...` in reachable stages: fetched by BuildKit behind our back. */
  readonly remoteAdds: readonly { readonly url: string; readonly line: number }[];
  /** The `# syntax=` directive's value and line, null where there is none. */
  readonly syntax: { readonly image: string; readonly line: number } | null;
  /** ONBUILD triggers that the target's image will carry: instructions for builds FROM it. */
  readonly onbuild: readonly { readonly expression: string; readonly line: number }[];
  /** Names of ARGs declared anywhere in reachable stages or before the first FROM (for unused args). */
  readonly args: readonly string[];
}

/** What a Containerfile is resolved for. */
export interface ResolveOptions {
  /** The `--target`; null means the last build stage. */
  readonly target: string | null;
  readonly buildArgs: Readonly<Record<string, string>>;
  /** The platform to build for, `os/arch[/variant]`. */
  readonly platform: string;
  /** The platform the build runs on (BUILDPLATFORM...); defaults to `platform`. */
  readonly buildPlatform?: string;
  /** Named contexts given whatever the Containerfile says: `fetch`. Stages of that name are replaced. */
  readonly contexts: ReadonlySet<string>;
}
