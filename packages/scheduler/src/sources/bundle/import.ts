/**
 * `sources import`: takes whatever matches a wanted hash, whatever it is called, from folders, single files and tar
 * archives, bundles of our own among them.
 *
 * Only bytes are believed. Names serve for messages, and to notice that a bundle is damaged or not whole. An
 * archive is read once, its entries are hashed while they are written beside the store, so memory stays small.
 */
import { stat } from 'node:fs/promises';
import { inputProblem, type Problem, ProblemError } from '@stx-make/core/errors';
import { throwFileProblem } from '../../files/index.ts';
import { walk } from '../local/walk.ts';
import type { WantedSource } from '../model.ts';
import type { SourceStore } from '../store/store.ts';
import { byContent } from '../wanted.ts';
import { readArchive, sniff } from './archive.ts';
import { ArchiveEntries } from './entries.ts';

export interface ImportOptions {
  readonly signal: AbortSignal;
  /** For PATH: xz and bzip2 are programs. */
  readonly env: NodeJS.ProcessEnv;
  /** A file or entry was looked at. */
  readonly onProgress?: ((name: string, outcome: ImportOutcome) => void) | undefined;
}

export type ImportOutcome = 'taken' | 'present' | 'unknown';

export interface ImportedSource {
  readonly sha256: string;
  /** What the recipes call it. */
  readonly file: string;
  readonly recipes: readonly string[];
  /** Where it was found: a path, or `archive: entry`. */
  readonly from: string;
  readonly size: number;
}

export interface ImportReport {
  /** In the store now, and not before. In the order they were found. */
  readonly taken: readonly ImportedSource[];
  /** Wanted files that were here already. */
  readonly present: number;
  /** Files that nobody wants. */
  readonly unknown: number;
  /** Wanted contents that are still not here. */
  readonly missing: number;
  /** Paths that are not there, damaged archives and bundles. What was good in them was taken all the same. */
  readonly problems: readonly Problem[];
}

/**
 * Imports from `paths`.
 * @throws ProblemError when the machine can not go on; the signal's reason
 */
export async function importSources(
  paths: readonly string[],
  wanted: readonly WantedSource[],
  store: SourceStore,
  options: ImportOptions,
): Promise<ImportReport> {
  const importer = new Importer(wanted, store, options);
  await importer.begin();
  for (const path of paths) await importer.path(path);
  return importer.report();
}

class Importer {
  readonly #store: SourceStore;
  readonly #options: ImportOptions;
  readonly #wanted: ReadonlyMap<string, ReturnType<typeof byContent>[number]>;
  readonly #missing = new Set<string>();
  readonly #taken: ImportedSource[] = [];
  readonly #problems: Problem[] = [];
  #present = 0;
  #unknown = 0;

  constructor(wanted: readonly WantedSource[], store: SourceStore, options: ImportOptions) {
    this.#wanted = new Map(byContent(wanted).map((content) => [content.sha256, content]));
    this.#store = store;
    this.#options = options;
  }

  async begin(): Promise<void> {
    for (const sha256 of this.#wanted.keys()) {
      if ((await this.#store.check(sha256, this.#options.signal)) !== 'good') this.#missing.add(sha256);
    }
  }

  report(): ImportReport {
    return {
      taken: this.#taken,
      present: this.#present,
      unknown: this.#unknown,
      missing: this.#missing.size,
      problems: [...this.#store.takeWarnings(), ...this.#problems],
    };
  }

  async path(path: string): Promise<void> {
    const kind = await kindOf(path);
    if (kind === null) {
      this.#problems.push(
        inputProblem({
          code: 'import-not-found',
          text: 'There is no such file or folder to import.',
          file: path,
        }),
      );
    } else if (kind === 'folder') {
      // Archives in a folder are sources themselves, not bundles: they are not opened.
      for await (const file of walk(path)) await this.#file(file);
    } else if (!(await this.#file(path, true))) {
      await this.#archive(path);
    }
  }

  /** True where the file as a whole is wanted. @param quiet an archive that is not wanted is not yet unknown */
  async #file(path: string, quiet = false): Promise<boolean> {
    const { signal } = this.#options;
    const sha256 = await this.#store.hashOf(path, signal);
    const known = sha256 !== null && this.#wanted.has(sha256);
    if (!known) {
      if (!quiet) this.#count(path, 'unknown');
      return false;
    }
    if (!this.#missing.has(sha256)) this.#count(path, 'present');
    else if (await this.#store.copyIn(path, sha256, signal)) await this.#take(sha256, path);
    else this.#count(path, 'unknown');
    return true;
  }

  async #archive(path: string): Promise<void> {
    const compression = await sniff(path);
    if (compression === null) {
      this.#count(path, 'unknown');
      return;
    }
    const entries = new ArchiveEntries(path, this.#store, {
      accept: (sha256) => this.#missing.has(sha256),
      done: (name, sha256, taken) => this.#entry(`${path}: ${name}`, sha256, taken),
    });
    try {
      await readArchive(path, compression, entries, this.#options);
    } catch (error) {
      if (!(error instanceof ProblemError) || error.problems.some(({ tag }) => tag === 'environment'))
        throw error;
      this.#problems.push(...error.problems);
    } finally {
      await entries.close();
    }
    this.#problems.push(...entries.problems());
  }

  async #entry(from: string, sha256: string, taken: boolean): Promise<void> {
    if (taken) await this.#take(sha256, from);
    else this.#count(from, this.#wanted.has(sha256) ? 'present' : 'unknown');
  }

  async #take(sha256: string, from: string): Promise<void> {
    this.#missing.delete(sha256);
    const content = this.#wanted.get(sha256);
    const glance = await this.#store.glance(sha256);
    this.#taken.push({
      sha256,
      file: content?.file ?? '',
      recipes: [...new Set(content?.users.map((user) => user.recipe) ?? [])],
      from,
      size: glance?.size ?? 0,
    });
    this.#options.onProgress?.(from, 'taken');
  }

  #count(from: string, outcome: 'present' | 'unknown'): void {
    if (outcome === 'present') this.#present += 1;
    else this.#unknown += 1;
    this.#options.onProgress?.(from, outcome);
  }
}

async function kindOf(path: string): Promise<'file' | 'folder' | null> {
  try {
    const found = await stat(path);
    return found.isDirectory() ? 'folder' : 'file';
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) {
      return null;
    }
    return throwFileProblem(error, 'look at', path);
  }
}
