/**
 * The small files of an OCI layout, byte for byte as BuildKit's `type=oci` exporter writes them.
 *
 * Go's encoding/json: keys of maps sorted, no spaces, `<`, `>` and `&` escaped. Unaware of folders.
 */
import { integrityProblem, ProblemError } from '../errors.ts';
import { byCodeUnit } from '../order.ts';
import { MEDIA } from './documents.ts';
import type { Descriptor, ImageOutput } from './model.ts';

/** The content of `oci-layout`. */
export const OCI_LAYOUT = '{"imageLayoutVersion":"1.0.0"}';

/** `index.json` of a layout that names nothing: blobs are asked for by digest. */
export const EMPTY_INDEX = `{"schemaVersion":2,"mediaType":"${MEDIA.index}","manifests":[]}`;

/** Of every image we build (shared/stagex/README.md: SOURCE_DATE_EPOCH=1). */
export const CREATED = '1970-01-01T00:00:01Z';

/**
 * The full name containerd gives to an image: `stagex/x:1` -> `docker.io/stagex/x:1`, `x` ->
 * `docker.io/library/x:latest`.
 */
export function fullImageName(tag: string): string {
  const slash = tag.indexOf('/');
  const first = slash === -1 ? '' : tag.slice(0, slash);
  const hasHost = first.includes('.') || first.includes(':') || first === 'localhost';
  const named = hasHost ? tag : slash === -1 ? `docker.io/library/${tag}` : `docker.io/${tag}`;
  return tagOf(named) === null ? `${named}:latest` : named;
}

function tagOf(name: string): string | null {
  const colon = name.lastIndexOf(':');
  return colon > name.lastIndexOf('/') ? name.slice(colon + 1) : null;
}

/**
 * `index.json` of a target's own layout: one entry, the nested index, named by `tag` for docker load, skopeo
 * and upstream's scripts.
 */
export function layoutIndex(index: Descriptor, tag: string): string {
  const name = fullImageName(tag);
  return goJson({
    schemaVersion: 2,
    mediaType: MEDIA.index,
    manifests: [
      {
        mediaType: index.mediaType,
        digest: index.digest,
        size: index.size,
        annotations: {
          'io.containerd.image.name': name,
          'org.opencontainers.image.created': CREATED,
          'org.opencontainers.image.ref.name': tagOf(name) ?? 'latest',
        },
      },
    ],
  });
}

/** The nested index for images that come without one (from a registry, by manifest digest): the same bytes as
 * BuildKit would have written. */
export function nestedIndex(images: readonly Pick<ImageOutput, 'manifest' | 'platform'>[]): string {
  const manifests = images.map(({ manifest, platform }) => {
    const [os, architecture, variant] = platform.split('/');
    if (os === undefined || architecture === undefined) {
      throw new ProblemError(
        integrityProblem({ code: 'bad-platform', text: `${platform} is not a platform` }),
      );
    }
    return {
      mediaType: manifest.mediaType,
      digest: manifest.digest,
      size: manifest.size,
      platform: { architecture, os, ...(variant === undefined ? {} : { variant }) },
    };
  });
  return goJson({ schemaVersion: 2, mediaType: MEDIA.index, manifests }, 2);
}

function goJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Equal maps of annotations, whatever their order. */
export function sameAnnotations(
  a: Readonly<Record<string, string>>,
  b: Readonly<Record<string, string>>,
): boolean {
  const flat = (map: Readonly<Record<string, string>>): string =>
    JSON.stringify(Object.entries(map).sort((x, y) => byCodeUnit(x[0], y[0])));
  return flat(a) === flat(b);
}
