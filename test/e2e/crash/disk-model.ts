/**
 * A disk in memory, to which recorded system calls are applied, and which can lose power: what was not synced is
 * then gone, by rules as cruel as POSIX allows. Knows nothing of what is written.
 *
 * A file's bytes are safe from its fsync on; a name (made, renamed, removed) from the fsync of its folder on.
 */
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

export class FileNode {
  readonly kind = 'file';
  data = Buffer.alloc(0);
  /** Null: never synced. */
  safe: Buffer | null = null;
  mode: number;

  constructor(mode: number) {
    this.mode = mode;
  }

  write(at: number, bytes: Buffer): void {
    const end = at + bytes.length;
    const data = Buffer.alloc(Math.max(end, this.data.length));
    this.data.copy(data);
    bytes.copy(data, at);
    this.data = data;
  }

  resize(size: number): void {
    const data = Buffer.alloc(size);
    this.data.copy(data);
    this.data = data;
  }

  get isSafe(): boolean {
    return this.safe?.equals(this.data) ?? false;
  }
}

export class FolderNode {
  readonly kind = 'folder';
  names = new Map<string, DiskNode>();
  safe = new Map<string, DiskNode>();
}

export interface LinkNode {
  readonly kind: 'link';
  readonly to: string;
}

export type DiskNode = FileNode | FolderNode | LinkNode;

/**
 * What is left after the end. killed: the machine runs on, all that was written is there. lost: nothing but what was
 * synced. zeroed: all names are there, bytes that were not synced are zeros (or what was synced before). torn: for
 * each name and file by chance what was synced or what was written, of files also single pages.
 */
export type Loss = 'killed' | 'lost' | 'zeroed' | 'torn';
export const LOSSES: readonly Loss[] = ['killed', 'lost', 'zeroed', 'torn'];

const PAGE = 4096;

/** Everything below `folder` as it is after a loss. @param chance from 0 to 1, for `torn` */
export function writeOut(root: FolderNode, folder: string, loss: Loss, chance: () => number): void {
  const made = new Map<FileNode, string>();
  const visit = (node: FolderNode, at: string): void => {
    mkdirSync(at, { recursive: true });
    for (const [name, child] of namesOf(node, loss, chance)) {
      const path = join(at, name);
      if (child.kind === 'folder') visit(child, path);
      else if (child.kind === 'link') symlinkSync(child.to, path);
      else {
        const known = made.get(child);
        // A second name for the same file; a rename that was lost leaves two, too.
        if (known !== undefined) linkSync(known, path);
        else {
          writeFileSync(path, bytesOf(child, loss, chance));
          chmodSync(path, child.mode);
          made.set(child, path);
        }
      }
    }
  };
  visit(root, folder);
}

function namesOf(node: FolderNode, loss: Loss, chance: () => number): Map<string, DiskNode> {
  if (loss === 'lost') return node.safe;
  if (loss !== 'torn') return node.names;
  const kept = new Map<string, DiskNode>();
  for (const name of new Set([...node.safe.keys(), ...node.names.keys()])) {
    const [was, is] = [node.safe.get(name), node.names.get(name)];
    const child = was === is || chance() < 0.5 ? is : was;
    if (child !== undefined) kept.set(name, child);
  }
  return kept;
}

function bytesOf(file: FileNode, loss: Loss, chance: () => number): Buffer {
  if (loss === 'killed' || file.isSafe) return file.data;
  if (loss === 'lost') return file.safe ?? Buffer.alloc(0);
  const zeros = file.safe ?? Buffer.alloc(file.data.length);
  if (loss === 'zeroed') return zeros;
  const kind = chance();
  if (kind < 0.3) return zeros;
  if (kind < 0.6) return file.data;
  const torn = Buffer.alloc(file.data.length);
  for (let at = 0; at < torn.length; at += PAGE) {
    const from = chance() < 0.5 ? zeros : file.data;
    if (at < from.length) from.copy(torn, at, at, Math.min(at + PAGE, from.length));
  }
  return torn;
}

/** From now on nothing that is there can be lost. */
export function everythingSafe(node: FolderNode): void {
  node.safe = new Map(node.names);
  for (const child of node.names.values()) {
    if (child.kind === 'file') child.safe = child.data;
    else if (child.kind === 'folder') everythingSafe(child);
  }
}

/** How the disk in memory and a real folder differ: names, kinds, modes, bytes, which names are one file. */
export function differences(root: FolderNode, folder: string): string[] {
  const found: string[] = [];
  const nodes = new Map<bigint, DiskNode>();
  const visit = (node: FolderNode, at: string): void => {
    const names = readdirSync(at);
    for (const name of node.names.keys()) if (!names.includes(name)) found.push(`${at}/${name}: not there`);
    for (const name of names) {
      const path = join(at, name);
      const stat = lstatSync(path, { bigint: true });
      const child = node.names.get(name);
      const kind = stat.isDirectory() ? 'folder' : stat.isSymbolicLink() ? 'link' : 'file';
      if (child?.kind !== kind) found.push(`${path}: ${kind}, not ${child?.kind}`);
      else if (child.kind === 'folder') visit(child, path);
      else if (child.kind === 'link') {
        if (readlinkSync(path) !== child.to) found.push(`${path}: leads elsewhere`);
      } else {
        if ((Number(stat.mode) & 0o7777) !== (child.mode & 0o7777)) found.push(`${path}: another mode`);
        if (!readFileSync(path).equals(child.data)) found.push(`${path}: other bytes`);
        if ((nodes.get(stat.ino) ?? child) !== child) found.push(`${path}: another file`);
        nodes.set(stat.ino, child);
      }
    }
  };
  visit(root, folder);
  return found;
}
