/**
 * The format of a bundle of sources: a plain tar, the same bytes for the same sources, on any machine.
 *
 *   SHA256SUMS               for `sha256sum -c`, sorted by hash
 *   sha256/<hex>             each content once, sorted
 *   stx-make-sources.json    what each is called and who wants it
 *
 * Entries are in code unit order, mode 0444, owner 0, mtime 1. Not compressed: sources mostly are. Pure.
 */
import { inputProblem, ProblemError } from '@stx-make/core/errors';
import { byCodeUnit } from '@stx-make/core/order';

export const SUMS = 'SHA256SUMS';
export const MANIFEST = 'stx-make-sources.json';
/** Raised when a field changes its meaning or goes away. */
export const BUNDLE_SCHEMA = 1;

export interface BundleSource {
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
  /** `<stage>/<name>/<file>`, every place that wants it, sorted. */
  readonly places: readonly string[];
}

export interface BundleManifest {
  readonly schema: typeof BUNDLE_SCHEMA;
  /** Sorted by sha256. */
  readonly sources: readonly BundleSource[];
}

/** The name of a content's entry. */
export function entryName(sha256: string): string {
  return `sha256/${sha256}`;
}

/** The hash an entry claims to have, by a name that ends like ours; null for other names. */
export function claimedHash(name: string): string | null {
  return /(?:^|\/)sha256\/([0-9a-f]{64})$/.exec(name)?.[1] ?? null;
}

/** As `sha256sum -c` reads it. */
export function sumsText(sources: readonly BundleSource[]): string {
  return sources.map(({ sha256 }) => `${sha256}  ${entryName(sha256)}\n`).join('');
}

export function manifestText(sources: readonly BundleSource[]): string {
  const manifest: BundleManifest = { schema: BUNDLE_SCHEMA, sources };
  return `${JSON.stringify(manifest, null, 1)}\n`;
}

/**
 * The hashes a bundle says it holds.
 * @throws ProblemError `bad-bundle` (input)
 */
export function readManifest(text: string, what: string): readonly string[] {
  const bad = (why: string): ProblemError =>
    new ProblemError(
      inputProblem({ code: 'bad-bundle', text: `${MANIFEST} in it can not be read: ${why}`, file: what }),
    );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw bad(error instanceof Error ? error.message : String(error));
  }
  if (!isRecord(value)) throw bad('it is not an object');
  if (value['schema'] !== BUNDLE_SCHEMA) throw bad(`its schema is ${JSON.stringify(value['schema'])}, not 1`);
  const sources = value['sources'];
  if (!Array.isArray(sources)) throw bad('it has no list of sources');
  const hashes = sources.map((source: unknown) => {
    const sha256 = isRecord(source) ? source['sha256'] : undefined;
    if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) throw bad('a source has no sha256');
    return sha256;
  });
  return hashes.sort(byCodeUnit);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const BLOCK = 512;
/** 11 octal digits: above it the size is written in base 256, as GNU tar and Go do. */
const LARGEST_OCTAL = 8 ** 11 - 1;

/** The header of a regular file. */
export function tarHeader(name: string, size: number): Buffer {
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0, 100, 'latin1');
  header.write(octal(0o444, 8), 100, 'latin1');
  header.write(octal(0, 8), 108, 'latin1');
  header.write(octal(0, 8), 116, 'latin1');
  if (size <= LARGEST_OCTAL) header.write(octal(size, 12), 124, 'latin1');
  else {
    header[124] = 0x80;
    header.writeBigUInt64BE(BigInt(size), 128);
  }
  header.write(octal(1, 12), 136, 'latin1');
  header.fill(' ', 148, 156, 'latin1');
  header.write('0', 156, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

/** What fills an entry up to whole blocks. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

/** The end of an archive, filled up to tar's usual record of 20 blocks.
 * @param written bytes before it */
export function tarEnd(written: number): Buffer {
  const record = 20 * BLOCK;
  const least = written + 2 * BLOCK;
  return Buffer.alloc(Math.ceil(least / record) * record - written);
}

function octal(value: number, length: number): string {
  return `${value.toString(8).padStart(length - 1, '0')}\0`;
}
