/**
 * `RUN --mount=` values.
 *
 * After BuildKit v0.32.2 frontend/dockerfile/instructions/commands_runmount.go and the csvvalue library it
 * uses. A mount is read twice: for its `from` when stages are linked, which takes no variables, and whole
 * when the step is reached, after expansion.
 */

import { cut, parseBool, ReadingError } from './text.ts';

export type MountType = 'bind' | 'cache' | 'tmpfs' | 'secret' | 'ssh';

export interface Mount {
  readonly type: MountType;
  /** '' where not given. */
  readonly from: string;
  readonly source: string;
  readonly target: string;
}

const KEYS =
  'type, from, source, target, readonly, id, sharing, required, size, mode, uid, gid, src, dst, destination, ro, rw, readwrite, env';

/** One line of comma-separated values, as Go's encoding/csv reads it. @throws ReadingError */
export function csvFields(value: string): string[] {
  let line = value.replace(/\r?\n$/, '');
  if (line === '') throw new ReadingError('failed to parse csv: EOF');
  const fields: string[] = [];
  for (;;) {
    if (!line.startsWith('"')) {
      const comma = line.indexOf(',');
      const field = comma === -1 ? line : line.slice(0, comma);
      if (field.includes('"')) throw new ReadingError('failed to parse csv: bare " in non-quoted field');
      fields.push(field);
      if (comma === -1) return fields;
      line = line.slice(comma + 1);
      continue;
    }
    const match = /^"((?:[^"]|"")*)"(,?)/.exec(line);
    const quoted = match?.[1];
    if (match === null || quoted === undefined) {
      throw new ReadingError('failed to parse csv: extraneous or missing " in quoted-field');
    }
    fields.push(quoted.replaceAll('""', '"'));
    line = line.slice(match[0].length);
    if (match[2] === '') {
      if (line !== '') throw new ReadingError('failed to parse csv: extraneous or missing " in quoted-field');
      return fields;
    }
  }
}

/** The `from` that decides which stage or image a mount needs; '' where there is none. @throws ReadingError */
export function mountFrom(value: string): string {
  let from = '';
  for (const field of csvFields(value)) {
    const { before, after } = cut(field, '=');
    if (after === undefined || before.toLowerCase() !== 'from') continue;
    const dollar = after.indexOf('$');
    if (dollar !== -1 && dollar !== after.length - 1) {
      throw new ReadingError("'from' doesn't support variable expansion, define alias stage instead");
    }
    from = after;
  }
  return from;
}

/** A mount with its values expanded by `expand`. @throws ReadingError */
export function parseMount(value: string, expand: (word: string) => string): Mount {
  const reader = new MountReader();
  for (const field of csvFields(value)) {
    const { before, after } = cut(field, '=');
    const key = before.toLowerCase();
    if (after === undefined) reader.bare(key, field);
    else reader.pair(key, expand(after), field);
  }
  return reader.finish();
}

class MountReader {
  private type: MountType = 'bind';
  private from = '';
  private source = '';
  private target = '';
  private id = '';
  private sharing = '';
  private readonly owner = new Set<string>();

  bare(key: string, field: string): void {
    switch (key) {
      case 'readonly':
      case 'ro':
      case 'readwrite':
      case 'rw':
        return;
      case 'required':
        this.checkRequired();
        return;
      default:
        throw new ReadingError(`invalid field '${field}' must be a key=value pair`);
    }
  }

  pair(key: string, value: string, field: string): void {
    switch (key) {
      case 'type':
        this.type = mountType(value);
        return;
      case 'from':
        this.from = value;
        return;
      case 'source':
      case 'src':
        this.source = value;
        return;
      case 'target':
      case 'dst':
      case 'destination':
        this.target = value;
        return;
      case 'readonly':
      case 'ro':
      case 'readwrite':
      case 'rw':
        checkBool(key, value);
        return;
      case 'required':
        this.checkRequired();
        checkBool(key, value);
        return;
      case 'size':
        if (this.type !== 'tmpfs') throw unexpected(key, this.type);
        checkSize(value);
        return;
      case 'id':
        this.id = value;
        return;
      case 'sharing':
        if (!['shared', 'private', 'locked'].includes(value.toLowerCase())) {
          throw new ReadingError(`unsupported sharing value ${JSON.stringify(value)}`);
        }
        this.sharing = value.toLowerCase();
        return;
      case 'mode':
        if (!/^[0-7]+$/.test(value) || Number.parseInt(value, 8) > 0xffffffff) {
          throw new ReadingError(`invalid value ${value} for mode`);
        }
        this.owner.add(key);
        return;
      case 'uid':
      case 'gid':
        if (!/^[0-9]+$/.test(value) || Number(value) > 0xffffffff) {
          throw new ReadingError(`invalid value ${value} for ${key}`);
        }
        this.owner.add(key);
        return;
      case 'env':
        return;
      default:
        throw new ReadingError(`unexpected key '${key}' in '${field}' (known are ${KEYS})`);
    }
  }

  finish(): Mount {
    const { type, from, source, target } = this;
    if (type === 'bind' || type === 'tmpfs') {
      for (const key of this.owner) throw new ReadingError(`${key} not allowed for "${type}" type mounts`);
    }
    if (type === 'secret') {
      if (from !== '') throw new ReadingError('secret mount should not have a from');
      if (this.sharing !== '') throw new ReadingError('secret mount should not define sharing');
      if (source === '' && target === '' && this.id === '') {
        throw new ReadingError('invalid secret mount. one of source, target required');
      }
      if (source !== '' && this.id !== '') throw new ReadingError("both source and id can't be set");
    }
    if (this.sharing !== '' && type !== 'cache') {
      throw new ReadingError(`invalid cache sharing set for ${type} mount`);
    }
    if (type === 'ssh' && source !== '') throw new ReadingError('ssh does not support source');
    return { type, from, source, target };
  }

  private checkRequired(): void {
    if (this.type !== 'secret' && this.type !== 'ssh') throw unexpected('required', this.type);
  }
}

function mountType(value: string): MountType {
  const type = value.toLowerCase();
  switch (type) {
    case 'bind':
    case 'cache':
    case 'tmpfs':
    case 'secret':
    case 'ssh':
      return type;
    default:
      throw new ReadingError(`unsupported mount type ${JSON.stringify(value)}`);
  }
}

function unexpected(key: string, type: MountType): ReadingError {
  return new ReadingError(`unexpected key '${key}' for mount type '${type}'`);
}

function checkBool(key: string, value: string): void {
  if (parseBool(value) === undefined) throw new ReadingError(`invalid value for ${key}: ${value}`);
}

/** docker/go-units RAMInBytes: a decimal number with an optional unit. */
function checkSize(value: string): void {
  if (!/^\+?([0-9]+\.?[0-9]*|\.[0-9]+) ?(b|[kmgtp](i?b)?)?$/i.test(value)) {
    throw new ReadingError(`invalid value for size: ${value}`);
  }
}
