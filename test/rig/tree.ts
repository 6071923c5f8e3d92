/**
 * Small trees for tests: recipes from text, and a static busybox (Debian's) where a RUN needs a program.
 */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** `core/a` -> what is in its folder: Containerfile as text, more files by name. A package.toml is made unless given. */
export type Recipes = Readonly<Record<string, string | Readonly<Record<string, string>>>>;

/** Writes recipes under `root/packages`. */
export function writeRecipes(root: string, recipes: Recipes): void {
  for (const [id, content] of Object.entries(recipes)) {
    const files = typeof content === 'string' ? { Containerfile: content } : content;
    const [, name = id] = id.split('/');
    const all = { 'package.toml': `[package]\nname = "${name}"\nlicense = "0BSD"\n`, ...files };
    for (const [path, text] of Object.entries(all)) {
      const full = join(root, 'packages', id, path);
      mkdirSync(dirname(full), { recursive: true });
      writeFileSync(full, text);
    }
  }
}

/** The static busybox of the distribution (package busybox-static). */
const BUSYBOX = '/bin/busybox';

/** A recipe `core/busybox` whose image has /bin/sh and friends; RUNs of others start from it. */
export function writeBusybox(root: string): void {
  writeRecipes(root, {
    'core/busybox': 'FROM scratch AS package\nCOPY busybox /bin/sh\nCOPY busybox /bin/busybox\n',
  });
  copyFileSync(BUSYBOX, join(root, 'packages/core/busybox/busybox'));
}
