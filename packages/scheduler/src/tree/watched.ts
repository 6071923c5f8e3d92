/**
 * Which paths of a tree can change what it is: its recipes' files and its settings. What `watch` looks at.
 *
 * Only names: nothing is read, so it also works where a recipe is broken.
 */
import { CONFIG_FILE } from '@stx-make/core/config/model';
import type { SessionOptions } from '../api.ts';
import { findTree, isStageName } from './find.ts';

export interface WatchedTree {
  /** Absolute, real path. */
  readonly root: string;
  /** Folders and files below the root that hold everything that counts, absolute; they may be missing. */
  readonly places: readonly string[];
  /** Whether a path below the root, with `/` and without a slash at its ends, is or can lead to something that counts. */
  leadsTo(path: string): boolean;
  /** Whether a change of this path counts. A recipe folder's coming and going does. */
  counts(path: string): boolean;
}

/** Left by editors beside what they edit; theirs alone until they are renamed. vim: .x.swp, 4913, x~; emacs: .#x, #x#;
 * JetBrains: x___jb_tmp___; KDE: .x.kate-swp. */
const LEFTOVERS = /^(\..*\.sw[a-z]|4913|.*~|\.#.*|#.*#|.*___jb_(tmp|old)___|\..*\.kate-swp)$/;

/** @throws ProblemError `no-tree` (input) */
export function watchedTree(options: Pick<SessionOptions, 'cwd' | 'root' | 'fallbackRoot'>): WatchedTree {
  const { root, base } = findTree(options);
  const settings = `${root}/${CONFIG_FILE}`;
  const below = (path: string): string[] | null => {
    const parts = path.split('/');
    if (base === '') return parts;
    return parts[0] === base ? parts.slice(1) : null;
  };
  const leadsTo = (path: string): boolean => {
    if (path === '' || path === base || path === CONFIG_FILE) return true;
    const parts = below(path);
    if (parts === null) return false;
    const [stage = '', name, file] = parts;
    if (stage.startsWith('.') || (base === '' && !isStageName(stage))) return false;
    if (name === undefined) return true;
    // fetch/ at the top of a recipe is make's, and no part of the context.
    return !name.startsWith('.') && file !== 'fetch' && !LEFTOVERS.test(parts.at(-1) ?? '');
  };
  return {
    root,
    places: base === '' ? [root] : [`${root}/${base}`, settings],
    leadsTo,
    counts: (path) => leadsTo(path) && (path === CONFIG_FILE || (below(path)?.length ?? 0) >= 2),
  };
}
