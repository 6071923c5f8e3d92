/**
 * Reads from a registry, by digest or by tag: the OCI distribution protocol. Writing is push.ts's.
 *
 * Every byte that is asked for by digest is judged by it, so neither the registry nor what is between is trusted; what is
 * asked for by tag is whatever the registry says. Unaware of targets and of where blobs go.
 */
import { createHash } from 'node:crypto';
import { isDigest } from '@stx-make/core/oci/digest';
import { MEDIA } from '@stx-make/core/oci/documents';
import type { Digest } from '@stx-make/core/oci/model';
import { AttemptError } from '../sources/network/failure.ts';
import type { Scope } from './challenge.ts';
import { type Answer, Exchanges, type RegistryOptions } from './exchange.ts';
import { Pushing } from './push.ts';

export type { RegistryOptions };
export type BlobKind = 'manifests' | 'blobs';

/** Takes the bytes of one blob as they come. */
export interface BlobSink {
  write(piece: Uint8Array): void;
  /** The bytes so far are void: it begins anew. */
  reset(): void;
}

export interface WantedBytes {
  readonly digest: Digest;
  /** Null where it is not known; then `limit` bytes at most. */
  readonly size: number | null;
  readonly limit: number;
}

/** What is under a tag: whatever the registry says. */
export interface Tagged {
  readonly bytes: Buffer;
  readonly mediaType: string;
}

const DOCUMENTS = `${MEDIA.index}, ${MEDIA.manifest}`;

export class RegistryClient {
  readonly #exchanges: Exchanges;
  /** Pushing, mounting and tagging. */
  readonly push: Pushing;

  constructor(options: RegistryOptions) {
    this.#exchanges = new Exchanges(options);
    this.push = new Pushing(this.#exchanges);
  }

  close(): void {
    this.#exchanges.close();
  }

  /**
   * Reads a manifest or blob whole, its digest and size checked.
   * @returns false where the registry does not have it
   * @throws ProblemError `registry-failed`, `registry-refused` (environment), `registry-other-bytes` (integrity); the
   * signal's reason
   */
  async read(
    repository: string,
    kind: BlobKind,
    wanted: WantedBytes,
    sink: BlobSink,
    asked?: AbortSignal,
  ): Promise<boolean> {
    const url = this.#exchanges.url(repository, `${kind}/${wanted.digest}`);
    const scopes = pullOf(repository);
    const headers = { Accept: kind === 'manifests' ? DOCUMENTS : '*/*' };
    let begun = false;
    return await this.#exchanges.trying(url, asked, async (signal) => {
      if (begun) sink.reset();
      begun = true;
      const answer = await this.#exchanges.ask({ method: 'GET', url, scopes, headers }, signal);
      if (answer.status === 404) {
        await answer.drop();
        return false;
      }
      if (answer.status !== 200) return await answer.fail(() => this.#exchanges.told(scopes));
      await this.#take(answer, url, wanted, sink);
      return true;
    });
  }

  async #take(answer: Answer, url: URL, wanted: WantedBytes, sink: BlobSink): Promise<void> {
    const hash = createHash('sha256');
    let size = 0;
    for await (const piece of answer.pieces()) {
      size += piece.length;
      if (size > (wanted.size ?? wanted.limit)) {
        answer.cut();
        throw this.#exchanges.otherBytes(url, `more than ${wanted.size ?? wanted.limit} bytes came`);
      }
      hash.update(piece);
      sink.write(piece);
    }
    // Short of what is wanted, but all of what was announced: nothing broke off.
    const isAll = answer.headers['content-length'] === String(size);
    if (wanted.size !== null && size < wanted.size && !isAll) {
      throw new AttemptError('truncated', `only ${size} of ${wanted.size} bytes came`, true);
    }
    const found = `sha256:${hash.digest('hex')}`;
    if (found !== wanted.digest) throw this.#exchanges.otherBytes(url, `its bytes have the digest ${found}`);
  }

  /**
   * What is under a tag; null where there is nothing. Its bytes are vouched for by nobody.
   * @throws as `read`
   */
  async tagged(repository: string, tag: string, limit: number, asked?: AbortSignal): Promise<Tagged | null> {
    const url = this.#exchanges.url(repository, `manifests/${tag}`);
    const scopes = pullOf(repository);
    return await this.#exchanges.trying(url, asked, async (signal) => {
      const headers = { Accept: DOCUMENTS };
      const answer = await this.#exchanges.ask({ method: 'GET', url, scopes, headers }, signal);
      if (answer.status === 404) {
        await answer.drop();
        return null;
      }
      if (answer.status !== 200) return await answer.fail(() => this.#exchanges.told(scopes));
      const pieces: Buffer[] = [];
      let size = 0;
      for await (const piece of answer.pieces()) {
        size += piece.length;
        if (size > limit) {
          answer.cut();
          throw this.#exchanges.otherBytes(url, `more than ${limit} bytes came`);
        }
        pieces.push(piece);
      }
      const mediaType = answer.headers['content-type']?.split(';')[0]?.trim() ?? '';
      return { bytes: Buffer.concat(pieces), mediaType };
    });
  }

  /**
   * Whether the registry says it has something: by digest, or a manifest by tag.
   * @returns its digest as the registry says it; for blobs the one that was asked for; null where it is not there
   * @throws as `read`
   */
  async has(
    repository: string,
    kind: BlobKind,
    reference: string,
    asked?: AbortSignal,
  ): Promise<Digest | null> {
    const url = this.#exchanges.url(repository, `${kind}/${reference}`);
    const scopes = pullOf(repository);
    return await this.#exchanges.trying(url, asked, async (signal) => {
      const headers = { Accept: kind === 'manifests' ? DOCUMENTS : '*/*' };
      const answer = await this.#exchanges.ask({ method: 'HEAD', url, scopes, headers }, signal);
      if (answer.status === 404) {
        await answer.drop();
        return null;
      }
      if (answer.status !== 200) return await answer.fail(() => this.#exchanges.told(scopes));
      await answer.drop();
      const said = answer.headers['docker-content-digest'];
      if (isDigest(reference)) return reference;
      if (isDigest(said)) return said;
      throw new AttemptError('status', 'it does not say the digest of what it has', false);
    });
  }
}

function pullOf(repository: string): readonly Scope[] {
  return [{ repository, actions: 'pull' }];
}
