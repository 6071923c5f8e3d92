/**
 * The canonical form of everything that can change a target's output, and its hash.
 *
 * The form is a list of `[key, value]` facts, sorted by code unit, one JSON array a line, behind a line with
 * the version. JSON escapes make it injective: no value can look like another fact. `why` prints differences of
 * exactly these facts, so an explanation can not disagree with the hash.
 *
 * Unaware of files, records and time.
 */
import type { ReferenceKind } from '../containerfile/model.ts';
import { digestOf } from '../oci/digest.ts';
import type { Digest } from '../oci/model.ts';
import { byCodeUnit } from '../order.ts';

/** Raised when the encoding or the exporter's profile changes; old records then answer no more. */
export const FINGERPRINT_VERSION = 1;

/** What we ask of the exporter and the frontend apart from names (shared/stagex/README.md, BUILDKIT.md 2). Any change here
 * can change digests. */
export const EXPORTER_PROFILE =
  'oci rewrite-timestamp=true force-compression=true compression=gzip ulimit=nofile=2048:16384 frontend=builtin';

/** A file of the build context, as it is staged. */
export interface ContextFile {
  /** Relative to the recipe folder, with `/`. */
  readonly path: string;
  /** As git knows it; a symlink's content is its target. */
  readonly mode: '0644' | '0755' | 'link';
  readonly digest: Digest;
}

/** What a dependency gave, as far as this target can see it. */
export interface DependencyFact {
  readonly target: string;
  /** `rootfs` where it is only copied from or mounted; `image` where a reachable FROM starts from it. */
  readonly sees: 'rootfs' | 'image';
  readonly identity: Digest;
}

/** Everything that can change an output. */
export interface FingerprintInputs {
  readonly target: string;
  /** `<version or latest>`: it is in an annotation. */
  readonly version: string;
  readonly buildTarget: string | null;
  readonly platforms: readonly string[];
  readonly containerfile: Digest;
  /** The context's files; package.toml and Containerfile only where a COPY can take them. */
  readonly files: readonly ContextFile[];
  readonly sources: readonly { readonly file: string; readonly sha256: string }[];
  readonly buildArgs: Readonly<Record<string, string>>;
  /** `Engine.id`, or `ANY_ENGINE` for outputs whose builder is not known. */
  readonly engine: string;
  readonly dependencies: readonly DependencyFact[];
}

/** The engine of imported and substituted outputs: their records answer for any builder. */
export const ANY_ENGINE = 'any';

/** One fact; keys are unique within one form. */
export type Fact = readonly [key: string, value: string];

/** The facts, sorted by key. Keys begin with their kind and a space; a path or name follows. */
export function factsOf(inputs: FingerprintInputs): Fact[] {
  const facts: Fact[] = [
    ['target', inputs.target],
    ['version', inputs.version],
    ['build-target', inputs.buildTarget ?? ''],
    ['profile', EXPORTER_PROFILE],
    ['engine', inputs.engine],
    ['containerfile', inputs.containerfile],
  ];
  // The order of several platforms is the order of manifests in the index, so the place is in the key.
  for (const [place, platform] of inputs.platforms.entries()) facts.push([`platform ${place}`, platform]);
  for (const file of inputs.files) facts.push([`file ${file.path}`, `${file.mode} ${file.digest}`]);
  for (const source of inputs.sources) facts.push([`source ${source.file}`, `sha256:${source.sha256}`]);
  for (const [name, value] of Object.entries(inputs.buildArgs)) facts.push([`arg ${name}`, value]);
  for (const dependency of inputs.dependencies) {
    facts.push([`dependency ${dependency.target}`, `${dependency.sees} ${dependency.identity}`]);
  }
  return facts.sort((a, b) => byCodeUnit(a[0], b[0]));
}

/** The canonical byte string (as text; hashed as UTF-8). */
export function encodeFacts(facts: readonly Fact[]): string {
  let text = `stx-make fingerprint ${FINGERPRINT_VERSION}\n`;
  for (const fact of facts) text += `${JSON.stringify(fact)}\n`;
  return text;
}

/** Reads what `encodeFacts` wrote; null where it is of another version or damaged. */
export function decodeFacts(text: string): Fact[] | null {
  const [head, ...lines] = text.split('\n');
  if (head !== `stx-make fingerprint ${FINGERPRINT_VERSION}` || lines.pop() !== '') return null;
  const facts: Fact[] = [];
  for (const line of lines) {
    const fact: unknown = safeParse(line);
    if (!Array.isArray(fact) || fact.length !== 2) return null;
    const [key, value]: unknown[] = fact;
    if (typeof key !== 'string' || typeof value !== 'string') return null;
    facts.push([key, value]);
  }
  return facts;
}

function safeParse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

/** The fingerprint of encoded facts. */
export function fingerprintOf(encoded: string): Digest {
  return digestOf(encoded);
}

/** How much of a dependency a target sees, from the kinds of all its references to it. */
export function visibility(kinds: Iterable<ReferenceKind>): DependencyFact['sees'] {
  for (const kind of kinds) {
    switch (kind) {
      case 'from':
        return 'image';
      case 'copy':
      case 'mount':
        break;
      default:
        kind satisfies never;
    }
  }
  return 'rootfs';
}
