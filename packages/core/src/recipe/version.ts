/**
 * The forms of a version that placeholders and build args offer (shared/stagex/README.md; upstream's
 * src/common.py).
 */

export interface VersionForms {
  readonly version: string;
  /** `.` replaced by `_`. */
  readonly under: string;
  /** `.` replaced by `-`. */
  readonly dash: string;
  /** Up to the first `.`. */
  readonly major: string;
  /** Up to the second `.`; null for a version without one. */
  readonly majorMinor: string | null;
  /** Up to the first `-`. */
  readonly stripSuffix: string;
}

export function versionForms(version: string): VersionForms {
  const parts = version.split('.');
  return {
    version,
    under: version.replaceAll('.', '_'),
    dash: version.replaceAll('.', '-'),
    major: parts[0] ?? '',
    majorMinor: parts.length >= 2 ? parts.slice(0, 2).join('.') : null,
    stripSuffix: version.split('-', 1)[0] ?? '',
  };
}

/** A recipe's version is the tag of its image: the grammar is that of OCI tags (distribution-spec). Whitespace, commas and
 * the like would also tear apart the exporter's options. */
export const RECIPE_VERSION = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

/** A source's own version only goes into names and build args. */
export const SOURCE_VERSION = /^[\x21-\x7e]+$/;

/** Used where a version is wrong and was reported: what follows from it is then checked all the same, without
 * errors that only repeat the first. */
export const STAND_IN_VERSION = '0.0';
