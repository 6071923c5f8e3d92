/**
 * The last rung of the ladder: which file differs between two layers, and how.
 *
 * Streams both layers once; of each entry only a short summary is kept. Unaware of outputs' records.
 */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import {
  type Descriptor,
  firstDifference,
  type Output,
  type OutputDifference,
  type TarEntry,
  TarReader,
} from '@stx-make/core/oci/index';
import { byCodeUnit } from '@stx-make/core/order';
import type { Pool } from './pool.ts';
import { decompressors } from './read.ts';

/** How a file differs. `order`: the entries are equal, but come in another order or more than once. */
export type FileChange =
  | 'only-before'
  | 'only-after'
  | 'type'
  | 'content'
  | 'link'
  | 'mode'
  | 'owner'
  | 'mtime'
  | 'xattrs'
  | 'device'
  | 'order';

export interface FileDifference {
  /** As in the layer, without a leading slash. */
  readonly path: string;
  readonly kind: FileChange;
  /** What differs, for people: sizes and digests, modes, times; empty where the file is not there. */
  readonly before: string;
  readonly after: string;
}

interface Summary {
  readonly entry: TarEntry;
  readonly content: string;
}

/** All differing files, sorted by path, one finding each: the gravest. @throws ProblemError (integrity) where a
 * layer can not be read; system errors as they are where it is not there */
export async function diffLayers(
  pool: Pool,
  before: Descriptor,
  after: Descriptor,
): Promise<FileDifference[]> {
  const [a, b] = await Promise.all([summarise(pool, before), summarise(pool, after)]);
  const paths = [...new Set([...a.keys(), ...b.keys()])].sort(byCodeUnit);
  const found: FileDifference[] = [];
  for (const path of paths) {
    const difference = compare(path, a.get(path), b.get(path));
    if (difference !== null) found.push(difference);
  }
  const shuffled = found.length === 0 ? firstMoved([...a.keys()], [...b.keys()]) : null;
  return shuffled === null ? found : [shuffled];
}

/** Where two outputs differ down to the file; null where they are equal. `file` is null where no layer's content
 * differs or a layer is not in the pool any more. */
export async function explainOutputs(
  pool: Pool,
  before: Output,
  after: Output,
): Promise<{ readonly difference: OutputDifference; readonly file: FileDifference | null } | null> {
  const difference = firstDifference(before, after);
  if (difference === null) return null;
  const { layer, cause } = difference;
  if (cause !== 'diff-id' || layer === null) return { difference, file: null };
  const missing = await pool.badOf([layer.before.digest, layer.after.digest]);
  if (missing.length > 0) return { difference, file: null };
  const files = await diffLayers(pool, layer.before, layer.after);
  return { difference, file: files[0] ?? null };
}

async function summarise(pool: Pool, layer: Descriptor): Promise<Map<string, Summary>> {
  const found = new Map<string, Summary>();
  let current: { readonly entry: TarEntry; readonly hash: Hash } | null = null;
  const close = (): void => {
    if (current === null) return;
    const { entry, hash } = current;
    const path = entry.path.replace(/^\.?\//, '');
    // Delete first: a path that comes twice counts where it came last, as it does when it is unpacked.
    found.delete(path);
    found.set(path, { entry, content: hash.digest('hex') });
    current = null;
  };
  const reader = new TarReader(
    {
      entry: (entry) => {
        close();
        current = { entry, hash: createHash('sha256') };
      },
      data: (piece) => void current?.hash.update(piece),
    },
    `layer ${layer.digest}`,
  );
  await pipeline(
    createReadStream(pool.path(layer.digest)),
    ...decompressors(layer.mediaType),
    async (pieces: AsyncIterable<Buffer>) => {
      for await (const piece of pieces) reader.push(piece);
    },
  );
  reader.finish();
  close();
  return found;
}

function compare(path: string, a: Summary | undefined, b: Summary | undefined): FileDifference | null {
  if (a === undefined || b === undefined) {
    const kind = a === undefined ? 'only-after' : 'only-before';
    return { path, kind, before: a?.entry.type ?? '', after: b?.entry.type ?? '' };
  }
  for (const [kind, show] of ASPECTS) {
    const before = show(a);
    const after = show(b);
    if (before !== after) return { path, kind, before, after };
  }
  return null;
}

/** The gravest first. */
const ASPECTS: readonly (readonly [FileChange, (summary: Summary) => string])[] = [
  ['type', ({ entry }) => entry.type],
  ['content', ({ entry, content }) => `${entry.size} bytes, sha256 ${content.slice(0, 12)}`],
  ['link', ({ entry }) => entry.link],
  ['mode', ({ entry }) => entry.mode.toString(8).padStart(4, '0')],
  ['owner', ({ entry }) => `${entry.uid}:${entry.gid}`],
  ['mtime', ({ entry }) => String(entry.mtime)],
  ['device', ({ entry }) => entry.device],
  ['xattrs', ({ entry }) => JSON.stringify(Object.entries(entry.xattrs).sort())],
];

function firstMoved(a: readonly string[], b: readonly string[]): FileDifference | null {
  const place = a.findIndex((path, at) => path !== b[at]);
  const path = a[place];
  if (path === undefined) return null;
  return { path, kind: 'order', before: `entry ${place + 1}`, after: `entry ${b.indexOf(path) + 1}` };
}
