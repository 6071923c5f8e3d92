/**
 * Asks a credential helper of docker (`docker-credential-NAME get`) for one login.
 *
 * Its answer is a secret: no text of ours ever holds a part of what it printed.
 */
import { capture, findProgram } from '../process/index.ts';
import type { Credentials } from './credentials.ts';

export type HelperAnswer =
  | { readonly kind: 'login'; readonly credentials: Credentials }
  | { readonly kind: 'none' }
  /** @property text for people: what went wrong with the helper */
  | { readonly kind: 'failed'; readonly text: string };

/** It may have to open a keychain, but nobody is there to type. ms. */
const HELPER_MS = 20_000;

/** @throws only the signal's reason */
export async function askHelper(
  name: string,
  server: string,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<HelperAnswer> {
  // A name, never a path: a settings file of somebody else's must not start what it likes.
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) return { kind: 'failed', text: 'has no name of a program' };
  const program = findProgram(`docker-credential-${name}`, env);
  if (program === null) return { kind: 'failed', text: 'is not in PATH' };
  const {
    code,
    stdout,
    stderr,
    timedOut,
    signal: ended,
  } = await capture(program, ['get'], {
    env,
    signal,
    input: server,
    timeoutMs: HELPER_MS,
  });
  signal.throwIfAborted();
  if (timedOut) return { kind: 'failed', text: `did not answer within ${HELPER_MS / 1_000} s` };
  if (code !== 0) {
    // The protocol's own words for "there is none" (github.com/docker/docker-credential-helpers).
    if (/credentials not found/i.test(stdout + stderr)) return { kind: 'none' };
    return { kind: 'failed', text: code === null ? `was ended by ${ended}` : `failed with exit ${code}` };
  }
  const credentials = answerOf(stdout);
  return credentials === null
    ? { kind: 'failed', text: 'gave something that is no login' }
    : { kind: 'login', credentials };
}

function answerOf(text: string): Credentials | null {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof answer !== 'object' || answer === null) return null;
  const { Username: user, Secret: secret } = answer as Record<string, unknown>;
  if (typeof user !== 'string' || typeof secret !== 'string' || secret === '') return null;
  return { user, secret, isIdentityToken: user === '<token>' };
}
