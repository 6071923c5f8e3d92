/**
 * Reads the head of an answer to a GET, with or without Range: which bytes of the file its body is. Pure.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { AttemptError, statusError } from '../network/failure.ts';
import type { PartOrigin } from './part.ts';

export interface Head {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

export type Answer =
  | {
      readonly kind: 'body';
      /** Where in the file the body begins: what was asked for, or 0. */
      readonly offset: number;
      /** Bytes of the whole file, where the server says. */
      readonly total: number | null;
      /** The end of the body is marked, so that a cut one is noticed. */
      readonly delimited: boolean;
      /** The server's Content-Encoding, though identity was asked for; null where there is none. */
      readonly encoding: string | null;
    }
  /** What we have is no beginning of what the server has: ask again for all of it. */
  | { readonly kind: 'again' };

/**
 * @param asked the offset of our Range, 0 for none
 * @param now ms since the epoch
 * @throws AttemptError `status`
 */
export function readAnswer(head: Head, asked: number, now: number): Answer {
  const { status, headers } = head;
  const encoding = readEncoding(headers);
  if (status === 416 && asked > 0) return { kind: 'again' };
  if (status === 206 && asked > 0) {
    const range = readContentRange(headers['content-range']);
    // A part of an encoded body has another numbering than the file.
    if (range === null || range.from !== asked || encoding !== null) return { kind: 'again' };
    return { kind: 'body', offset: asked, total: range.total, delimited: isDelimited(headers), encoding };
  }
  if (status !== 200) throw statusError(status, headers['retry-after'], now);
  const length = readLength(headers);
  return {
    kind: 'body',
    offset: 0,
    total: encoding === null ? length : null,
    delimited: isDelimited(headers),
    encoding,
  };
}

/** What If-Range may carry: a strong ETag, else the date. A weak ETag does not promise equal bytes. */
export function originOf(url: string, headers: IncomingHttpHeaders): PartOrigin {
  const { etag } = headers;
  const strong = etag !== undefined && /^"[!#-~]*"$/.test(etag) ? etag : null;
  return { url, validator: strong ?? headers['last-modified'] ?? null };
}

function isDelimited(headers: IncomingHttpHeaders): boolean {
  return headers['content-length'] !== undefined || /\bchunked\b/i.test(headers['transfer-encoding'] ?? '');
}

function readLength(headers: IncomingHttpHeaders): number | null {
  const text = headers['content-length'];
  const length = text !== undefined && /^[0-9]+$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(length) ? length : null;
}

function readEncoding(headers: IncomingHttpHeaders): string | null {
  const text = headers['content-encoding']?.trim().toLowerCase() ?? '';
  return text === '' || text === 'identity' ? null : text;
}

/** `bytes FROM-TO/TOTAL`, TOTAL may be `*`; null for anything else. */
function readContentRange(
  value: string | undefined,
): { readonly from: number; readonly total: number | null } | null {
  const match = /^bytes\s+([0-9]{1,15})-([0-9]{1,15})\/([0-9]{1,15}|\*)$/i.exec(value?.trim() ?? '');
  if (match === null) return null;
  const [from, to] = [Number(match[1]), Number(match[2])];
  const total = match[3] === '*' ? null : Number(match[3]);
  // An end before the file's end is fine for HTTP, but then the rest is missing: the attempt ends short and the
  // next one goes on.
  if (to < from || (total !== null && to >= total)) return null;
  return { from, total };
}

/** The error for a body that ended before `total`. */
export function truncated(received: number, total: number | null): AttemptError {
  const of = total === null ? '' : ` of ${total}`;
  return new AttemptError('truncated', `the connection ended after ${received}${of} bytes`, true);
}
