/**
 * What one recipe folder says by itself: plain JSON, so that it can be kept under the hash of its bytes.
 *
 * Unaware of other recipes; what needs their versions is left open here (`pending`).
 */
import type { Problem } from '../errors.ts';
import type { Recipe } from './model.ts';
import type { Place } from './utf8.ts';

/** Raised whenever the shape or the meaning of facts changes: kept ones are then read again. */
export const FACTS_VERSION = 3;

/** A source before its placeholders are filled. */
export interface SourceDraft {
  readonly name: string;
  readonly version: string | null;
  readonly sha256: string;
  readonly format: string | null;
  readonly gitSha: string | null;
  readonly file: { readonly value: string; readonly place: Place } | null;
  readonly mirrors: readonly { readonly value: string; readonly place: Place }[];
  /** Of the source's table. */
  readonly place: Place;
}

export interface RecipeFacts {
  /** Null where there is no usable recipe: an error, or a folder that is skipped. With `version_from` the
   * version is null and `sources` is empty until `completeRecipe`. */
  readonly recipe: Recipe | null;
  /** The sources of a recipe with `version_from`. */
  readonly pending: readonly SourceDraft[];
  /** Names of the targets it gives, as far as they can be told, also of a broken recipe: then nobody else is
   * blamed for needing them. Empty for a skipped folder. */
  readonly gives: readonly string[];
  /** Where things stand in package.toml, for problems that only the whole tree shows. `gives`: one for each
   * of `gives`; null: there is no line to show. */
  readonly places: { readonly versionFrom: Place | null; readonly gives: readonly (Place | null)[] };
  readonly problems: readonly Problem[];
}
