/**
 * Reads OCI indexes, manifests and configs out of their bytes, strictly: what is not exactly as it must be is
 * an integrity problem, never a guess.
 *
 * Whether bytes have the digest they are asked by is for the caller; so is what a build should have given.
 */
import { integrityProblem, ProblemError } from '../errors.ts';
import { parseDigest } from './digest.ts';
import type { Descriptor, Digest } from './model.ts';

export const MEDIA = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  layerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  layerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
} as const;

const LAYERS: readonly string[] = [MEDIA.layer, MEDIA.layerGzip, MEDIA.layerZstd];

/** Largest document we read into memory, in bytes; registries refuse manifests of more than 4 MiB, and real
 * configs are some kilobytes. */
export const MAX_DOCUMENT = 16 * 1024 * 1024;

type Annotations = Readonly<Record<string, string>>;

export interface Index {
  readonly manifests: readonly Descriptor[];
  readonly annotations: Annotations;
}

export interface Manifest {
  readonly config: Descriptor;
  /** Bottom first. */
  readonly layers: readonly Descriptor[];
  readonly annotations: Annotations;
}

export interface Config {
  readonly platform: NonNullable<Descriptor['platform']>;
  /** Bottom first. */
  readonly diffIds: readonly Digest[];
}

/** An index.json of a layout or a nested index. @throws ProblemError (integrity) */
export function parseIndex(bytes: Uint8Array, what: string): Index {
  const document = readDocument(bytes, what, MEDIA.index);
  const manifests = list(document['manifests'], `${what}: manifests`).map((item, place) => {
    const where = `${what}: manifests[${place}]`;
    return parseDescriptor(item, where, [MEDIA.index, MEDIA.manifest]);
  });
  return { manifests, annotations: annotations(document['annotations'], what) };
}

/** @throws ProblemError (integrity) */
export function parseManifest(bytes: Uint8Array, what: string): Manifest {
  const document = readDocument(bytes, what, MEDIA.manifest);
  const config = parseDescriptor(document['config'], `${what}: config`, [MEDIA.config]);
  const layers = list(document['layers'], `${what}: layers`).map((item, place) =>
    parseDescriptor(item, `${what}: layers[${place}]`, LAYERS),
  );
  return { config, layers, annotations: annotations(document['annotations'], what) };
}

/** @throws ProblemError (integrity) */
export function parseConfig(bytes: Uint8Array, what: string): Config {
  const document = object(parseJson(bytes, what), what);
  const rootfs = object(document['rootfs'], `${what}: rootfs`);
  if (rootfs['type'] !== 'layers') throw bad('bad-config', `${what}: rootfs.type is not "layers"`);
  const diffIds = list(rootfs['diff_ids'], `${what}: rootfs.diff_ids`).map((item, place) =>
    parseDigest(item, `${what}: rootfs.diff_ids[${place}]`),
  );
  return { platform: platform(document, what), diffIds };
}

/**
 * @param kinds the media types allowed here
 * @throws ProblemError (integrity) `bad-digest`, `bad-descriptor`, `bad-media-type`
 */
export function parseDescriptor(value: unknown, what: string, kinds: readonly string[]): Descriptor {
  const item = object(value, what);
  const mediaType = checkMediaType(item['mediaType'], what, kinds);
  const digest = parseDigest(item['digest'], what);
  const size = item['size'];
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw bad('bad-descriptor', `${what}: the size ${JSON.stringify(size)} is not a whole number from 0`);
  }
  return {
    mediaType,
    digest,
    size,
    ...(item['annotations'] == null ? {} : { annotations: annotations(item['annotations'], what) }),
    ...(item['platform'] == null ? {} : { platform: platform(object(item['platform'], what), what) }),
  };
}

function checkMediaType(value: unknown, what: string, kinds: readonly string[]): string {
  if (typeof value === 'string' && kinds.includes(value)) return value;
  const docker = typeof value === 'string' && value.startsWith('application/vnd.docker.');
  throw new ProblemError(
    integrityProblem({
      code: 'bad-media-type',
      text: `${what}: the media type is ${JSON.stringify(value)}, expected ${kinds.join(' or ')}`,
      hint: docker
        ? "this image is in Docker's own format; its digest can not equal an OCI one: export it with oci-mediatypes=true"
        : undefined,
    }),
  );
}

function platform(item: Record<string, unknown>, what: string): NonNullable<Descriptor['platform']> {
  const { os, architecture, variant } = item;
  const fine = typeof os === 'string' && os !== '' && typeof architecture === 'string' && architecture !== '';
  if (!fine || (variant != null && typeof variant !== 'string')) {
    throw bad('bad-platform', `${what}: os, architecture and variant do not name a platform`);
  }
  return typeof variant === 'string' && variant !== '' ? { os, architecture, variant } : { os, architecture };
}

function readDocument(bytes: Uint8Array, what: string, mediaType: string): Record<string, unknown> {
  const document = object(parseJson(bytes, what), what);
  if (document['schemaVersion'] !== 2) throw bad('bad-document', `${what}: schemaVersion is not 2`);
  // OCI allows to leave the media type out, BuildKit never does; a wrong one is another kind of document.
  if (document['mediaType'] !== undefined) checkMediaType(document['mediaType'], what, [mediaType]);
  return document;
}

function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw bad('bad-json', `${what}: not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function object(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw bad('bad-document', `${what}: not an object`);
}

/** Go writes an empty slice that was never made as null: an image without layers looks so. */
function list(value: unknown, what: string): readonly unknown[] {
  if (value === null) return [];
  if (Array.isArray(value)) return value;
  throw bad('bad-document', `${what}: not a list`);
}

function annotations(value: unknown, what: string): Annotations {
  if (value == null) return {};
  const entries = Object.entries(object(value, `${what}: annotations`));
  for (const [key, text] of entries) {
    if (typeof text !== 'string') throw bad('bad-document', `${what}: annotation ${key} is not text`);
  }
  return Object.fromEntries(entries) as Annotations;
}

function bad(code: string, text: string): ProblemError {
  return new ProblemError(integrityProblem({ code, text }));
}
