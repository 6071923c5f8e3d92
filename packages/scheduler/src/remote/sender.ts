/**
 * Sends outputs out of the pool: a blob that the remote has is never sent again, and one that another repository of it has is
 * mounted from there.
 *
 * Unaware of records and of what is offered when.
 */
import { createReadStream, readFileSync } from 'node:fs';
import { integrityProblem, ProblemError } from '@stx-make/core/errors';
import { type Descriptor, type Digest, MAX_DOCUMENT } from '@stx-make/core/oci/index';
import { forEachLimited } from '../files/index.ts';
import { repositoryOf } from '../registry/index.ts';
import type { BuildRecord } from '../state/records.ts';
import { readSmall } from '../store/read.ts';
import type { Asking } from './asking.ts';

/** Blobs of one output at a time. */
const BLOBS = 3;
/** Blobs up to this size are read at once: a stream costs more. */
const SMALL = 256 * 1024;

export class OutputSender {
  readonly #asking: Asking;
  /** Each blob by one at a time: the others mount it. */
  readonly #sending = new Map<Digest, Promise<unknown>>();

  constructor(asking: Asking) {
    this.#asking = asking;
  }

  /** Index, manifests and configs. @throws ProblemError `output-lost` (integrity): not whole here */
  documents({ target, output }: Pick<BuildRecord, 'target' | 'output'>): Map<Digest, Buffer> {
    const documents = new Map<Digest, Buffer>();
    const all = [output.index, ...output.images.flatMap((image) => [image.manifest, image.config])];
    for (const { digest } of all) {
      const read =
        this.#asking.parts.pool.checkNow(digest) === null
          ? readSmall(this.#path(digest), MAX_DOCUMENT)
          : null;
      if (read === null) throw lost(target, digest);
      documents.set(digest, read.bytes);
    }
    return documents;
  }

  /**
   * Has an output in a repository, all of it: its index last.
   * @param bases targets whose layers may be at the bottom of it
   * @throws ProblemError `output-lost`, and the registry's; the signal's reason
   */
  async output(
    repository: string,
    { target, output }: Pick<BuildRecord, 'target' | 'output'>,
    documents: ReadonlyMap<Digest, Buffer>,
    bases: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    const { client } = this.#asking.parts;
    const blobs = output.images.flatMap(({ config, layers }) => [config, ...layers]);
    const distinct = new Map(blobs.map((blob) => [blob.digest, blob]));
    await forEachLimited(distinct.values(), BLOBS, (blob) =>
      this.#blob(repository, target, blob, bases, signal),
    );
    for (const { manifest } of [...output.images, { manifest: output.index }]) {
      const bytes = documents.get(manifest.digest);
      if (bytes === undefined) throw lost(target, manifest.digest);
      await client.push.manifest(repository, manifest.digest, manifest.mediaType, bytes, signal);
    }
  }

  async #blob(
    repository: string,
    target: string,
    blob: Descriptor,
    bases: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    const { digest } = blob;
    for (let other = this.#sending.get(digest); other !== undefined; other = this.#sending.get(digest)) {
      await other.catch(() => {});
    }
    const sending = this.#send(repository, target, blob, bases, signal);
    this.#sending.set(digest, sending);
    try {
      await sending;
    } finally {
      this.#sending.delete(digest);
    }
  }

  async #send(
    repository: string,
    target: string,
    { digest, size }: Descriptor,
    bases: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    const { client, place, pool } = this.#asking.parts;
    const { homes } = this.#asking;
    const own = `${repository}@${digest}`;
    if (this.#asking.there.has(own)) return;
    const home = homes.get(digest) ?? null;
    // Mounting asks as well, and does it.
    if (home === null || home === repository || !pool.isKnownGood(digest)) {
      const there = client.has(repository, 'blobs', digest, signal);
      if ((await this.#asking.unlessRefused(there)) !== null) {
        this.#nowThere(repository, digest);
        return;
      }
    }
    if ((await pool.check(digest)) !== null) throw lost(target, digest);
    const base = bases[0] === undefined ? null : repositoryOf(place, bases[0]);
    const path = this.#path(digest);
    const open = () => (size <= SMALL ? readFileSync(path) : createReadStream(path));
    const from = home === repository ? null : (home ?? base);
    await client.push.blob(repository, { digest, size, open }, from, signal);
    this.#nowThere(repository, digest);
  }

  #nowThere(repository: string, digest: Digest): void {
    this.#asking.there.add(`${repository}@${digest}`);
    if (!this.#asking.homes.has(digest)) this.#asking.homes.set(digest, repository);
  }

  #path(digest: Digest): string {
    return this.#asking.parts.pool.path(digest);
  }
}

function lost(target: string, digest: Digest): ProblemError {
  return new ProblemError(
    integrityProblem({
      code: 'output-lost',
      text: `The output of ${target} is not complete here: ${digest}.`,
    }),
  );
}
