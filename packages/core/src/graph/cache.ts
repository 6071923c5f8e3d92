/**
 * Facts of recipe folders, kept under the hashes of their files: a tree that did not change is loaded without
 * reading or parsing any of its files.
 *
 * The text this makes and takes is only a cache: what can not be read is dropped. Unaware of where it lies.
 */
import { digestOf } from '../oci/digest.ts';
import type { Digest } from '../oci/model.ts';
import { FACTS_VERSION, type RecipeFacts } from '../recipe/facts.ts';
import { type PackedContainerfile, Packer, type Row, unpackContainerfile } from './packed.ts';
import { folderReader, type RecipeReader, type ResolveFacts, type ResolveRequest } from './reader.ts';
import { seal, unseal } from './sealed.ts';

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

/** What is kept of one folder. */
interface Entry {
  facts: RecipeFacts;
  /** By platform, build target and version. */
  resolved: Record<string, ResolveFacts>;
}

/** In the text: Containerfiles packed. */
type PackedEntry = readonly [
  facts: RecipeFacts,
  rows: readonly Row[],
  resolved: Readonly<Record<string, readonly [PackedContainerfile | null, ResolveFacts['problems']]>>,
];

/** A line of the text, or what became of it: an entry is read when somebody asks for it, and written anew only where
 * it changed. */
interface Kept {
  line: (() => string) | null;
  entry: Entry | null;
  /** Number of the last writing in whose load it was used. */
  used: number;
}

/** The first line: the entries of the other lines, in their order. */
interface Head {
  readonly version: number;
  readonly program: string;
  /** How often it was written. */
  readonly generation: number;
  readonly entries: readonly (readonly [key: string, used: number])[];
}

/** How many writings an entry survives unused: going back and forth between branches stays fast. */
const KEEP = 8;

export class FactsCache {
  readonly #kept: Map<string, Kept>;
  readonly #generation: number;
  readonly #program: string;
  #changed = false;
  #sound = true;

  /** `bytes`: what `serialize` once gave, null for none. `program`: which build of this program runs; facts of
   * another one are read again, whatever FACTS_VERSION says. */
  constructor(bytes: Uint8Array | null, program = '') {
    const { generation, kept } = readText(bytes, program);
    this.#program = program;
    this.#generation = generation;
    this.#kept = kept;
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
    const kept = [...this.#kept].filter(([, { used }]) => generation - used <= KEEP);
    const head: Head = {
      version: FACTS_VERSION,
      program: this.#program,
      generation,
      entries: kept.map(([key, { used }]) => [key, used]),
    };
    const lines = kept.map(([, { line, entry }]) => line?.() ?? (entry === null ? '' : lineOf(entry)));
    return seal([JSON.stringify(head), ...lines]);
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
    let kept = this.#kept.get(key);
    if (kept?.line != null) kept.entry ??= entryOf(kept.line());
    let entry = kept?.entry ?? undefined;
    const facts = (): RecipeFacts => {
      if (kept !== undefined && entry !== undefined) {
        kept.used = this.#generation + 1;
        return entry.facts;
      }
      const { reader, asPromised } = fresh();
      entry = { facts: reader.facts(), resolved: {} };
      if (asPromised) {
        kept = { line: null, entry, used: this.#generation + 1 };
        this.#kept.set(key, kept);
        this.#changed = true;
      } else this.#sound = false;
      return entry.facts;
    };
    const resolve = (request: ResolveRequest): ResolveFacts => {
      const at = `${request.platform}\n${request.target ?? ''}\n${request.version ?? ''}`;
      const known = entry?.resolved[at];
      if (known !== undefined) return known;
      const { reader, asPromised } = fresh();
      const result = reader.resolve(request);
      if (!asPromised) this.#sound = false;
      else if (kept !== undefined && entry !== undefined) {
        entry.resolved[at] = result;
        kept.line = null;
        this.#changed = true;
      }
      return result;
    };
    return { stage, name, dir, facts, resolve };
  }
}

function lineOf({ facts, resolved }: Entry): string {
  const packer = new Packer();
  const packed = Object.entries(resolved).map(([at, { resolved: one, problems }]) => [
    at,
    [one && packer.pack(one), problems],
  ]);
  const line: PackedEntry = [facts, packer.rows, Object.fromEntries(packed)];
  return JSON.stringify(line);
}

function entryOf(line: string): Entry {
  const [facts, rows, packed] = JSON.parse(line) as PackedEntry;
  const resolved = Object.entries(packed).map(([at, [one, problems]]): [string, ResolveFacts] => [
    at,
    { resolved: one && unpackContainerfile(one, rows), problems },
  ]);
  return { facts, resolved: Object.fromEntries(resolved) };
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

function readText(
  bytes: Uint8Array | null,
  program: string,
): { readonly generation: number; readonly kept: Map<string, Kept> } {
  const kept = new Map<string, Kept>();
  const lines = bytes === null ? null : unseal(bytes);
  if (lines === null) return { generation: 0, kept };
  const head = JSON.parse(lines.line(0)) as Head;
  if (head.version !== FACTS_VERSION || head.program !== program) return { generation: 0, kept };
  for (const [place, [key, used]] of head.entries.entries()) {
    kept.set(key, { line: () => lines.line(1 + place), entry: null, used });
  }
  return { generation: head.generation, kept };
}
