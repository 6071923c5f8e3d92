/**
 * Is what BuildKit exported what was asked for? Exit status 0 does not say so (BUILDKIT.md 4).
 *
 * The whole chain index -> manifest -> config -> layers is walked: digests and sizes of all blobs, diff ids
 * recomputed, platforms, annotations, base layers, rewritten times. Unaware of BuildKit, records and files
 * outside the pool.
 */
import { integrityProblem, type Problem, ProblemError } from '@stx-make/core/errors';
import {
  type Config,
  type Descriptor,
  type Digest,
  digestOf,
  type ImageOutput,
  type Index,
  MAX_DOCUMENT,
  type Manifest,
  MEDIA,
  normalizePlatform,
  type Output,
  parseConfig,
  parseIndex,
  parseManifest,
  platformString,
  sameAnnotations,
} from '@stx-make/core/oci/index';
import { forEachLimited } from '../files/index.ts';
import { type LayerFacts, sizeOfStamp } from './ledger.ts';
import { type BadBlob, PARALLEL, type Pool } from './pool.ts';
import { readLayer, readSmall } from './read.ts';

/** BuildKit's mark on a layer whose times it rewrote; its value is the epoch. */
export const REWRITTEN = 'buildkit/rewritten-timestamp';

/** What an output must be like. */
export interface Expectation {
  /** For messages. */
  readonly target: string;
  /** For messages: who gave it; BuildKit where it is left out. */
  readonly giver?: string | undefined;
  /** Exactly these images, in the index's own order. `base`: what a FROM starts from, null for scratch; `outside`: an
   * image that only a registry knows, whose layers are those at the bottom that carry no mark of ours. */
  readonly images: readonly { readonly platform: string; readonly base: ImageOutput | 'outside' | null }[];
  /** Exactly these on each manifest; null: not looked at (imported images). */
  readonly annotations: Readonly<Record<string, string>> | null;
  /** SOURCE_DATE_EPOCH in seconds: no entry of an own layer is newer. Null: times are not looked at. */
  readonly epoch: number | null;
}

function baseLayers(
  base: ImageOutput | 'outside' | null,
  layers: readonly Descriptor[],
): readonly Descriptor[] {
  if (base !== 'outside') return base?.layers ?? [];
  const own = layers.findIndex(({ annotations }) => annotations?.[REWRITTEN] !== undefined);
  return own === -1 ? layers : layers.slice(0, own);
}

/** An output that is not what it must be. */
export class VerificationError extends ProblemError {
  /** Missing or damaged blobs: unlink them and export once more. Empty where the bytes are what BuildKit meant
   * to send, but not what was asked for. */
  readonly bad: readonly Digest[];

  constructor(problems: readonly Problem[], bad: readonly Digest[]) {
    super(problems);
    this.bad = bad;
  }
}

/**
 * @param indexDigest the nested index's, from buildctl's metadata file
 * @throws VerificationError (integrity), with all that was found
 */
export async function verifyOutput(pool: Pool, indexDigest: Digest, expected: Expectation): Promise<Output> {
  return new Verifier(pool, expected, true).run(indexDigest);
}

/**
 * The same as far as index, manifests and configs tell; layers need not be there.
 * @throws VerificationError (integrity), with all that was found
 */
export async function verifyDocuments(
  pool: Pool,
  indexDigest: Digest,
  expected: Expectation,
): Promise<Output> {
  return new Verifier(pool, expected, false).run(indexDigest);
}

class Verifier {
  readonly #pool: Pool;
  readonly #expected: Expectation;
  readonly #withLayers: boolean;
  readonly #problems: Problem[] = [];
  readonly #bad = new Set<Digest>();

  constructor(pool: Pool, expected: Expectation, withLayers: boolean) {
    this.#pool = pool;
    this.#expected = expected;
    this.#withLayers = withLayers;
  }

