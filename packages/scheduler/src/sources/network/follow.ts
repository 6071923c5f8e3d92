/**
 * GET with redirects followed. Unaware of files and hashes.
 *
 * A redirect from https to http is followed: mirror redirectors do it, upstream's fetch follows it, and the hash in
 * the recipe is what the bytes are judged by. No cookie is ever sent, and credentials of a URL go to its own origin
 * only, so that nothing secret travels in the clear.
 */
import type { IncomingMessage } from 'node:http';
import { AttemptError, showUrl } from './failure.ts';
import type { Network, RequestOptions } from './network.ts';

/** As many as curl allows by default is 50, browsers 20; real mirrors need three. */
const MAX_REDIRECTS = 10;

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export interface Followed {
  readonly response: IncomingMessage;
  /** Another URL than the one asked gave the answer: it may be another server the next time. */
  readonly redirected: boolean;
}

/**
 * The first answer that is no redirect.
 * @throws AttemptError `redirect`; and what Network.get throws
 */
export async function follow(network: Network, start: URL, options: RequestOptions): Promise<Followed> {
  let url = start;
  const seen = new Set<string>();
  for (;;) {
    seen.add(url.href);
    const response = await network.get(url, options);
    if (!REDIRECTS.has(response.statusCode ?? 0)) return { response, redirected: seen.size > 1 };
    // The body of a redirect is of no use; the connection is not worth reading it for.
    response.on('error', () => {});
    response.destroy();
    url = next(url, response.headers.location, start);
    if (seen.has(url.href))
      throw new AttemptError('redirect', `redirects in a circle: ${showUrl(url.href)}`, false);
    if (seen.size > MAX_REDIRECTS)
      throw new AttemptError('redirect', `more than ${MAX_REDIRECTS} redirects`, false);
  }
}

function next(from: URL, location: string | undefined, start: URL): URL {
  if (location === undefined || !URL.canParse(location, from.href)) {
    throw new AttemptError('redirect', 'redirects to nowhere', false);
  }
  const to = new URL(location, from.href);
  if (to.protocol !== 'http:' && to.protocol !== 'https:') {
    throw new AttemptError('redirect', `redirects to ${to.protocol}, which is not supported`, false);
  }
  to.hash = '';
  if (to.origin === start.origin && to.username === '' && to.password === '') {
    to.username = start.username;
    to.password = start.password;
  }
  return to;
}
