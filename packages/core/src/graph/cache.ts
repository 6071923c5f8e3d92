/**
 * Facts of recipe folders, kept under the hashes of their files: a tree that did not change is loaded without
 * reading or parsing any of its files.
 *
 * The text this makes and takes is only a cache: what can not be read is dropped. Unaware of where it lies.
 */
import { digestOf } from '../oci/digest.ts';
import type { Digest } from '../oci/model.ts';
import { FACTS_VERSION, type RecipeFacts } from '../recipe/facts.ts';
import { folderReader, type RecipeReader, type ResolveFacts, type ResolveRequest } from './reader.ts';

/** A recipe folder whose files' hashes are known without reading them (the caller's stat cache). */
export interface HashedFolder {
  readonly stage: string;
  readonly name: string;
  readonly dir: string;
  /** null where the file is not there. */
  readonly packageToml: Digest | null;
  readonly containerfile: Digest | null;
  /** Called only where no facts are kept. */
  read(file: 'package.toml' | 'Containerfile'): Uint8Array;
}

interface Entry {
  facts: RecipeFacts;
  /** By platform, build target and version. */
  resolved: Record<string, ResolveFacts>;
  /** Number of the last writing in whose load it was used. */
  used: number;
}

interface Document {
  readonly version: number;
  readonly program: string;
  /** How often it was written. */
  readonly generation: number;
  readonly entries: Record<string, Entry>;
}

/** How many writings an entry survives unused: going back and forth between branches stays fast. */
const KEEP = 8;

export class FactsCache {
  readonly #entries: Record<string, Entry>;
  readonly #generation: number;
  readonly #program: string;
  #changed = false;
  #sound = true;

  /** `text`: what `serialize` once gave, null for none. `program`: which build of this program runs; facts of
   * another one are read again, whatever FACTS_VERSION says. */
  constructor(text: string | null, program = '') {
    const { generation, entries } = readDocument(text, program);
    this.#program = program;
    this.#generation = generation;
    this.#entries = entries;
  }

  /** False when a file was no longer what its hash said: the tree that was loaded belongs to no set of hashes and
   * must not be frozen under one. */
  get sound(): boolean {
    return this.#sound;
  }

  /** The text to keep, null where it need not be written again. */
  serialize(): string | null {
    if (!this.#changed) return null;
    const generation = this.#generation + 1;
    const kept = Object.entries(this.#entries).filter(([, entry]) => generation - entry.used <= KEEP);
    const document: Document = {
      version: FACTS_VERSION,
      program: this.#program,
      generation,
      entries: Object.fromEntries(kept),
    };
    return JSON.stringify(document);
  }

  /** A reader that asks the cache first. */
  reader(folder: HashedFolder): RecipeReader {
    const { stage, name, dir } = folder;
    const key = `${stage}\n${name}\n${dir}\n${folder.packageToml}\n${folder.containerfile}`;
    let bytes: FreshReader | undefined;
    const fresh = (): FreshReader => {
      bytes ??= readNow(folder);
      return bytes;
    };
    let entry = this.#entries[key];
    const facts = (): RecipeFacts => {
      if (entry !== undefined) {
        entry.used = this.#generation + 1;
        return entry.facts;
      }
      const { reader, asPromised } = fresh();
      entry = { facts: reader.facts(), resolved: {}, used: this.#generation + 1 };
      if (asPromised) this.#keep(key, entry);
      else this.#sound = false;
      return entry.facts;
    };
    const resolve = (request: ResolveRequest): ResolveFacts => {
      const at = `${request.platform}\n${request.target ?? ''}\n${request.version ?? ''}`;
      const known = entry?.resolved[at];
      if (known !== undefined) return known;
      const result = fresh().reader.resolve(request);
      if (entry !== undefined && this.#entries[key] === entry) {
        entry.resolved[at] = result;
        this.#changed = true;
      }
      return result;
    };
    return { stage, name, dir, facts, resolve };
  }

  #keep(key: string, entry: Entry): void {
    this.#entries[key] = entry;
    this.#changed = true;
  }
}

interface FreshReader {
  readonly reader: RecipeReader;
  /** The files still have the hashes that were promised; else they changed just now and nothing is kept. */
  readonly asPromised: boolean;
}

function readNow(folder: HashedFolder): FreshReader {
  const packageToml = folder.packageToml && folder.read('package.toml');
  const containerfile = folder.containerfile && folder.read('Containerfile');
  const asPromised =
    (packageToml === null || digestOf(packageToml) === folder.packageToml) &&
    (containerfile === null || digestOf(containerfile) === folder.containerfile);
  const { stage, name, dir } = folder;
  return { reader: folderReader({ stage, name, dir, packageToml, containerfile }), asPromised };
}

function readDocument(text: string | null, program: string): Pick<Document, 'generation' | 'entries'> {
  const nothing = { generation: 0, entries: Object.create(null) as Record<string, Entry> };
  if (text === null) return nothing;
  try {
    const document = JSON.parse(text) as Document;
    if (document.version !== FACTS_VERSION || document.program !== program) return nothing;
    if (typeof document.entries !== 'object') return nothing;
    return { generation: document.generation, entries: Object.assign(Object.create(null), document.entries) };
  } catch {
    return nothing;
  }
}
