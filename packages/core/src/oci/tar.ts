/**
 * Reads tar archives as they stream by: ustar, PAX (local and global) and GNU long names, as Go's archive/tar,
 * which wrote every layer we meet.
 *
 * Push bytes in pieces of any size; entries come out. Nothing is kept, so a layer of gigabytes costs no memory.
 * Unaware of files, gzip and what an entry means. Own code because a layer's times must be read in the very
 * pass that hashes it, and only headers are looked at.
 */
import { integrityProblem, ProblemError } from '../errors.ts';

export type TarType = 'file' | 'folder' | 'symlink' | 'hardlink' | 'char' | 'block' | 'fifo' | 'other';

export interface TarEntry {
  /** As written, without a trailing slash. */
  readonly path: string;
  readonly type: TarType;
  /** Permission bits, setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of content that follow; 0 where the type has none. */
  readonly size: number;
  /** Seconds since 1970; PAX can give fractions. */
  readonly mtime: number;
  readonly link: string;
  /** `major:minor` of devices, else empty. */
  readonly device: string;
  /** Extended attributes, by name. */
  readonly xattrs: Readonly<Record<string, string>>;
}

export interface TarHandler {
  entry(entry: TarEntry): void;
  /** Pieces of the last entry's content. The bytes are only valid during the call. */
  data?(piece: Uint8Array): void;
}

const BLOCK = 512;
const ZERO = Buffer.alloc(BLOCK);
/** PAX and long-name records are kept in memory; a larger one is damage. Bytes. */
const MAX_RECORD = 16 * 1024 * 1024;
const TYPES: Readonly<Record<string, TarType>> = {
  '\0': 'file',
  '0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'char',
  '4': 'block',
  '5': 'folder',
  '6': 'fifo',
  '7': 'file',
};

type State = 'header' | 'content' | 'record' | 'padding' | 'end';

/** One archive. Feed it with `push`, then `finish`. @throws ProblemError `bad-tar` (integrity) */
export class TarReader {
  readonly #handler: TarHandler;
  readonly #what: string;
  readonly #header = Buffer.alloc(BLOCK);
  #filled = 0;
  #state: State = 'header';
  #left = 0;
  #padding = 0;
  #record: { readonly type: string; readonly pieces: Uint8Array[] } | null = null;
  #zeroBlocks = 0;
  #global: ReadonlyMap<string, string> = new Map();
  #local: ReadonlyMap<string, string> | null = null;
  #longName: string | null = null;
  #longLink: string | null = null;

