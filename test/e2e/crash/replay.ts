/**
 * Recorded system calls (record.ts), applied one after the other to a disk in memory. A call that is not known, or that
 * reads from outside the folder what it writes into it, is an error: what is played must be all that happened.
 */
import { basename, dirname, join } from 'node:path';
import { type DiskNode, FileNode, FolderNode } from './disk-model.ts';
import type { Call } from './record.ts';

/** A string argument: `"\x2f\x74"`. */
function bytes(text: string | undefined): Buffer {
  return Buffer.from((text ?? '').split('"')[1]?.replaceAll('\\x', '') ?? '', 'hex');
}

/** The buffers of writev: `[{iov_base="...", iov_len=3}, ...]`. */
function vectors(text: string | undefined): Buffer {
  return Buffer.concat([...(text ?? '').matchAll(/iov_base="([^"]*)"/g)].map(([, hex]) => bytes(`"${hex}"`)));
}

/** The program's, which is ours. */
const UMASK = process.umask();

interface Opened {
  readonly node: DiskNode;
  readonly path: string;
  at: number;
  readonly append: boolean;
}

/** A disk in memory with one folder, to which calls are applied. */
export class Replay {
  readonly root = new FolderNode();
  readonly #folder: string;
  readonly #fds = new Map<number, Opened>();
  /** What a sync that is under way will have made safe when it ends. */
  readonly #syncing = new Map<number, () => void>();
  readonly #isDeaf: (path: string) => boolean;

  /**
   * @param folder what of the real disk is modelled: it was empty when the program began
   * @param isDeaf paths whose syncs do nothing, as if the program had forgotten them
   */
  constructor(folder: string, isDeaf: (path: string) => boolean = () => false) {
    this.#folder = folder;
    this.#isDeaf = isDeaf;
  }

  /** @returns whether it changed anything */
  apply({ name, args, result }: Call): boolean {
    const fd = Number.parseInt(args[0] ?? '', 10);
    const opened = this.#fds.get(fd);
    switch (name) {
      case 'open':
        return this.#open(this.#path(undefined, args[0]), args[1] ?? '', args[2], result);
      case 'creat':
        return this.#open(this.#path(undefined, args[0]), 'O_CREAT|O_TRUNC', args[1], result);
      case 'openat':
        return this.#open(this.#path(args[0], args[1]), args[2] ?? '', args[3], result);
      case 'close':
        this.#fds.delete(fd);
        return false;
      case 'write':
      case 'writev':
        if (opened?.node.kind !== 'file') return false;
        if (opened.append) opened.at = opened.node.data.length;
        opened.node.write(
          opened.at,
          (name === 'write' ? bytes(args[1]) : vectors(args[1])).subarray(0, result),
        );
        opened.at += result;
        return true;
      case 'pwrite64':
      case 'pwritev':
        if (opened?.node.kind !== 'file') return false;
        opened.node.write(
          Number(args.at(-1)),
          (name === 'pwrite64' ? bytes(args[1]) : vectors(args[1])).subarray(0, result),
        );
        return true;
      case 'copy_file_range':
        return this.#copy(this.#fds.get(Number(args[2])), this.#fds.get(fd), result);
      case 'sendfile':
        return this.#copy(opened, this.#fds.get(Number(args[1])), result);
      case 'ftruncate':
        if (opened?.node.kind !== 'file') return false;
        opened.node.resize(Number(args[1]));
        return true;
      case 'fsync-begins':
        if (opened !== undefined) this.#syncing.set(fd, this.#sync(opened));
        return false;
      case 'fsync':
      case 'fdatasync': {
        if (opened === undefined) return false;
        const sync = this.#syncing.get(fd) ?? this.#sync(opened);
        this.#syncing.delete(fd);
        sync();
        return true;
      }
      case 'rename':
        return this.#rename(this.#path(undefined, args[0]), this.#path(undefined, args[1]));
      case 'renameat':
      case 'renameat2':
        return this.#rename(this.#path(args[0], args[1]), this.#path(args[2], args[3]));
      case 'unlink':
      case 'rmdir':
        return this.#remove(this.#path(undefined, args[0]));
      case 'unlinkat':
        return this.#remove(this.#path(args[0], args[1]));
      case 'link':
        return this.#link(this.#path(undefined, args[0]), this.#path(undefined, args[1]));
      case 'linkat':
        return this.#link(this.#path(args[0], args[1]), this.#path(args[2], args[3]));
      case 'symlink':
        return this.#put(this.#path(undefined, args[1]), { kind: 'link', to: bytes(args[0]).toString() });
      case 'symlinkat':
        return this.#put(this.#path(args[1], args[2]), { kind: 'link', to: bytes(args[0]).toString() });
      case 'mkdir':
        return this.#put(this.#path(undefined, args[0]), new FolderNode());
      case 'mkdirat':
        return this.#put(this.#path(args[0], args[1]), new FolderNode());
      case 'chmod':
        return this.#chmod(this.#find(this.#path(undefined, args[0])), args[1]);
      case 'fchmodat':
        return this.#chmod(this.#find(this.#path(args[0], args[1])), args[2]);
      case 'fchmod':
        return this.#chmod(opened?.node, args[1]);
      default:
        throw new Error(`${name} was not asked for`);
    }
  }

  /** @returns what makes safe that which is written now */
  #sync({ node, path }: Opened): () => void {
    if (this.#isDeaf(path) || node.kind === 'link') return () => {};
    if (node.kind === 'file') {
      const { data } = node;
      return () => {
        node.safe = data;
      };
    }
    const names = new Map(node.names);
    return () => {
      node.safe = names;
    };
  }

  /** Absolute; links in it are followed where they are ours (the export folders' `blobs`). */
  #path(at: string | undefined, name: string | undefined): string {
    const text = bytes(name).toString();
    if (text.startsWith('/')) return text;
    const folder = at === undefined || at === 'AT_FDCWD' ? undefined : this.#fds.get(Number(at));
    return folder === undefined ? `/elsewhere/${text}` : join(folder.path, text);
  }

  /** The node of a path; undefined where there is none or it is not below our folder. */
  #find(path: string, depth = 0): DiskNode | undefined {
    if (path === this.#folder) return this.root;
    if (!path.startsWith(`${this.#folder}/`) || depth > 40) return undefined;
    const parent = this.#parent(path);
    return parent?.names.get(basename(path));
  }

  #parent(path: string): FolderNode | undefined {
    const node = this.#find(dirname(path));
    if (node?.kind === 'folder') return node;
    if (node?.kind !== 'link') return undefined;
    const to = this.#find(node.to);
    return to?.kind === 'folder' ? to : undefined;
  }

  #open(path: string, flags: string, mode: string | undefined, fd: number): boolean {
    this.#fds.delete(fd);
    const parent = this.#parent(path);
    let node = this.#find(path);
    let changed = false;
    if (node === undefined && flags.includes('O_CREAT') && parent !== undefined) {
      node = new FileNode(Number.parseInt(mode ?? '0644', 8) & ~UMASK);
      parent.names.set(basename(path), node);
      changed = true;
    }
    if (node === undefined) return false;
    if (flags.includes('O_TRUNC') && node.kind === 'file' && node.data.length > 0) {
      node.resize(0);
      changed = true;
    }
    this.#fds.set(fd, { node, path, at: 0, append: flags.includes('O_APPEND') });
    return changed;
  }

  #copy(to: Opened | undefined, from: Opened | undefined, count: number): boolean {
    if (to?.node.kind !== 'file') return false;
    if (from?.node.kind !== 'file') throw new Error(`${to.path} is copied from outside`);
    to.node.write(to.at, from.node.data.subarray(from.at, from.at + count));
    to.at += count;
    from.at += count;
    return count > 0;
  }

  #rename(from: string, to: string): boolean {
    const node = this.#find(from);
    const [old, next] = [this.#parent(from), this.#parent(to)];
    if (node === undefined || old === undefined || next === undefined) return false;
    // Two names of one file: rename does nothing.
    if (next.names.get(basename(to)) === node) return false;
    old.names.delete(basename(from));
    next.names.set(basename(to), node);
    return true;
  }

  #remove(path: string): boolean {
    return this.#parent(path)?.names.delete(basename(path)) ?? false;
  }

  #link(from: string, to: string): boolean {
    const node = this.#find(from);
    return node === undefined ? false : this.#put(to, node);
  }

  #put(path: string, node: DiskNode): boolean {
    const parent = this.#parent(path);
    if (parent === undefined) return false;
    parent.names.set(basename(path), node);
    return true;
  }

  #chmod(node: DiskNode | undefined, mode: string | undefined): boolean {
    if (node?.kind !== 'file') return false;
    node.mode = Number.parseInt(mode ?? '', 8);
    return true;
  }
}
