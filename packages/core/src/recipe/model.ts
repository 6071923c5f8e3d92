/**
 * What a recipe is, after its package.toml was read and checked, and the targets it gives.
 *
 * A recipe is a folder `<stage>/<name>/` with a package.toml and a Containerfile. Unaware of Containerfile
 * contents, files on disk and the graph.
 */

/** One `[sources.<name>]`: a file to download, pinned by sha256. Placeholders are already expanded. */
export interface Source {
  /** The key under `[sources]`. */
  readonly name: string;
  /** The source's own version, null where it has none (then the recipe's was used for placeholders). */
  readonly version: string | null;
  /** 64 lower-case hex digits. */
  readonly sha256: string;
  readonly format: string | null;
  /** File name under `fetch/`, one path segment. */
  readonly file: string;
  /** Where the file name comes from the URL it is the last path part of the FIRST mirror. */
  readonly mirrors: readonly string[];
  readonly gitSha: string | null;
  /** Line of `[sources.<name>]` in package.toml, 1-based. */
  readonly line: number;
}

/** A package.toml, validated; `version` is null until `version_from` is resolved. */
export interface Recipe {
  /** `<stage>/<name>`, from the folder, e.g. `core/rust`. */
  readonly id: string;
  readonly stage: string;
  /** The folder's name; it names the recipe. */
  readonly name: string;
  /** Relative to the tree's root with `/`: `packages/core/rust` or `core/rust`. */
  readonly dir: string;
  readonly version: string | null;
  /** `<stage>-<target name>` whose version this recipe takes. */
  readonly versionFrom: string | null;
  readonly description: string | null;
  readonly license: string | null;
  readonly website: string | null;
  /** `os/arch[/variant]`; empty means: what the user asks for. */
  readonly platforms: readonly string[];
  readonly subpackages: readonly string[];
  /** In the order of package.toml. */
  readonly sources: readonly Source[];
}

/** What is built: one a recipe, or one for each of its subpackages. */
export interface Target {
  /** `<stage>-<name>`, e.g. `core-rust`. */
  readonly name: string;
  readonly stage: string;
  readonly recipe: Recipe;
  /** `package-<subpackage>` or null. */
  readonly buildTarget: string | null;
  /** The recipe's platforms, else the user's. Never empty. */
  readonly platforms: readonly string[];
  /** `stagex/<name>:<version or latest>`. */
  readonly tag: string;
  /** What upstream passes with --build-arg, SOURCE_DATE_EPOCH and BUILDKIT_* among them; keys sorted. */
  readonly buildArgs: Readonly<Record<string, string>>;
}
