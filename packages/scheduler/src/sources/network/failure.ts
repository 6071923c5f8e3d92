/**
 * What goes wrong between us and a mirror, sorted into what is worth another try and what is not.
 */
import { STATUS_CODES } from 'node:http';
import type { MirrorFailure, MirrorFailureKind } from '../model.ts';

/** One attempt at a mirror failed; never leaves this folder's callers. */
export class AttemptError extends Error {
  override readonly name = 'AttemptError';
  readonly failure: Omit<MirrorFailure, 'url'>;

  constructor(
    kind: MirrorFailureKind,
    text: string,
    transient: boolean,
    more: { readonly retryAfterMs?: number; readonly got?: string } = {},
  ) {
    super(text);
    this.failure = { kind, text, transient, ...more };
  }
}

/** Answers that a later try may change (RFC 9110 15, 6585 4); every other 4xx and 5xx is final. */
const TRANSIENT_STATUS: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/** An answer that is not the file. Statuses above 511 are made up by front ends for troubles of theirs. */
export function statusError(status: number, retryAfter: string | undefined, now: number): AttemptError {
  const transient = TRANSIENT_STATUS.has(status) || status > 511;
  const wait = transient ? parseRetryAfter(retryAfter, now) : null;
  const text = `${status} ${STATUS_CODES[status] ?? ''}`.trim();
  return new AttemptError('status', text, transient, wait === null ? {} : { retryAfterMs: wait });
}

/** Retry-After in ms from now: seconds or a date (RFC 9110 10.2.3); null where it is neither.
 * @param now ms since the epoch */
export function parseRetryAfter(value: string | undefined, now: number): number | null {
  const text = value?.trim() ?? '';
  if (/^[0-9]{1,9}$/.test(text)) return Number(text) * 1000;
  const date = /^[A-Z][a-z]{2}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

/** Errors that stay: the name does not exist, or the certificate is not accepted. Resets, refusals and the like
 * pass. */
const FINAL_ERRORS =
  /^(ENOTFOUND$|ERR_TLS_CERT|ERR_INVALID|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_)/;

/** An error of a socket, of TLS, of the HTTP parser or of a proxy. */
export function connectionError(error: unknown): AttemptError {
  const { code, message, statusCode } = describe(error);
  if (code === 'ECONNRESET') return new AttemptError('connection', 'the connection was reset', true);
  if (code === 'ECONNREFUSED') return new AttemptError('connection', 'the connection was refused', true);
  // A proxy that says 403 or 407 to CONNECT says it again.
  const refused = statusCode !== null && statusCode >= 400 && statusCode < 500;
  const final = refused || FINAL_ERRORS.test(code);
  return new AttemptError('connection', message === '' ? code : message, !final);
}

function describe(error: unknown): { code: string; message: string; statusCode: number | null } {
  if (!(error instanceof Error)) return { code: '', message: String(error), statusCode: null };
  // Several addresses of one host were tried: the first one's error stands for all.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : null;
  const shown = first instanceof Error ? first : error;
  const { code, statusCode } = shown as Error & { readonly code?: unknown; readonly statusCode?: unknown };
  return {
    code: typeof code === 'string' ? code : '',
    message: shown.message.replace(/\s+/g, ' ').slice(0, 200),
    statusCode: typeof statusCode === 'number' ? statusCode : null,
  };
}

/** A URL for people: without user and password. */
export function showUrl(url: string): string {
  if (!URL.canParse(url)) return url;
  const parsed = new URL(url);
  if (parsed.username === '' && parsed.password === '') return url;
  parsed.username = '';
  parsed.password = '';
  return parsed.href;
}
