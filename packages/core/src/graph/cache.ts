/**
 * What recipe folders say, kept in lines under the hashes of their files: a folder that did not change is neither read
 * nor parsed again, also when a tree comes back to what it was.
 *
 * A line is only a cache: where there is none the files are read. Unaware of where lines lie.
 */
import { inputProblem, ProblemError } from '../errors.ts';
import { digestOf } from '../oci/digest.ts';
import type { Digest } from '../oci/model.ts';
import { FACTS_VERSION, type RecipeFacts } from '../recipe/facts.ts';
import type { RecipeFolder } from './model.ts';
import { type PackedContainerfile, Packer, type Row, unpackContainerfile } from './packed.ts';
import { folderReader, type RecipeReader, type ResolveFacts, type ResolveRequest } from './reader.ts';

/** A recipe folder whose files' hashes are known without reading them (the caller's stat cache). */
export interface HashedFolder {
  readonly stage: string;
  readonly name: string;
  readonly dir: string;
  /** null where the file is not there. */
  readonly packageToml: Digest | null;
  readonly containerfile: Digest | null;
  /** Called only where nothing is kept. */
  read(file: 'package.toml' | 'Containerfile'): Uint8Array;
}

/** Where lines are kept. `key`: which files it was read from, and who read them. */
export interface LineStore {
  /** Null where there is none that is as it was put. */
  get(dir: string, key: string): string | null;
  put(dir: string, key: string, line: string): void;
}

/** A folder whose bytes are at hand. */
export function hashedFolder({ packageToml, containerfile, ...folder }: RecipeFolder): HashedFolder {
  return {
    ...folder,
    packageToml: packageToml && digestOf(packageToml),
    containerfile: containerfile && digestOf(containerfile),
    read: (file) => (file === 'package.toml' ? packageToml : containerfile) ?? new Uint8Array(),
  };
}

/** For trees that are read once. */
export function memoryLines(lines = new Map<string, string>()): LineStore {
  return {
    get: (dir, key) => lines.get(`${dir}\n${key}`) ?? null,
    put: (dir, key, line) => void lines.set(`${dir}\n${key}`, line),
  };
}

/** By platform, build target and version. */
type PackedResults = Record<string, readonly [PackedContainerfile | null, ResolveFacts['problems']]>;
type Line = readonly [facts: RecipeFacts, rows: Row[], resolved: PackedResults];

export class RecipeCache {
  readonly store: LineStore;
  readonly #program: string;
  #sound = true;
  #loaded = false;
  #last: KeptReader | null = null;

  /** `program`: which build of this program runs; lines of another one are not used, whatever FACTS_VERSION says. */
  constructor(store: LineStore, program = '') {
    this.store = store;
    this.#program = program;
  }

  /** False when a file was no longer what its hash said: what was loaded belongs to no set of hashes and must not be
   * kept under one. */
  get sound(): boolean {
    return this.#sound;
  }

  /** From now on readers are asked now and then: only the last one stays open, and a file that is no longer what its
   * hash said is an error. */
  loaded(): void {
    this.#loaded = true;
  }

  reader(folder: HashedFolder): RecipeReader {
    return new KeptReader(folder, this.keyOf(folder), this);
  }

  /** The readers of a tree by folder, each made once, when it is asked for. */
  readers(folders: readonly HashedFolder[]): (dir: string) => RecipeReader {
    const byDir = new Map(folders.map((folder) => [folder.dir, folder]));
    const made = new Map<string, RecipeReader>();
    return (dir) => {
      const folder = byDir.get(dir);
      if (folder === undefined) throw new Error(`no such recipe folder: ${dir}`);
      const reader = made.get(dir) ?? this.reader(folder);
      made.set(dir, reader);
      return reader;
    };
  }

  /** What was read of the folder when it was like this; null where that is not kept. */
  known(folder: Omit<HashedFolder, 'read'>): RecipeFacts | null {
    const line = this.store.get(folder.dir, this.keyOf(folder));
    return line === null ? null : (JSON.parse(line) as Line)[0];
  }

  /** @internal */
  keyOf({ packageToml, containerfile }: Omit<HashedFolder, 'read'>): string {
    return JSON.stringify([FACTS_VERSION, this.#program, packageToml, containerfile]);
  }

  /** @internal A reader holds more than facts from now on. */
  opened(reader: KeptReader): void {
    if (!this.#loaded || this.#last === reader) return;
    this.#last?.settle();
    this.#last = reader;
  }

  /** @internal @throws ProblemError where the tree is in use */
  changed(dir: string): void {
    this.#sound = false;
    if (!this.#loaded) return;
    const text = 'It was changed after the tree had been read.';
    const hint = 'Run again when nothing writes to the tree.';
    throw new ProblemError(inputProblem({ code: 'tree-changes', text, file: dir, hint }));
  }
}

/** What a reader holds while it is asked. */
interface Opened {
  readonly facts: RecipeFacts;
  readonly packer: Packer;
  readonly resolved: PackedResults;
  fresh: FreshReader | null;
  /** There is more than the kept line has. */
  isNew: boolean;
}

class KeptReader implements RecipeReader {
  readonly stage: string;
  readonly name: string;
  readonly dir: string;
  readonly #folder: HashedFolder;
  readonly #key: string;
  readonly #cache: RecipeCache;
  #facts: RecipeFacts | null = null;
  #opened: Opened | null = null;

  constructor(folder: HashedFolder, key: string, cache: RecipeCache) {
    this.stage = folder.stage;
    this.name = folder.name;
    this.dir = folder.dir;
    this.#folder = folder;
    this.#key = key;
    this.#cache = cache;
  }

  facts(): RecipeFacts {
    this.#facts ??= this.#open().facts;
    return this.#facts;
  }

  resolve(request: ResolveRequest): ResolveFacts {
    const opened = this.#open();
    const at = `${request.platform}\n${request.target ?? ''}\n${request.version ?? ''}`;
    const known = opened.resolved[at];
    if (known !== undefined) {
      const [packed, problems] = known;
      return { resolved: packed && unpackContainerfile(packed, opened.packer.rows), problems };
    }
    opened.fresh ??= this.#read();
    const result = opened.fresh.reader.resolve(request);
    if (opened.fresh.asPromised) {
      opened.resolved[at] = [result.resolved && opened.packer.pack(result.resolved), result.problems];
      opened.isNew = true;
    }
    return result;
  }

  settle(): void {
    const opened = this.#opened;
    this.#opened = null;
    if (opened?.isNew !== true) return;
    const line: Line = [opened.facts, opened.packer.rows, opened.resolved];
    this.#cache.store.put(this.dir, this.#key, JSON.stringify(line));
  }

  #open(): Opened {
    this.#opened ??= this.#kept() ?? this.#anew();
    this.#cache.opened(this);
    return this.#opened;
  }

  #kept(): Opened | null {
    const line = this.#cache.store.get(this.dir, this.#key);
    if (line === null) return null;
    const [facts, rows, resolved] = JSON.parse(line) as Line;
    return { facts, packer: new Packer(rows), resolved, fresh: null, isNew: false };
  }

  #anew(): Opened {
    const fresh = this.#read();
    const facts = fresh.reader.facts();
    return { facts, packer: new Packer(), resolved: {}, fresh, isNew: fresh.asPromised };
  }

  #read(): FreshReader {
    const fresh = readNow(this.#folder);
    if (!fresh.asPromised) this.#cache.changed(this.dir);
    return fresh;
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
