/**
 * Takes records and outputs from a remote, and believes nothing of them that was not verified.
 *
 * Unaware of what is done with them, and of records of ours.
 */
import { environmentProblem, ProblemError } from '@stx-make/core/errors';
import type { GraphTarget } from '@stx-make/core/graph/model';
import {
  type Descriptor,
  type Digest,
  MAX_DOCUMENT,
  MEDIA,
  type Output,
  parseIndex,
  parseManifest,
} from '@stx-make/core/oci/index';
import { forEachLimited, freeSpace } from '../files/index.ts';
import type { Fingerprint } from '../plan/inputs.ts';
import { repositoryOf } from '../registry/index.ts';
import { blobIntoPool, type WantedBlob } from '../registry/into-pool.ts';
import { type Expectation, VerificationError, verifyDocuments, verifyOutput } from '../store/index.ts';
import { readSmall } from '../store/read.ts';
import { type Asking, AWAY } from './asking.ts';
import type { RemoteRecord } from './model.ts';
import { decodeRecord, MAX_RECORD, type RecordDocument, recordTag } from './record.ts';

/** Blobs of one output at a time; all outputs together are bounded by the remote's own limit. */
const BLOBS = 4;

export class RemoteReader {
  readonly #asking: Asking;
  /** Each blob once, however many outputs share it. */
  readonly #underWay = new Map<Digest, Promise<boolean | typeof AWAY>>();

  constructor(asking: Asking) {
    this.#asking = asking;
  }

