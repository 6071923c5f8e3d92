/**
 * Digests: parsed strictly before they are ever a path.
 */
import { hash } from 'node:crypto';
import { integrityProblem, ProblemError } from '../errors.ts';
import type { Digest } from './model.ts';

const FORM = /^sha256:[0-9a-f]{64}$/;

/** True for `sha256:` and 64 lower-case hex digits, nothing else. */
export function isDigest(text: unknown): text is Digest {
  return typeof text === 'string' && FORM.test(text);
}

/** @throws ProblemError `bad-digest` (integrity) naming `what`. */
export function parseDigest(text: unknown, what: string): Digest {
  if (isDigest(text)) return text;
  throw new ProblemError(
    integrityProblem({
      code: 'bad-digest',
      text: `${what}: ${JSON.stringify(text)} is not a digest of the form sha256:<64 hex digits>`,
    }),
  );
}

/** The 64 hex digits. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}

/** sha256 of bytes, or of a string's UTF-8. */
export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${hash('sha256', bytes)}` as Digest;
}
