/**
 * `content`: what is in a target's image, out of its layout under out/. Nothing is unpacked to disk.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { buildProblem, integrityProblem, ProblemError } from '@stx-make/core/errors';
import {
  type Descriptor,
  type Digest,
  parseManifest,
  platformString,
  type TarEntry,
  TarReader,
} from '@stx-make/core/oci/index';
import type { Session } from '../api.ts';
import { blobPath, damaged, readLayoutDocument, readLayoutTop } from '../digests/layout.ts';
import { errnoOf, throwFileProblem } from '../files/index.ts';
import { decompressors } from '../store/read.ts';
import { type ImageEntry, MergedFiles } from './merge.ts';

export interface ImageContent {
  readonly target: string;
  readonly digest: Digest;
  /** `os/arch[/variant]`; null where the layout does not say. */
  readonly platform: string | null;
  /** Sorted by path. */
  readonly files: readonly ImageEntry[];
}

/** @throws ProblemError `no-output` (build) where it is not under out/; integrity where a blob is damaged */
export async function contentOf(
  session: Session,
  target: string,
  signal: AbortSignal,
): Promise<ImageContent> {
  const folder = layoutOf(session, target);
  const manifest = imageFor(folder, session.platform);
  const { layers } = parseManifest(readLayoutDocument(folder, manifest.digest), `${folder}: the manifest`);
  const merged = new MergedFiles();
  for (const layer of layers) merged.add(await entriesOf(folder, layer, signal));
  const platform = manifest.platform === undefined ? null : platformString(manifest.platform);
  return { target, digest: manifest.digest, platform, files: merged.list() };
}

/** The layout of a target. @throws ProblemError `no-output` (build) */
export function layoutOf(session: Session, target: string): string {
  const folder = join(session.out, target);
  if (readLayoutTop(folder) !== null) return folder;
  throw new ProblemError(
    buildProblem({
      code: 'no-output',
      text: `${target} has no output under ${session.out}.`,
      hint: `Build it: stx-make build ${target}`,
    }),
  );
}

/** The image of the platform, else the first. */
function imageFor(folder: string, platform: string): Descriptor {
  const manifests = readLayoutTop(folder)?.manifests ?? [];
  const own = manifests.find(
    (one) => one.platform !== undefined && platformString(one.platform) === platform,
  );
  const image = own ?? manifests[0];
  if (image === undefined) throw damaged(join(folder, 'index.json'), 'it names no image');
  return image;
}

/** A layer's entries, its bytes hashed as they are read. */
async function entriesOf(folder: string, layer: Descriptor, signal: AbortSignal): Promise<TarEntry[]> {
  const path = blobPath(folder, layer.digest);
  const hash = createHash('sha256');
  const entries: TarEntry[] = [];
  const reader = new TarReader({ entry: (entry) => void entries.push(entry) }, `layer ${layer.digest}`);
  try {
    await pipeline(
      createReadStream(path),
      async function* (pieces: AsyncIterable<Buffer>) {
        for await (const piece of pieces) {
          hash.update(piece);
          yield piece;
        }
      },
      ...decompressors(layer.mediaType),
      async (pieces: AsyncIterable<Buffer>) => {
        for await (const piece of pieces) reader.push(piece);
      },
      { signal },
    );
    reader.finish();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ProblemError) throw error;
    if (errnoOf(error) === 'ENOENT') throw damaged(path, 'it is missing');
    if (errnoOf(error) !== null) throwFileProblem(error, 'read the layer', path);
    throw new ProblemError(
      integrityProblem({
        code: 'bad-layer',
        text: `layer ${layer.digest} can not be unpacked: ${error instanceof Error ? error.message : String(error)}`,
        file: path,
      }),
      { cause: error },
    );
  }
  const found = `sha256:${hash.digest('hex')}`;
  if (found !== layer.digest) throw damaged(path, `its bytes have the digest ${found}`);
  return entries;
}
