/**
 * `sources export`: writes a bundle, for an air gap or a CI cache. Each file is hashed as it is written, so a bundle
 * that was finished is right.
 */
import { createHash } from 'node:crypto';
import { renameSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { environmentProblem, type Problem, ProblemError } from '@stx-make/core/errors';
import { byCodeUnit, sortedUnique } from '@stx-make/core/order';
import { fsyncDir, temporaryBeside, throwFileProblem, unlinkIfThere } from '../../files/index.ts';
import type { WantedContent, WantedSource } from '../model.ts';
import { openPlain, readPieces } from '../store/hash.ts';
import { writeAll } from '../store/incoming.ts';
import { notInStore, type SourceStore } from '../store/store.ts';
import { byContent } from '../wanted.ts';
import {
  type BundleSource,
  entryName,
  MANIFEST,
  manifestText,
  SUMS,
  sumsText,
  tarEnd,
  tarHeader,
  tarPadding,
} from './format.ts';

export interface ExportOptions {
  readonly signal: AbortSignal;
  /** Write what is here and say what is missing, instead of refusing. */
  readonly allowMissing?: boolean | undefined;
  /** Contents written, of how many, and bytes. */
  readonly onProgress?: ((done: number, of: number, bytes: number) => void) | undefined;
}

export interface ExportReport {
  readonly path: string;
  /** Bytes of the bundle. */
  readonly size: number;
  /** sha256 of the bundle, to be carried another way. */
  readonly sha256: string;
  readonly written: readonly BundleSource[];
  /** Wanted contents that are not in it, sorted by sha256. */
  readonly missing: readonly { readonly sha256: string; readonly file: string }[];
  /** Warnings: what was missing, or damaged in the store. */
  readonly warnings: readonly Problem[];
}

/**
 * Writes the bundle to `destination` atomically, replacing a file there.
 * @throws ProblemError `source-missing` (environment), all of them, unless allowed; environment; the signal's reason
 */
export async function exportSources(
  wanted: readonly WantedSource[],
  destination: string,
  store: SourceStore,
  options: ExportOptions,
): Promise<ExportReport> {
  const { sources, missing } = await gather(wanted, store, options.signal);
  const warnings = store.takeWarnings();
  const problems = missing.map(({ sha256, file, users }) =>
    environmentProblem({
      code: 'source-missing',
      text: `${file} (${users[0].recipe}; sha256 ${sha256}) is not here.`,
      hint: 'Run `stx-make fetch` first.',
      ...(options.allowMissing === true ? { level: 'warning' as const } : {}),
    }),
  );
  if (problems.length > 0 && options.allowMissing !== true) throw new ProblemError(problems);
  const temporary = temporaryBeside(destination);
  try {
    const { size, sha256 } = await write(temporary, sources, store, options);
    renameSync(temporary, destination);
    fsyncDir(dirname(destination));
    return {
      path: destination,
      size,
      sha256,
      written: sources,
      missing: missing.map((content) => ({ sha256: content.sha256, file: content.file })),
      warnings: [...warnings, ...problems],
    };
  } catch (error) {
    return throwFileProblem(error, 'write the bundle', destination);
  } finally {
    unlinkIfThere(temporary);
  }
}

async function gather(
  wanted: readonly WantedSource[],
  store: SourceStore,
  signal: AbortSignal,
): Promise<{ sources: BundleSource[]; missing: WantedContent[] }> {
  const sources: BundleSource[] = [];
  const missing: WantedContent[] = [];
  for (const content of byContent(wanted)) {
    const { sha256, users } = content;
    const glance = (await store.check(sha256, signal)) === 'good' ? await store.glance(sha256) : null;
    if (glance === null) missing.push(content);
    else {
      const places = sortedUnique(users.map((user) => `${user.stage}/${user.name}/${user.source.file}`));
      sources.push({ sha256, size: glance.size, places });
    }
  }
  return { sources: sources.sort((a, b) => byCodeUnit(a.sha256, b.sha256)), missing };
}

async function write(
  path: string,
  sources: readonly BundleSource[],
  store: SourceStore,
  options: ExportOptions,
): Promise<{ size: number; sha256: string }> {
  const handle = await open(path, 'wx', 0o644);
  const whole = createHash('sha256');
  let size = 0;
  const put = async (bytes: Uint8Array): Promise<void> => {
    whole.update(bytes);
    size += bytes.length;
    await writeAll(handle, bytes);
  };
  const putText = async (name: string, text: string): Promise<void> => {
    const bytes = Buffer.from(text, 'utf8');
    await put(tarHeader(name, bytes.length));
    await put(bytes);
    await put(tarPadding(bytes.length));
  };
  try {
    await putText(SUMS, sumsText(sources));
    for (const [place, source] of sources.entries()) {
      await put(tarHeader(entryName(source.sha256), source.size));
      await putContent(source, store, options.signal, put);
      await put(tarPadding(source.size));
      options.onProgress?.(place + 1, sources.length, size);
    }
    await putText(MANIFEST, manifestText(sources));
    await put(tarEnd(size));
    await handle.sync();
  } finally {
    await handle.close();
  }
  return { size, sha256: whole.digest('hex') };
}

async function putContent(
  source: BundleSource,
  store: SourceStore,
  signal: AbortSignal,
  put: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  const handle = await openPlain(store.path(source.sha256));
  try {
    const hash = createHash('sha256');
    const size = await readPieces(handle, signal, async (piece) => {
      hash.update(piece);
      await put(piece);
    });
    // It was right a moment ago; a bundle is not finished with anything else in it.
    const right = size === source.size && hash.digest('hex') === source.sha256;
    if (!right) throw notInStore(source.sha256, source.places[0] ?? source.sha256);
  } finally {
    await handle.close();
  }
}