  constructor(handler: TarHandler, what: string) {
    this.#handler = handler;
    this.#what = what;
  }

  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length && this.#state !== 'end') {
      at += this.#step(bytes, at);
    }
  }

  /** Says that no more comes. A missing end mark is fine, as for Go; a cut entry is not. */
  finish(): void {
    const whole = this.#state === 'end' || (this.#state === 'header' && this.#filled === 0);
    if (!whole || this.#local !== null || this.#longName !== null || this.#longLink !== null) {
      throw this.#bad('it ends in the middle of an entry');
    }
  }

  /** Takes some bytes from `at` on; returns how many. */
  #step(bytes: Uint8Array, at: number): number {
    if (this.#state === 'header') {
      const taken = Math.min(BLOCK - this.#filled, bytes.length - at);
      this.#header.set(bytes.subarray(at, at + taken), this.#filled);
      this.#filled += taken;
      if (this.#filled === BLOCK) {
        this.#filled = 0;
        this.#readHeader();
      }
      return taken;
    }
    const taken = Math.min(this.#left, bytes.length - at);
    const piece = bytes.subarray(at, at + taken);
    if (this.#state === 'content') this.#handler.data?.(piece);
    else if (this.#state === 'record') this.#record?.pieces.push(Uint8Array.from(piece));
    this.#left -= taken;
    if (this.#left === 0) this.#contentDone();
    return taken;
  }

  #contentDone(): void {
    if (this.#state !== 'padding') {
      if (this.#state === 'record') this.#takeRecord();
      this.#enter('padding', this.#padding);
    } else {
      this.#state = 'header';
    }
  }

  #enter(state: State, length: number): void {
    this.#state = state;
    this.#left = length;
    if (length === 0) this.#contentDone();
  }

  #readHeader(): void {
    if (this.#header.equals(ZERO)) {
      this.#zeroBlocks += 1;
      if (this.#zeroBlocks === 2) this.#state = 'end';
      return;
    }
    if (this.#zeroBlocks > 0) throw this.#bad('there is an entry after a zero block');
    this.#checkSum();
    const flag = this.#header.toString('latin1', 156, 157);
    const size = this.#number(124, 12);
    if (flag === 'x' || flag === 'g' || flag === 'L' || flag === 'K') {
      if (size > MAX_RECORD) throw this.#bad('a header record is too large');
      this.#record = { type: flag, pieces: [] };
      this.#padding = padding(size);
      this.#enter('record', size);
      return;
    }
    const entry = this.#entry(flag, size);
    this.#padding = padding(entry.size);
    this.#handler.entry(entry);
    this.#enter('content', entry.size);
  }

  #entry(flag: string, headerSize: number): TarEntry {
    const pax = new Map([...this.#global, ...(this.#local ?? [])]);
    let path = pax.get('path') ?? this.#longName ?? this.#path();
    const link = pax.get('linkpath') ?? this.#longLink ?? this.#text(157, 100);
    this.#local = null;
    this.#longName = null;
    this.#longLink = null;
    let type = TYPES[flag] ?? 'other';
    // Old archives mark folders by the slash alone.
    if (type === 'file' && path.endsWith('/')) type = 'folder';
    path = path.length > 1 ? path.replace(/\/+$/, '') : path;
    const hasContent = type === 'file' || type === 'other';
    const device = type === 'char' || type === 'block';
    const xattrs = [...pax]
      .filter(([key]) => key.startsWith('SCHILY.xattr.'))
      .map(([key, value]) => [key.slice('SCHILY.xattr.'.length), value] as const);
    return {
      path,
      type,
      mode: this.#number(100, 8) & 0o7777,
      uid: this.#paxNumber(pax, 'uid') ?? this.#number(108, 8),
      gid: this.#paxNumber(pax, 'gid') ?? this.#number(116, 8),
      size: hasContent ? this.#checkSize(this.#paxNumber(pax, 'size') ?? headerSize) : 0,
      mtime: this.#paxNumber(pax, 'mtime') ?? this.#number(136, 12),
      link: type === 'symlink' || type === 'hardlink' ? link : '',
      device: device ? `${this.#number(329, 8)}:${this.#number(337, 8)}` : '',
      xattrs: Object.fromEntries(xattrs),
    };
  }

  #path(): string {
    const name = this.#text(0, 100);
    const prefix = this.#header.toString('latin1', 257, 263) === 'ustar\0' ? this.#text(345, 155) : '';
    return prefix === '' ? name : `${prefix}/${name}`;
  }

  #takeRecord(): void {
    const record = this.#record;
    if (record === null) return;
    this.#record = null;
    const bytes = Buffer.concat(record.pieces);
    if (record.type === 'L') this.#longName = cString(bytes);
    else if (record.type === 'K') this.#longLink = cString(bytes);
    else if (record.type === 'x') this.#local = this.#parsePax(bytes);
    else this.#global = new Map([...this.#global, ...this.#parsePax(bytes)]);
  }

  #parsePax(bytes: Buffer): Map<string, string> {
    const found = new Map<string, string>();
    let at = 0;
    while (at < bytes.length) {
      const space = bytes.indexOf(0x20, at);
      const digits = space === -1 ? '' : bytes.toString('latin1', at, space);
      const length = /^[0-9]+$/.test(digits) ? Number(digits) : 0;
      const end = at + length;
      const equals = bytes.indexOf(0x3d, space);
      if (length === 0 || end > bytes.length || bytes[end - 1] !== 0x0a || equals === -1 || equals >= end) {
        throw this.#bad('a PAX record is malformed');
      }
      found.set(bytes.toString('utf8', space + 1, equals), bytes.toString('utf8', equals + 1, end - 1));
      at = end;
    }
    return found;
  }

  #paxNumber(pax: ReadonlyMap<string, string>, key: string): number | null {
    const text = pax.get(key);
    // An empty value takes a global one back.
    if (text === undefined || text === '') return null;
    const form = key === 'mtime' ? /^-?[0-9]+(\.[0-9]*)?$/ : /^-?[0-9]+$/;
    if (!form.test(text)) throw this.#bad(`PAX ${key} is ${JSON.stringify(text)}`);
    return Number(text);
  }

  #checkSize(size: number): number {
    if (!Number.isSafeInteger(size) || size < 0) throw this.#bad(`an entry has the size ${size}`);
    return size;
  }

  /** Octal, or base 256 where the first bit is set. */
  #number(from: number, length: number): number {
    const field = this.#header.subarray(from, from + length);
    const first = field[0] ?? 0;
    if ((first & 0x80) !== 0) {
      let value = BigInt.asIntN(7, BigInt(first & 0x7f));
      for (const byte of field.subarray(1)) value = value * 256n + BigInt(byte);
      return Number(value);
    }
    const text = field.toString('latin1').replace(/^[ \0]+|[ \0].*$/gs, '');
    if (!/^[0-7]*$/.test(text)) throw this.#bad('a number in a header is malformed');
    return text === '' ? 0 : Number.parseInt(text, 8);
  }

  #text(from: number, length: number): string {
    return cString(this.#header.subarray(from, from + length));
  }

  #checkSum(): void {
    const expected = this.#number(148, 8);
    let unsigned = 0;
    let signed = 0;
    // An indexed loop: iterators here would cost more than all the rest of a header.
    for (let place = 0; place < BLOCK; place += 1) {
      const counted = place >= 148 && place < 156 ? 0x20 : (this.#header[place] ?? 0);
      unsigned += counted;
      signed += counted > 127 ? counted - 256 : counted;
    }
    if (expected !== unsigned && expected !== signed) throw this.#bad('the checksum of a header is wrong');
  }

  #bad(why: string): ProblemError {
    return new ProblemError(
      integrityProblem({ code: 'bad-tar', text: `${this.#what} is not a sound tar archive: ${why}` }),
    );
  }
}

function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

function cString(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end === -1 ? bytes.length : end);
}
