/**
 * Changes gathered until they have settled: many events in a row are one change, and while git writes a work tree
 * nothing is looked at. Time comes in from outside; unaware of where events come from.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** So long without an event, and the tree is looked at, ms: editors write a file in several steps. */
export const QUIET_MS = 120;
/** Whoever writes without end is not waited for longer than this, ms. */
const LONGEST_MS = 5_000;
/** How long git's lock counts: a dead git's stays for ever. ms. */
const LONGEST_GIT_MS = 20_000;

export interface ChangesOptions {
  /** Monotonic ms. */
  readonly clock: () => number;
  /** @returns how to take it back. */
  readonly after: (ms: number, callback: () => void) => () => void;
  /** Git is just changing the work tree. */
  readonly isGitBusy: () => boolean;
}

export class Changes {
  /** Called when changes have settled. */
  onSettled: () => void = () => {};
  readonly #options: ChangesOptions;
  #paths = new Set<string>();
  #since = 0;
  #cancel: (() => void) | null = null;
  #settled = false;

  constructor(options: ChangesOptions) {
    this.#options = options;
  }

  note(path: string): void {
    if (this.#paths.size === 0) this.#since = this.#options.clock();
    this.#paths.add(path);
    this.#settled = false;
    this.#wait();
  }

  /** Changes are there and have settled. */
  get settled(): boolean {
    return this.#settled;
  }

  /** What changed since the last time; forgets it. */
  take(): ReadonlySet<string> {
    const paths = this.#paths;
    this.#paths = new Set();
    this.#settled = false;
    this.#cancel?.();
    this.#cancel = null;
    return paths;
  }

  close(): void {
    this.take();
    this.onSettled = () => {};
  }

  #wait(): void {
    const waited = this.#options.clock() - this.#since;
    if (this.#cancel !== null && waited >= LONGEST_MS) return;
    this.#cancel?.();
    this.#cancel = this.#options.after(QUIET_MS, () => {
      this.#cancel = null;
      const since = this.#options.clock() - this.#since;
      if (since < LONGEST_GIT_MS && this.#options.isGitBusy()) {
        this.#wait();
        return;
      }
      this.#settled = true;
      this.onSettled();
    });
  }
}

/** Whether git holds the lock of the work tree that `root` is in, as it does for the whole of a checkout. */
export function gitLock(root: string): () => boolean {
  const folder = gitFolder(root);
  return () => folder !== null && existsSync(join(folder, 'index.lock'));
}

function gitFolder(root: string): string | null {
  for (let folder = root; ; folder = dirname(folder)) {
    const path = join(folder, '.git');
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory() === true) return path;
    // A linked work tree or submodule: a file that names the folder.
    if (stat?.isFile() === true) {
      const named = /^gitdir: (.*)$/m.exec(readFileSync(path, 'utf8'))?.[1];
      return named === undefined ? null : resolve(folder, named);
    }
    if (dirname(folder) === folder) return null;
  }
}
