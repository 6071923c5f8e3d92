/**
 * One attempt at one mirror: asks for what is missing of a part, appends what comes, judges the whole by its hash.
 *
 * Unaware of retries, other mirrors and locks. On any failure the part is left so that the next attempt can go on
 * from it, whoever's bytes it holds: only bytes that turned out wrong are thrown away.
 */
import type { IncomingMessage } from 'node:http';
import { environmentProblem, ProblemError } from '@stx-make/core/errors';
import { freeSpace } from '../../files/index.ts';
import { AttemptError, connectionError } from '../network/failure.ts';
import { follow } from '../network/follow.ts';
import type { Network } from '../network/network.ts';
import { type TimeLimits, Watchdog } from '../network/watchdog.ts';
import type { SourceStore } from '../store/store.ts';
import { type Answer, originOf, readAnswer, truncated } from './answer.ts';
import { decodePart } from './decode.ts';
import type { Part } from './part.ts';

export interface TransferLimits extends TimeLimits {
  /** Bytes of a file that no source has: a mirror that sends more is broken. */
  readonly maxBytes: number;
}

export interface Transfer {
  readonly url: URL;
  readonly sha256: string;
  readonly part: Part;
  readonly store: SourceStore;
  readonly network: Network;
  readonly limits: TransferLimits;
  readonly signal: AbortSignal;
  /** ms since the epoch. */
  readonly now: () => number;
  /** Bytes that are here, of how many; called for each piece. */
  readonly onBytes: (here: number, total: number | null, fresh: number) => void;
}

/** Some servers answer a client without a name with 403. */
const USER_AGENT = 'stx-make (+https://codeberg.org/stagex/stagex)';

/**
 * Resolves when the content is in the store.
 * @throws AttemptError; ProblemError when the machine is at fault; the signal's reason
 */
export async function transfer(job: Transfer): Promise<void> {
  const { part, sha256, store } = job;
  // A run that died between the last byte and the rename.
  if (part.size > 0 && part.sha256 === sha256) return part.commit(store, sha256);
  // Twice: a part that turns out to be no beginning of this mirror's file is thrown away, and all of it asked for.
  for (let resumable = part.size > 0; ; resumable = false) {
    if (!resumable) await part.reset();
    const answer = await attempt(job);
    if (part.sha256 === sha256) return part.commit(store, sha256);
    if (answer.kind === 'again' || answer.offset > 0) {
      if (resumable) continue;
      throw new AttemptError('status', 'answers with another part of the file than asked for', false);
    }
    const decoded = answer.encoding !== null && (await decodePart(job, answer.encoding));
    if (decoded) return part.discard();
    const got = part.sha256;
    await part.reset();
    // A body without a marked end may just have been cut, so that one is worth another try.
    throw new AttemptError('wrong-hash', `its sha256 is ${got}`, !answer.delimited, { got });
  }
}

/** One request and its body. What came is in the part when it resolves, and mostly when it throws. */
async function attempt(job: Transfer): Promise<Answer> {
  const { part, limits } = job;
  const watchdog = new Watchdog(limits);
  const signal = AbortSignal.any([job.signal, watchdog.signal]);
  const asked = part.size;
  try {
    const headers = requestHeaders(job.url.href, part);
    const { response, redirected } = await follow(job.network, job.url, { headers, signal });
    try {
      const answer = readAnswer(
        { status: response.statusCode ?? 0, headers: response.headers },
        asked,
        job.now(),
      );
      if (answer.kind === 'body') {
        if (answer.offset === 0 && part.size > 0) await part.reset();
        judgeSize(job, answer);
        if (answer.encoding === null) {
          // Behind a redirector another server may answer the next time, whose validators differ; then the hash
          // alone decides, and what came is not thrown away.
          part.setOrigin(originOf(job.url.href, redirected ? {} : response.headers));
        }
        watchdog.answered();
        await readBody(job, response, answer, signal, watchdog);
      }
      return answer;
    } finally {
      response.on('error', () => {});
      response.destroy();
    }
  } catch (error) {
    if (job.signal.aborted) throw job.signal.reason;
    if (watchdog.signal.aborted) throw watchdog.signal.reason;
    if (error instanceof AttemptError || error instanceof ProblemError) throw error;
    throw connectionError(error);
  } finally {
    watchdog.stop();
  }
}

function requestHeaders(url: string, part: Part): Record<string, string> {
  const headers: Record<string, string> = {
    Accept: '*/*',
    // The bytes as they are: an encoding would have to be undone, and a range of it means nothing.
    'Accept-Encoding': 'identity',
    'User-Agent': USER_AGENT,
  };
  if (part.size === 0) return headers;
  headers['Range'] = `bytes=${part.size}-`;
  // Another mirror's validator means nothing here; there the hash alone decides.
  const validator = part.origin?.url === url ? part.origin.validator : null;
  if (validator !== null) headers['If-Range'] = validator;
  return headers;
}

function judgeSize(job: Transfer, answer: Answer & { kind: 'body' }): void {
  const { total } = answer;
  if (total === null) return;
  const { maxBytes } = job.limits;
  if (total > maxBytes) {
    throw new AttemptError(
      'too-large',
      `announces ${total} bytes, more than the limit of ${maxBytes}`,
      false,
    );
  }
  const missing = total - job.part.size;
  const { free } = freeSpace(job.store.partial);
  if (missing <= free) return;
  throw new ProblemError(
    environmentProblem({
      code: 'no-space',
      text: `There is no space for a download of ${missing} bytes: ${free} are free.`,
      file: job.store.folder,
      hint: 'free some space (stx-make gc) or move the state with --state DIR',
    }),
  );
}

async function readBody(
  job: Transfer,
  response: IncomingMessage,
  answer: Answer & { kind: 'body' },
  signal: AbortSignal,
  watchdog: Watchdog,
): Promise<void> {
  const { part, limits } = job;
  const stop = (): void => void response.destroy(new Error('stopped'));
  signal.addEventListener('abort', stop, { once: true });
  try {
    signal.throwIfAborted();
    job.onBytes(part.size, answer.total, 0);
    for await (const piece of response as AsyncIterable<Buffer>) {
      watchdog.received(piece.length);
      if (part.size + piece.length > limits.maxBytes) {
        await part.reset();
        throw new AttemptError('too-large', `sends more than the limit of ${limits.maxBytes} bytes`, false);
      }
      await part.append(piece);
      job.onBytes(part.size, answer.total, piece.length);
    }
  } catch (error) {
    // Encoded bytes can not be gone on from, nor be taken for the file's own.
    if (answer.encoding !== null && part.size > 0) await part.reset();
    if (!signal.aborted && isCut(error)) throw truncated(part.size, answer.total);
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
  signal.throwIfAborted();
  if (answer.total !== null && part.size < answer.total) throw truncated(part.size, answer.total);
}

/** Node says ECONNRESET `aborted` when a connection closes in an orderly way before the announced end. */
function isCut(error: unknown): boolean {
  return error instanceof Error && error.message === 'aborted';
}