  async run(indexDigest: Digest): Promise<Output> {
    const index = this.#document(indexDigest, null, 'the index', parseIndex);
    const images: ImageOutput[] = [];
    if (index !== null) {
      this.#checkIndex(index.value);
      for (const manifest of index.value.manifests) {
        const image = await this.#image(manifest);
        if (image !== null) images.push(image);
      }
    }
    if (index === null || this.#problems.length > 0) {
      throw new VerificationError(this.#problems, [...this.#bad]);
    }
    return { index: { mediaType: MEDIA.index, digest: indexDigest, size: index.size }, images };
  }

  #checkIndex(index: Index): void {
    if (Object.keys(index.annotations).length > 0) {
      this.#say('unexpected-annotation', 'the index carries annotations that nobody asked for');
    }
    const got = index.manifests.map(({ platform }) => (platform ? platformString(platform) : 'none'));
    const wanted = this.#expected.images.map(({ platform }) => normalizePlatform(platform));
    if ([...got].sort().join() !== [...wanted].sort().join()) {
      const extra = got.includes('unknown/unknown')
        ? ' (unknown/unknown is an attestation: disable them)'
        : '';
      this.#say('wrong-platforms', `it holds images for ${got.join(', ')}, not ${wanted.join(', ')}${extra}`);
    }
  }

