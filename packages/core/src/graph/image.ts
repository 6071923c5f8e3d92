/**
 * Image references as Docker reads them, and which of them mean a target of the tree (DESIGN.md, rules of the
 * domain, 2).
 *
 * Unaware of which targets there are.
 */

/** A reference, taken apart and normalised (github.com/distribution/reference, normalize.go). */
export interface ImageName {
  /** `docker.io` where none is written. */
  readonly domain: string;
  /** `library/` in front where docker.io wants it. */
  readonly path: string;
  readonly tag: string | null;
  readonly digest: string | null;
  /** As BuildKit looks for it among the named contexts (dockerui, NamedContext): the familiar form without
   * `:latest`. `docker.io/stagex/core-musl:latest` is `stagex/core-musl`. */
  readonly context: string;
}

const REFERENCE =
  /^([a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*)(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@([A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9A-Fa-f]{32,}))?$/;

const DOMAIN =
  /^(?:(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9])(?:\.(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9]))*|\[[0-9A-Fa-f:]+\])(?::[0-9]+)?$/;

/** Null for what is no image reference. */
export function parseImage(text: string): ImageName | null {
  if (/^[0-9a-f]{64}$/.test(text)) return null;
  const slash = text.indexOf('/');
  const head = slash === -1 ? '' : text.slice(0, slash);
  const isDomain = head !== '' && (/[.:]/.test(head) || head === 'localhost' || head.toLowerCase() !== head);
  const written = isDomain ? head : 'docker.io';
  const rest = isDomain ? text.slice(slash + 1) : text;
  const parts = REFERENCE.exec(rest);
  if (parts === null || (isDomain && !DOMAIN.test(head))) return null;
  const domain = written === 'index.docker.io' ? 'docker.io' : written;
  const [, name = '', tag = null, digest = null] = parts;
  const path = domain === 'docker.io' && !name.includes('/') ? `library/${name}` : name;
  const familiar = domain === 'docker.io' ? path.replace(/^library\/(?=[^/]+$)/, '') : `${domain}/${path}`;
  const suffix = `${tag === null ? '' : `:${tag}`}${digest === null ? '' : `@${digest}`}`;
  return { domain, path, tag, digest, context: `${familiar}${suffix}`.replace(/:latest$/, '') };
}

/** What a reference means to the tree.
 * target: local output of that name · foreign-version: a tag or digest of what is in the tree, which only a
 * registry has · outside: any other image · malformed: no image reference. */
export type ImageMeaning =
  | { readonly kind: 'target'; readonly target: string; readonly context: string }
  | { readonly kind: 'foreign-version'; readonly target: string; readonly context: string }
  | { readonly kind: 'outside'; readonly context: string }
  | { readonly kind: 'malformed' };

export function meaningOf(text: string): ImageMeaning {
  const image = parseImage(text);
  if (image === null) return { kind: 'malformed' };
  const { domain, path, tag, digest, context } = image;
  if (domain !== 'docker.io' || !path.startsWith('stagex/')) return { kind: 'outside', context };
  const target = path.slice('stagex/'.length);
  const local = digest === null && (tag === null || tag === 'latest');
  return { kind: local ? 'target' : 'foreign-version', target, context };
}
