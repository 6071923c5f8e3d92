/**
 * What a registry wants of those it does not know: the WWW-Authenticate header (RFC 9110 11.6.1, and the token
 * protocol of the distribution project). Pure.
 */

export type Challenge =
  /** A token is to be had at `realm`. */
  | {
      readonly scheme: 'bearer';
      readonly realm: string;
      readonly service: string | null;
      readonly scope: string | null;
    }
  /** User and password. */
  | { readonly scheme: 'basic' };

/** What is to be done with a repository. */
export interface Scope {
  readonly repository: string;
  readonly actions: 'pull' | 'pull,push';
}

/** The first challenge we can meet; null where there is none. */
export function parseChallenge(header: string | undefined): Challenge | null {
  const text = header ?? '';
  const bearer = /(?:^|,)\s*bearer\s+(.*)$/i.exec(text)?.[1];
  if (bearer !== undefined) {
    const values = new Map<string, string>();
    for (const [, key = '', quoted, plain] of bearer.matchAll(
      /([A-Za-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g,
    )) {
      const value = quoted === undefined ? (plain ?? '') : quoted.replace(/\\(.)/g, '$1');
      if (!values.has(key.toLowerCase())) values.set(key.toLowerCase(), value);
    }
    const realm = values.get('realm');
    if (realm !== undefined && URL.canParse(realm)) {
      return {
        scheme: 'bearer',
        realm,
        service: values.get('service') ?? null,
        scope: values.get('scope') ?? null,
      };
    }
  }
  return /(?:^|,)\s*basic(\s|$)/i.test(text) ? { scheme: 'basic' } : null;
}

/** The scopes to ask a token for: ours, in the order given; the registry's own words where we have none. */
export function scopeTexts(
  challenge: Challenge & { readonly scheme: 'bearer' },
  scopes: readonly Scope[],
): string[] {
  if (scopes.length > 0)
    return scopes.map(({ repository, actions }) => `repository:${repository}:${actions}`);
  return challenge.scope === null ? [] : [challenge.scope];
}

/** Where the token is asked for. */
export function tokenUrl(
  challenge: Challenge & { readonly scheme: 'bearer' },
  scopes: readonly Scope[],
): URL {
  const url = new URL(challenge.realm);
  if (challenge.service !== null) url.searchParams.set('service', challenge.service);
  for (const scope of scopeTexts(challenge, scopes)) url.searchParams.append('scope', scope);
  return url;
}