  /** See Remote. */
  async find(
    { name: target }: GraphTarget,
    { digest: fingerprint }: Fingerprint,
    expectation: Expectation,
    signal: AbortSignal,
  ): Promise<RemoteRecord | null> {
    const { client, place } = this.#asking.parts;
    const repository = repositoryOf(place, target);
    try {
      const found = await this.#asking.read(signal, async () => {
        const tagged = await client.tagged(repository, recordTag(fingerprint), MAX_RECORD, signal);
        if (tagged === null) return null;
        const record = decodeRecord(tagged.bytes, { fingerprint, target });
        await this.#documents(repository, record.index, record.documents, signal);
        return record;
      });
      if (found === AWAY || found === null) return null;
      const output = await this.#verified(found, expectation);
      this.#noteHomes(output, repository);
      const { manifest, duration, created } = found;
      return { fingerprint, manifest, output, duration, created };
    } catch (error) {
      this.#refused(error, target, fingerprint, 'remote-bad-record');
      return null;
    }
  }

  /** See Remote. */
  async answers(signal: AbortSignal): Promise<boolean> {
    const { client, place } = this.#asking.parts;
    const nothing = repositoryOf(place, 'notes');
    const ask = () => client.has(nothing, 'manifests', 'none', signal);
    return (await this.#asking.read(signal, ask)) !== AWAY;
  }

  /** See Remote. */
  async bring(
    target: string,
    output: Output,
    expectation: Expectation | null,
    signal: AbortSignal,
    fingerprint: Digest | null,
  ): Promise<boolean> {
    const { pool } = this.#asking.parts;
    try {
      let whole = this.#fits(target, output);
      await forEachLimited(descriptorsOf(output), BLOBS, async (blob) => {
        if (!whole || (await pool.check(blob.digest)) === null) return;
        const came = await this.#blob(target, blob, signal);
        if (came === false) throw missing(blob.digest);
        if (came === AWAY) whole = false;
      });
      if (!whole) return false;
      if (expectation !== null) await verifyOutput(pool, output.index.digest, this.#given(expectation));
      pool.sync();
      return true;
    } catch (error) {
      if (error instanceof VerificationError) for (const digest of error.bad) pool.remove(digest);
      this.#refused(error, target, fingerprint, 'remote-bad-output');
      return false;
    }
  }

  /** A record can name layers of any size: nobody's disk is filled for it. */
  #fits(target: string, output: Output): boolean {
    const { pool, place, warn } = this.#asking.parts;
    let wanted = 0;
    for (const { digest, size } of descriptorsOf(output)) if (!pool.isKnownGood(digest)) wanted += size;
    const { free } = freeSpace(pool.root);
    if (wanted < free) return true;
    warn(
      environmentProblem({
        code: 'remote-too-large',
        level: 'warning',
        text: `What ${place.name} has for ${target} is not taken: ${wanted} bytes, and ${free} are free.`,
        file: pool.root,
        hint: `${target} is built here.`,
      }),
    );
    return false;
  }

  /** See Remote. */
  async pushed(
    target: string,
    index: Digest,
    expectation: Expectation,
    signal: AbortSignal,
  ): Promise<Output> {
    const { client, place, pool } = this.#asking.parts;
    const repository = repositoryOf(place, target);
    const top = { digest: index, mediaType: MEDIA.index, size: null };
    const output = await this.#asking.read(signal, async () => {
      await this.#documents(repository, top, new Map(), signal);
      const found = await verifyDocuments(pool, index, this.#given(expectation));
      await forEachLimited(descriptorsOf(found), BLOBS, async ({ digest, mediaType }) => {
        const kind = mediaType === MEDIA.manifest || mediaType === MEDIA.index ? 'manifests' : 'blobs';
        if ((await client.has(repository, kind, digest, signal)) === null) throw missing(digest);
        this.#asking.there.add(`${repository}@${digest}`);
      });
      this.#noteHomes(found, repository);
      return found;
    });
    if (output !== AWAY) return output;
    throw new ProblemError(
      environmentProblem({
        code: 'remote-output-lost',
        text: `${target} was built and pushed to ${place.name}, which can not be asked for it now.`,
      }),
    );
  }

  /** Index, manifests and configs in the pool: most come with the record. */
  async #documents(
    repository: string,
    top: WantedBlob,
    documents: RecordDocument['documents'],
    signal: AbortSignal,
  ): Promise<void> {
    const { client, pool } = this.#asking.parts;
    const have = async (blob: WantedBlob): Promise<Buffer> => {
      if ((blob.size ?? 0) > MAX_DOCUMENT) throw bad(`${blob.digest} is said to have ${blob.size} bytes`);
      if (!pool.isKnownGood(blob.digest)) {
        const bytes = documents.get(blob.digest);
        if (bytes !== undefined) pool.write(bytes);
        else if (!(await blobIntoPool(client, repository, blob, pool, signal))) throw missing(blob.digest);
      }
      const read = readSmall(pool.path(blob.digest), MAX_DOCUMENT);
      if (read === null) throw bad(`${blob.digest} is gone from the pool`);
      return read.bytes;
    };
    const index = parseIndex(await have(top), 'the index');
    for (const manifest of index.manifests) {
      const { config } = parseManifest(await have(manifest), 'the manifest');
      await have(config);
    }
  }

  async #verified(record: RecordDocument, expectation: Expectation): Promise<Output> {
    const { pool } = this.#asking.parts;
    const output = await verifyDocuments(pool, record.index.digest, this.#given(expectation));
    const first = output.images[0]?.manifest.digest;
    if (first !== record.manifest)
      throw bad(`its record says manifest ${record.manifest}, its output has ${first}`);
    return output;
  }

  #blob(target: string, blob: Descriptor, signal: AbortSignal): Promise<boolean | typeof AWAY> {
    const { client, place, pool } = this.#asking.parts;
    let download = this.#underWay.get(blob.digest);
    if (download === undefined) {
      const repository = repositoryOf(place, target);
      download = this.#asking.read(signal, () => blobIntoPool(client, repository, blob, pool, signal));
      this.#underWay.set(blob.digest, download);
      const done = (): void => void this.#underWay.delete(blob.digest);
      download.then(done, done);
    }
    return download;
  }

  /** A registry took the manifest, so it has what that names. */
  #noteHomes(output: Output, repository: string): void {
    for (const { digest } of descriptorsOf(output)) {
      if (!this.#asking.homes.has(digest)) this.#asking.homes.set(digest, repository);
    }
  }

  /** Integrity is a warning here; everything else is not ours to swallow. */
  #refused(error: unknown, target: string, fingerprint: Digest | null, code: string): void {
    const ours =
      error instanceof ProblemError &&
      error.problems.every(({ tag, code: of }) => tag === 'integrity' || of === 'remote-incomplete');
    if (!ours) throw error;
    this.#asking.refuse(target, fingerprint, error, code);
  }

  #given(expectation: Expectation): Expectation {
    return { ...expectation, giver: this.#asking.parts.place.name };
  }
}

/** All blobs of an output, each once, documents first. */
export function descriptorsOf(output: Output): Descriptor[] {
  const all = [output.index, ...output.images.flatMap((image) => [image.manifest, image.config])];
  all.push(...output.images.flatMap(({ layers }) => layers));
  return [...new Map(all.map((blob) => [blob.digest, blob])).values()];
}

function missing(digest: Digest): ProblemError {
  return new ProblemError(
    environmentProblem({ code: 'remote-incomplete', text: `its blob ${digest} is not there` }),
  );
}

function bad(text: string): ProblemError {
  return new ProblemError({ code: 'bad-record', tag: 'integrity', level: 'error', text });
}