  async #image(descriptor: Descriptor): Promise<ImageOutput | null> {
    if (descriptor.mediaType !== MEDIA.manifest) {
      this.#say('bad-media-type', `the index names ${descriptor.digest}, a ${descriptor.mediaType}`);
      return null;
    }
    if (descriptor.annotations !== undefined && Object.keys(descriptor.annotations).length > 0) {
      this.#say('unexpected-annotation', `the index annotates ${descriptor.digest}: is it an attestation?`);
    }
    const platform = descriptor.platform === undefined ? 'none' : platformString(descriptor.platform);
    const manifest = this.#document(
      descriptor.digest,
      descriptor.size,
      `${platform} manifest`,
      parseManifest,
    );
    if (manifest === null) return null;
    const { config: configDescriptor, layers } = manifest.value;
    this.#checkAnnotations(manifest.value, platform);
    const config = this.#document(
      configDescriptor.digest,
      configDescriptor.size,
      `${platform} config`,
      parseConfig,
    );
    const facts = await this.#readLayers(layers);
    if (config === null) return null;
    this.#checkConfig(config.value, platform, layers, facts);
    this.#checkLayers(layers, platform, facts);
    const { diffIds } = config.value;
    return { platform, manifest: descriptor, config: configDescriptor, layers, diffIds };
  }

  #checkAnnotations(manifest: Manifest, platform: string): void {
    const wanted = this.#expected.annotations;
    if (wanted === null || sameAnnotations(manifest.annotations, wanted)) return;
    this.#say(
      'wrong-annotations',
      `the ${platform} manifest has the annotations ${JSON.stringify(manifest.annotations)}, not ${JSON.stringify(wanted)}`,
    );
  }

  #checkConfig(
    config: Config,
    platform: string,
    layers: readonly Descriptor[],
    facts: ReadonlyMap<Digest, LayerFacts>,
  ): void {
    const own = platformString(config.platform);
    if (own !== platform) this.#say('wrong-platforms', `the config of the ${platform} image is for ${own}`);
    if (config.diffIds.length !== layers.length) {
      const text = `the ${platform} config has ${config.diffIds.length} diff ids for ${layers.length} layers`;
      this.#say('wrong-diff-id', text);
      return;
    }
    for (const [place, layer] of layers.entries()) {
      const found = facts.get(layer.digest);
      if (found === undefined || found.diffId === config.diffIds[place]) continue;
      const text = `layer ${place + 1} of the ${platform} image unpacks to ${found.diffId}, its config says ${config.diffIds[place]}`;
      this.#say('wrong-diff-id', text);
    }
  }

  #checkLayers(
    layers: readonly Descriptor[],
    platform: string,
    facts: ReadonlyMap<Digest, LayerFacts>,
  ): void {
    const { images, epoch } = this.#expected;
    const image = images.find((one) => normalizePlatform(one.platform) === platform);
    const base = baseLayers(image?.base ?? null, layers);
    for (const [place, wanted] of base.entries()) {
      const layer = layers[place];
      if (layer?.digest !== wanted.digest) {
        const text = `layer ${place + 1} of the ${platform} image is ${layer?.digest ?? 'missing'}, its base has ${wanted.digest} there`;
        this.#say('wrong-base', text);
      } else if (layer.annotations?.[REWRITTEN] !== undefined) {
        const text = `layer ${place + 1} of the ${platform} image comes from its base, but was rewritten`;
        this.#say('wrong-base', text);
      }
    }
    if (epoch === null) return;
    for (const [place, layer] of layers.entries()) {
      if (place < base.length) continue;
      const where = `layer ${place + 1} (${layer.digest}) of the ${platform} image`;
      if (layer.mediaType !== MEDIA.layerGzip) {
        this.#say('bad-media-type', `${where} is a ${layer.mediaType}, asked for was ${MEDIA.layerGzip}`);
      }
      if (layer.annotations?.[REWRITTEN] !== String(epoch)) {
        this.#say('times-not-rewritten', `${where} does not say that its times were rewritten`);
      }
      const newest = facts.get(layer.digest)?.newest ?? 0;
      if (newest > epoch) {
        this.#say('times-not-rewritten', `${where} has an entry of ${newest} s, newer than ${epoch} s`);
      }
    }
  }

  /** Every layer's bytes checked; what is in the ledger is not read again. */
  async #readLayers(layers: readonly Descriptor[]): Promise<Map<Digest, LayerFacts>> {
    const facts = new Map<Digest, LayerFacts>();
    if (!this.#withLayers) return facts;
    const distinct = new Map(layers.map((layer) => [layer.digest, layer]));
    await forEachLimited(distinct.values(), PARALLEL, async (layer) => {
      const found = await this.#readLayer(layer);
      if (found !== null) facts.set(layer.digest, found);
    });
    for (const layer of layers) this.#checkSize(layer);
    return facts;
  }

  async #readLayer(layer: Descriptor): Promise<LayerFacts | null> {
    const known = this.#pool.ledger.layer(layer.digest);
    if (known !== undefined && this.#pool.isKnownGood(layer.digest)) return known;
    try {
      const { reading, facts } = await readLayer(
        this.#pool.path(layer.digest),
        layer.mediaType,
        layer.digest,
      );
      const bad = this.#pool.judge(layer.digest, reading);
      if (bad !== null) this.#blame(bad, 'layer');
      else if (facts !== null) this.#pool.ledger.rememberLayer(layer.digest, facts);
      return facts;
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      for (const problem of error.problems) this.#say(problem.code, problem.text);
      return null;
    }
  }

  #checkSize(descriptor: Descriptor): void {
    if (this.#bad.has(descriptor.digest)) return;
    const stamp = this.#pool.ledger.stamp(descriptor.digest);
    const size = stamp === undefined ? descriptor.size : sizeOfStamp(stamp);
    // The bytes have the right digest, so it is the descriptor that lies.
    if (size !== descriptor.size) {
      const text = `${descriptor.digest} is said to have ${descriptor.size} bytes, it has ${size}`;
      this.#say('wrong-size', text);
    }
  }

  /** Reads, checks and parses a document; null where that failed, which is then noted. Documents are small:
   * they are hashed whether known or not. */
  #document<T>(
    digest: Digest,
    size: number | null,
    what: string,
    parse: (bytes: Uint8Array, what: string) => T,
  ): { readonly value: T; readonly size: number } | null {
    const read = readSmall(this.#pool.path(digest), MAX_DOCUMENT);
    const found = read === null ? null : digestOf(read.bytes);
    if (read === null || found !== digest) {
      this.#pool.ledger.forget(digest);
      const why =
        found === null ? 'it is missing, too large or no plain file' : `its bytes have the digest ${found}`;
      this.#blame({ digest, why }, what);
      return null;
    }
    this.#pool.judge(digest, { kind: 'blob', digest: found, stat: read.stat });
    if (size !== null) this.#checkSize({ digest, size, mediaType: '' });
    try {
      return { value: parse(read.bytes, what), size: read.bytes.length };
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      for (const problem of error.problems) this.#say(problem.code, problem.text);
      return null;
    }
  }

  #blame({ digest, why }: BadBlob, what: string): void {
    this.#bad.add(digest);
    this.#say('bad-blob', `${what} ${digest}: ${why}`);
  }

  #say(code: string, text: string): void {
    const { giver, target } = this.#expected;
    this.#problems.push(
      integrityProblem({ code, text: `what ${giver ?? 'BuildKit'} gave for ${target} is wrong: ${text}` }),
    );
  }
}
