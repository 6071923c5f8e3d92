/**
 * Image names as Docker writes them: `stagex/core-musl` is `docker.io/stagex/core-musl:latest`.
 *
 * After github.com/distribution/reference v0.6, which BuildKit v0.32.2 uses. Unaware of targets.
 */

import { cut, ReadingError } from './text.ts';

export interface ImageName {
  /** `docker.io`, `quay.io:443`... */
  readonly domain: string;
  /** `stagex/core-musl`, `library/alpine`... */
  readonly path: string;
  /** As written; null where none is. */
  readonly tag: string | null;
  readonly digest: string | null;
}

const IDENTIFIER = /^[a-f0-9]{64}$/;
const DOMAIN_PART = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = `(?:${DOMAIN_PART}(?:\\.${DOMAIN_PART})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const PATH_PART = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const TAG = '\\w[\\w.-]{0,127}';
const DIGEST = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}';
const REFERENCE = new RegExp(`^(${DOMAIN})/(${PATH_PART}(?:/${PATH_PART})*)(?::(${TAG}))?(?:@(${DIGEST}))?$`);
const MAX_PATH = 255;
const DIGEST_LENGTHS: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };

/** Reads an image name. @throws ReadingError where BuildKit refuses it */
export function parseImageName(text: string): ImageName {
  if (IDENTIFIER.test(text)) {
    throw new ReadingError(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  }
  const { domain, remainder } = splitDomain(text);
  const repository = cut(remainder, ':').before;
  if (repository.toLowerCase() !== repository) {
    throw new ReadingError(`invalid reference format: repository name (${repository}) must be lowercase`);
  }
  const match = REFERENCE.exec(`${domain}/${remainder}`);
  const path = match?.[2];
  if (match === null || path === undefined) throw new ReadingError(`invalid reference format: ${text}`);
  if (path.length > MAX_PATH) {
    throw new ReadingError(`repository name must not be more than ${MAX_PATH} characters`);
  }
  const digest = match[4] ?? null;
  if (digest !== null) checkDigest(digest);
  return { domain: match[1] ?? domain, path, tag: match[3] ?? null, digest };
}

const SIMPLE = /^(?:[a-z0-9]+(?:-[a-z0-9]+)*\/)?[a-z0-9]+(?:-[a-z0-9]+)*$/;

/** A cheap yes for most names there are: valid, and their own short form. A no says nothing. */
export function isSimpleImageName(image: string): boolean {
  return image.length < 64 && SIMPLE.test(image) && !/^(?:localhost|library)\//.test(image);
}

/**
 * The one short form of an image name that named contexts are looked up by: without `docker.io/`,
 * `library/` and `:latest`. So `docker.io/stagex/core-musl:latest` is `stagex/core-musl`, and
 * `stagex/core-musl:1.2` stays what it is. Null where `image` is no valid name.
 */
export function familiarImageName(image: string): string | null {
  if (isSimpleImageName(image)) return image;
  try {
    return familiar(parseImageName(image));
  } catch {
    return null;
  }
}

export function familiar({ domain, path, tag, digest }: ImageName): string {
  let name = path;
  if (domain !== 'docker.io') name = `${domain}/${path}`;
  else if (path.startsWith('library/') && !path.slice('library/'.length).includes('/')) {
    name = path.slice('library/'.length);
  }
  if (tag !== null && !(tag === 'latest' && digest === null)) name += `:${tag}`;
  return digest === null ? name : `${name}@${digest}`;
}

function splitDomain(text: string): { domain: string; remainder: string } {
  const { before, after } = cut(text, '/');
  let domain = 'docker.io';
  let remainder = text;
  if (after !== undefined) {
    if (before === 'index.docker.io') remainder = after;
    else if (before === 'localhost' || /[.:]/.test(before) || before.toLowerCase() !== before) {
      domain = before;
      remainder = after;
    }
  }
  if (domain === 'docker.io' && !remainder.includes('/')) remainder = `library/${remainder}`;
  return { domain, remainder };
}

function checkDigest(digest: string): void {
  const { before, after } = cut(digest, ':');
  const length = Object.hasOwn(DIGEST_LENGTHS, before) ? DIGEST_LENGTHS[before] : undefined;
  if (length === undefined) throw new ReadingError(`unsupported digest algorithm: ${digest}`);
  if (after?.length !== length || !/^[a-f0-9]+$/.test(after)) {
    throw new ReadingError(`invalid checksum digest format: ${digest}`);
  }
}
