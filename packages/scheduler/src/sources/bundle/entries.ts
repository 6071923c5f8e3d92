/**
 * The entries of an archive on their way into the store, and what a bundle says of itself checked against them.
 */
import { integrityProblem, type Problem, ProblemError } from '@stx-make/core/errors';
import type { TarEntry } from '@stx-make/core/oci/tar';
import type { Incoming } from '../store/incoming.ts';
import type { SourceStore } from '../store/store.ts';
import type { ArchiveHandler } from './archive.ts';
import { claimedHash, MANIFEST, readManifest, SUMS } from './format.ts';

export interface EntryPort {
  /** Is the content to be taken? */
  accept(sha256: string): boolean;
  /** An entry's bytes are all here. */
  done(name: string, sha256: string, taken: boolean): Promise<void>;
}

/** A manifest larger than this is not ours. Bytes; ours has about 200 a source. */
const MAX_MANIFEST = 16 * 1024 * 1024;

/** Turns the calls of the tar reader into files on their way into the store. */
export class ArchiveEntries implements ArchiveHandler {
  readonly #path: string;
  readonly #store: SourceStore;
  readonly #port: EntryPort;
  readonly #steps: (() => Promise<void>)[] = [];
  readonly #seen = new Set<string>();
  readonly #problems: Problem[] = [];
  #current: { readonly name: string; readonly incoming: Incoming; left: number } | null = null;
  #manifest: { readonly pieces: Buffer[]; left: number } | null = null;
  #listed: readonly string[] | null = null;

  constructor(path: string, store: SourceStore, port: EntryPort) {
    this.#path = path;
    this.#store = store;
    this.#port = port;
  }

  entry(entry: TarEntry): void {
    if (entry.type !== 'file') return;
    this.#steps.push(async () => {
      this.#current = { name: entry.path, incoming: await this.#store.begin(), left: entry.size };
      const isManifest = baseName(entry.path) === MANIFEST && entry.size <= MAX_MANIFEST;
      this.#manifest = isManifest ? { pieces: [], left: entry.size } : null;
      if (entry.size === 0) await this.#finish();
    });
  }

  data(piece: Uint8Array): void {
    // Valid until flush() has resolved: the reader's caller waits for it before the next piece.
    this.#steps.push(async () => {
      const current = this.#current;
      if (current === null) return;
      await current.incoming.write(piece);
      this.#manifest?.pieces.push(Buffer.from(piece));
      current.left -= piece.length;
      if (current.left === 0) await this.#finish();
    });
  }

  async flush(): Promise<void> {
    for (const step of this.#steps.splice(0)) await step();
  }

  /** Drops an entry that was cut. */
  async close(): Promise<void> {
    await this.#current?.incoming.discard();
    this.#current = null;
  }

  problems(): Problem[] {
    const lost = this.#listed?.filter((sha256) => !this.#seen.has(sha256)) ?? [];
    const problems = [...this.#problems];
    if (lost.length > 0) {
      problems.push(
        integrityProblem({
          code: 'bundle-not-whole',
          text: `The bundle lists ${lost.length} sources that are not in it, or not as listed: ${lost.slice(0, 5).join(', ')}${lost.length > 5 ? ', ...' : ''}`,
          file: this.#path,
        }),
      );
    }
    return problems;
  }

  async #finish(): Promise<void> {
    const current = this.#current;
    if (current === null) return;
    this.#current = null;
    const { sha256, taken } = await current.incoming.finish((hash) => this.#port.accept(hash));
    this.#seen.add(sha256);
    if (this.#manifest !== null) {
      this.#readList(Buffer.concat(this.#manifest.pieces).toString('utf8'));
      this.#manifest = null;
      return;
    }
    if (baseName(current.name) === SUMS) return;
    const claimed = claimedHash(current.name);
    if (claimed !== null && claimed !== sha256) {
      this.#problems.push(
        integrityProblem({
          code: 'bundle-damaged',
          text: `The entry ${current.name} has the sha256 ${sha256}; it was not taken.`,
          file: this.#path,
        }),
      );
    }
    await this.#port.done(current.name, sha256, taken);
  }

  #readList(text: string): void {
    try {
      this.#listed = readManifest(text, this.#path);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      this.#problems.push(...error.problems);
    }
  }
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
