/**
 * A record as it lies in a registry: an OCI index under a tag made of the fingerprint.
 *
 * Its one manifest is the output's own index, so whatever cleans up the registry keeps the output as long as the record.
 * The record itself, with the documents of the output (index, manifests, configs: a few KB), is one annotation of it,
 * gzip and base64: one request answers whether somebody has built this, and what came out. Layers are not looked at here.
 *
 * Pure. What is read was written by anybody who may write there: nothing in it is believed that is not checked.
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import { integrityProblem, ProblemError } from '@stx-make/core/errors';
import { fingerprintOf } from '@stx-make/core/fingerprint/encode';
import {
  type Descriptor,
  type Digest,
  digestOf,
  hexOf,
  MEDIA,
  parseDescriptor,
  parseDigest,
} from '@stx-make/core/oci/index';

/** Media type of the record, as `artifactType` of the index. */
export const RECORD_TYPE = 'application/vnd.stx-make.record.v1+json';

const PREFIX = 'vnd.stx-make.';
/** Registries take 4 MiB of a manifest; real records have some 10 KB. Bytes. */
export const MAX_RECORD = 3 * 1024 * 1024;
/** Unpacked. */
const MAX_UNPACKED = 32 * 1024 * 1024;

export interface RecordDocument {
  readonly fingerprint: Digest;
  readonly target: string;
  /** Of the first image: what is published and signed. */
  readonly manifest: Digest;
  /** The output's. */
  readonly index: Descriptor;
  /** ms of the build. */
  readonly duration: number;
  /** ms since the epoch, by the clock of whoever built it. */
  readonly created: number;
  /** The canonical facts behind the fingerprint. */
  readonly facts: string;
  /** Index, manifests and configs of the output, by digest. */
  readonly documents: ReadonlyMap<Digest, Buffer>;
}

/** `record-<hex>` */
export function recordTag(fingerprint: Digest): string {
  return `record-${hexOf(fingerprint)}`;
}

/** The bytes of the index; null where it would be too large for a registry. */
export function encodeRecord(record: RecordDocument): Buffer | null {
  const { fingerprint, target, manifest, index, duration, created, facts, documents } = record;
  const { mediaType, digest, size } = index;
  const text = JSON.stringify({
    schema: 1,
    fingerprint,
    target,
    manifest,
    index: { mediaType, digest, size },
    duration,
    created,
    facts,
    documents: Object.fromEntries([...documents].map(([name, bytes]) => [name, bytes.toString('base64')])),
  });
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA.index,
      artifactType: RECORD_TYPE,
      manifests: [{ mediaType, digest, size }],
      annotations: {
        [`${PREFIX}fingerprint`]: fingerprint,
        [`${PREFIX}target`]: target,
        [`${PREFIX}manifest`]: manifest,
        [`${PREFIX}record`]: gzipSync(text).toString('base64'),
      },
    }),
  );
  return bytes.length > MAX_RECORD ? null : bytes;
}

/**
 * @param wanted what it must be of
 * @throws ProblemError `bad-record` (integrity): it is none, or one of something else
 */
export function decodeRecord(
  bytes: Uint8Array,
  wanted: { readonly fingerprint: Digest; readonly target: string },
): RecordDocument {
  const index = object(parse(bytes, 'it'), 'it');
  const annotations = object(index['annotations'] ?? {}, 'its annotations');
  const packed = annotations[`${PREFIX}record`];
  if (index['artifactType'] !== RECORD_TYPE || typeof packed !== 'string') throw bad('it is no record');
  const record = object(parse(unpack(packed), 'the record'), 'the record');
  if (record['schema'] !== 1) throw bad(`it has schema ${JSON.stringify(record['schema'])}, known is 1`);
  const fingerprint = parseDigest(record['fingerprint'], 'fingerprint');
  if (fingerprint !== wanted.fingerprint)
    throw bad(`it is the record of another fingerprint, ${fingerprint}`);
  if (record['target'] !== wanted.target) throw bad(`it is a record of ${JSON.stringify(record['target'])}`);
  const facts = string(record, 'facts');
  if (fingerprintOf(facts) !== fingerprint) throw bad('its facts do not give the fingerprint');
  const output = parseDescriptor(record['index'], 'index', [MEDIA.index]);
  checkKept(index['manifests'], output);
  return {
    fingerprint,
    target: wanted.target,
    manifest: parseDigest(record['manifest'], 'manifest'),
    index: output,
    duration: time(record, 'duration'),
    created: time(record, 'created'),
    facts,
    documents: documentsOf(object(record['documents'], 'documents')),
  };
}

/** What the registry keeps for it must be its output, or that is gone one day. */
function checkKept(manifests: unknown, output: Descriptor): void {
  const list: readonly unknown[] = Array.isArray(manifests) ? manifests : [];
  const kept = list.map((item, place) => parseDescriptor(item, `manifests[${place}]`, [MEDIA.index]));
  if (kept.length !== 1 || kept[0]?.digest !== output.digest) {
    throw bad(
      `it is tied to ${kept.map(({ digest }) => digest).join(', ') || 'nothing'}, not to its output ${output.digest}`,
    );
  }
}

function documentsOf(table: Record<string, unknown>): Map<Digest, Buffer> {
  const documents = new Map<Digest, Buffer>();
  for (const [name, text] of Object.entries(table)) {
    const digest = parseDigest(name, 'documents');
    const bytes = Buffer.from(typeof text === 'string' ? text : '', 'base64');
    if (digestOf(bytes) !== digest) throw bad(`the bytes it gives for ${digest} are others`);
    documents.set(digest, bytes);
  }
  return documents;
}

function unpack(packed: string): Buffer {
  try {
    return gunzipSync(Buffer.from(packed, 'base64'), { maxOutputLength: MAX_UNPACKED });
  } catch (error) {
    throw bad(`it can not be unpacked: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function parse(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw bad(`${what} is no JSON`);
  }
}

function object(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw bad(`${what} is no object`);
}

function string(record: Record<string, unknown>, key: string): string {
  const value = record[key];
  if (typeof value !== 'string') throw bad(`its ${key} is no text`);
  return value;
}

function time(record: Record<string, unknown>, key: string): number {
  const value = record[key];
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) throw bad(`its ${key} is no time`);
  return value;
}

function bad(text: string): ProblemError {
  return new ProblemError(integrityProblem({ code: 'bad-record', text }));
}
