/**
 * An image's files as a container would see them: its layers on top of each other, whiteouts applied (OCI image
 * specification, layer.md). Pure; reads no layer itself.
 */
import type { TarEntry } from '@stx-make/core/oci/index';
import { byCodeUnit } from '@stx-make/core/order';

/** A file, folder or link of an image. */
export interface ImageEntry extends TarEntry {
  /** Without slashes at either end; the root itself is not listed. */
  readonly path: string;
  /** The layer it came from, 0 is the bottom. */
  readonly layer: number;
}

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

export class MergedFiles {
  readonly #root: Node = { entry: null, below: new Map() };
  #layers = 0;

  /** Puts the next layer on top. Its whiteouts hide what is below it, never what is in it, in whatever order they come. */
  add(entries: Iterable<TarEntry>): void {
    const layer = this.#layers;
    this.#layers += 1;
    const plain: TarEntry[] = [];
    for (const entry of entries) {
      const parts = partsOf(entry.path);
      const name = parts.at(-1);
      if (name === undefined) continue;
      if (name === OPAQUE) this.#at(parts.slice(0, -1))?.below.clear();
      else if (name.startsWith(WHITEOUT)) {
        this.#at(parts.slice(0, -1))?.below.delete(name.slice(WHITEOUT.length));
      } else plain.push(entry);
    }
    for (const entry of plain) this.#put(entry, layer);
  }

  /** All of them, sorted by path, a folder before what is in it. */
  list(): ImageEntry[] {
    const found: ImageEntry[] = [];
    const visit = (node: Node): void => {
      for (const name of [...node.below.keys()].sort(byCodeUnit)) {
        const child = node.below.get(name);
        if (child === undefined) continue;
        if (child.entry !== null) found.push(child.entry);
        visit(child);
      }
    };
    visit(this.#root);
    return found;
  }

  #at(parts: readonly string[]): Node | undefined {
    let node: Node | undefined = this.#root;
    for (const part of parts) node = node?.below.get(part);
    return node;
  }

  #put(entry: TarEntry, layer: number): void {
    const parts = partsOf(entry.path);
    let node = this.#root;
    for (const part of parts) {
      let next = node.below.get(part);
      if (next === undefined) {
        // A folder nobody wrote an entry for: unpacking makes it.
        next = { entry: null, below: new Map() };
        node.below.set(part, next);
      }
      node = next;
    }
    // A folder over a folder keeps what is in it; anything else takes its place.
    if (entry.type !== 'folder') node.below.clear();
    node.entry = { ...entry, path: parts.join('/'), layer };
  }
}

interface Node {
  entry: ImageEntry | null;
  readonly below: Map<string, Node>;
}

/** `./a//b/` -> a, b. What climbs out of the root stays in it, as when it is unpacked. */
function partsOf(path: string): string[] {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts;
}
