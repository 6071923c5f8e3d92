/**
 * Writes to a registry: blobs sent or mounted from another repository, manifests put by digest and by tag.
 *
 * A blob is sent in one PUT as a stream, never held in memory; a failed one is begun anew (an upload's session is the
 * registry's own, and many forget it). The registry hashes what comes and refuses other bytes than the digest says.
 * Unaware of targets and of where blobs lie.
 */
import type { Readable } from 'node:stream';
import type { Digest } from '@stx-make/core/oci/model';
import { AttemptError } from '../sources/network/failure.ts';
import type { Scope } from './challenge.ts';
import type { Answer, Exchanges } from './exchange.ts';

export interface SentBlob {
  readonly digest: Digest;
  readonly size: number;
  /** Its bytes, from the beginning each time. */
  open(): Uint8Array | Readable;
}

export class Pushing {
  readonly #exchanges: Exchanges;

  constructor(exchanges: Exchanges) {
    this.#exchanges = exchanges;
  }

  /**
   * Has a blob in a repository: mounted from another one of the same registry where that has it, else sent.
   * @param from a repository that may have it
   * @returns how it came there
   * @throws ProblemError `registry-failed`, `registry-refused` (environment); the signal's reason
   */
  async blob(
    repository: string,
    blob: SentBlob,
    from: string | null,
    asked?: AbortSignal,
  ): Promise<'mounted' | 'sent'> {
    const start = this.#exchanges.url(repository, 'blobs/uploads/');
    let mount = from;
    return await this.#exchanges.trying(start, asked, async (signal) => {
      const scopes = pushTo(repository);
      const url = new URL(start);
      if (mount !== null) {
        url.searchParams.set('mount', blob.digest);
        url.searchParams.set('from', mount);
        scopes.push({ repository: mount, actions: 'pull' });
      }
      const headers = { 'Content-Length': '0' };
      const answer = await this.#exchanges.ask({ method: 'POST', url, scopes, headers }, signal);
      if (answer.status === 201 && mount !== null) {
        await answer.drop();
        return 'mounted';
      }
      if (mount !== null && (answer.status === 401 || answer.status === 403 || answer.status === 404)) {
        // It may be us who must not read there, or that is not there any more: sent, it needs neither.
        await answer.drop();
        mount = null;
        throw new AttemptError('status', `mounting was answered with ${answer.status}`, true, {
          retryAfterMs: 0,
        });
      }
      if (answer.status !== 202) return await answer.fail(() => this.#exchanges.told(scopes));
      await answer.drop();
      await this.#send(uploadUrl(answer, url, blob.digest), blob, pushTo(repository), signal);
      return 'sent';
    });
  }

  async #send(url: URL, blob: SentBlob, scopes: readonly Scope[], signal: AbortSignal): Promise<void> {
    const headers = { 'Content-Type': 'application/octet-stream', 'Content-Length': String(blob.size) };
    const body = (): Uint8Array | Readable => blob.open();
    const answer = await this.#exchanges.ask({ method: 'PUT', url, scopes, headers, body }, signal);
    // The session is gone or was confused by a try that broke off: another one may do.
    if (answer.status === 404 || answer.status === 416) {
      await answer.drop();
      throw new AttemptError('status', `the upload was answered with ${answer.status}`, true);
    }
    if (answer.status !== 201) await answer.fail(() => this.#exchanges.told(scopes));
    await answer.drop();
  }

  /**
   * Puts a manifest or index under its digest or a tag. What it names must be there already.
   * @throws as `blob`
   */
  async manifest(
    repository: string,
    reference: string,
    mediaType: string,
    bytes: Uint8Array,
    asked?: AbortSignal,
  ): Promise<void> {
    const url = this.#exchanges.url(repository, `manifests/${reference}`);
    const scopes = pushTo(repository);
    const headers = { 'Content-Type': mediaType, 'Content-Length': String(bytes.length) };
    await this.#exchanges.trying(url, asked, async (signal) => {
      const body = (): Uint8Array => bytes;
      const answer = await this.#exchanges.ask({ method: 'PUT', url, scopes, headers, body }, signal);
      if (answer.status !== 201) await answer.fail(() => this.#exchanges.told(scopes));
      await answer.drop();
    });
  }
}

function pushTo(repository: string): Scope[] {
  return [{ repository, actions: 'pull,push' }];
}

/** Where the registry wants the bytes. */
function uploadUrl(answer: Answer, asked: URL, digest: Digest): URL {
  const { location } = answer.headers;
  if (location === undefined || !URL.canParse(location, asked.href)) {
    throw new AttemptError('redirect', 'it does not say where to send a blob', false);
  }
  const url = new URL(location, asked.href);
  url.searchParams.set('digest', digest);
  return url;
}
