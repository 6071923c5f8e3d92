/**
 * Writes a model to a real folder, as editors, git and tarballs do: only what differs, in place or by rename, with
 * times of its own or with all times the same.
 */
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { MiniFile } from './mini-image.ts';
import { sha } from './mini-image.ts';
import { filesOf, type Model } from './model.ts';
import type { Random } from './random.ts';

/** How a file is written: `fixed` sets one mtime for all files, so that only ctime tells. */
export interface Style {
  readonly replace: 'in place' | 'rename';
  readonly times: 'now' | 'fixed';
}

const FIXED = 1_000;

export class Disk {
  readonly root: string;
  /** What was written last. */
  model: Model | null = null;
  readonly #sources: string;
  /** What is there, by path below the root. */
  readonly #there = new Map<string, MiniFile>();

  /** @param sources the folder of the source store, `sha256/` included */
  constructor(root: string, sources: string) {
    this.root = root;
    this.#sources = sources;
    mkdirSync(join(root, 'packages'), { recursive: true });
    mkdirSync(sources, { recursive: true });
  }

  write(model: Model, style: Style): void {
    this.model = model;
    const wanted = new Map<string, MiniFile>();
    for (const [id, recipe] of model) {
      for (const [path, file] of filesOf(recipe)) wanted.set(`packages/${id}/${path}`, file);
      for (const { content } of recipe.sources) this.#writeSource(content);
    }
    // First what goes: a file may become a folder.
    for (const path of [...this.#there.keys()]) if (!wanted.has(path)) this.#remove(path);
    for (const [path, file] of wanted) {
      const there = this.#there.get(path);
      if (there?.content === file.content && there.mode === file.mode) continue;
      this.#put(path, file, there, style);
      this.#there.set(path, file);
    }
  }

  /** Exchanges two files by renames: sizes, times and inodes stay. */
  swap(a: string, b: string): void {
    const [one, other] = [this.#there.get(a), this.#there.get(b)];
    if (one === undefined || other === undefined) throw new Error(`${a} and ${b} are not both there`);
    const aside = join(this.root, 'aside');
    renameSync(join(this.root, a), aside);
    renameSync(join(this.root, b), join(this.root, a));
    renameSync(aside, join(this.root, b));
    this.#there.set(a, other);
    this.#there.set(b, one);
  }

  /** New times, nothing else; a whole checkout of the same content is no more than that. */
  touch(random: Random): void {
    for (const [path, file] of this.#there) {
      if (file.mode === 'link' || random.chance(0.7)) continue;
      const time = random.below(1_000_000_000);
      utimesSync(join(this.root, path), time, time);
    }
  }

  #put(path: string, file: MiniFile, there: MiniFile | undefined, style: Style): void {
    const full = join(this.root, path);
    mkdirSync(dirname(full), { recursive: true });
    if (file.mode === 'link' || there?.mode === 'link') {
      rmSync(full, { force: true });
      if (file.mode === 'link') {
        symlinkSync(file.content, full);
        return;
      }
    }
    const to = style.replace === 'rename' ? join(this.root, 'aside') : full;
    if (style.replace === 'rename' || there?.content !== file.content) writeFileSync(to, file.content);
    // 0644 and 0755 are what git knows; what a umask leaves of them must not matter.
    chmodSync(to, file.mode === '0755' ? 0o750 : 0o640);
    if (style.times === 'fixed') utimesSync(to, FIXED, FIXED);
    if (to !== full) renameSync(to, full);
  }

  #remove(path: string): void {
    this.#there.delete(path);
    rmSync(join(this.root, path));
    for (let folder = dirname(path); folder.split('/').length > 2; folder = dirname(folder)) {
      if (readdirSync(join(this.root, folder)).length > 0) return;
      rmSync(join(this.root, folder), { recursive: true });
    }
  }

  #writeSource(content: string): void {
    const path = join(this.#sources, sha(content).slice(7));
    try {
      writeFileSync(path, content, { mode: 0o444, flag: 'wx' });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
  }
}
