/**
 * OCI documents as far as we read them, and what a build gave.
 */

/** `sha256:<64 lower-case hex>`; only `parseDigest` makes one, so it is safe in a path. */
export type Digest = string & { readonly __digest: unique symbol };

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: { readonly os: string; readonly architecture: string; readonly variant?: string };
}

/** One platform's image. */
export interface ImageOutput {
  /** `os/arch[/variant]`. */
  readonly platform: string;
  readonly manifest: Descriptor;
  readonly config: Descriptor;
  /** Bottom first. */
  readonly layers: readonly Descriptor[];
  /** sha256 of each layer uncompressed, bottom first. */
  readonly diffIds: readonly Digest[];
}

/** What a build gave, verified. */
export interface Output {
  /** The nested index BuildKit exports (BUILDKIT_MULTI_PLATFORM=1). */
  readonly index: Descriptor;
  /** One a platform, in the order of the index; the first one's manifest digest is what StageX publishes. */
  readonly images: readonly ImageOutput[];
}

/** How an output came to be here. Only `built` may be signed. */
export type Origin = 'built' | 'imported' | 'substituted';
