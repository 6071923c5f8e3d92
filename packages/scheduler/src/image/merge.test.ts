/** Layers on top of each other, by what comes out. */
import type { TarEntry, TarType } from '@stx-make/core/oci/index';
import { expect, it } from 'vitest';
import { MergedFiles } from './merge.ts';

function entry(path: string, type: TarType = 'file', size = 0): TarEntry {
  return { path, type, mode: 0o644, uid: 0, gid: 0, size, mtime: 0, link: '', device: '', xattrs: {} };
}

function merged(...layers: readonly (readonly TarEntry[])[]): string[] {
  const files = new MergedFiles();
  for (const layer of layers) files.add(layer);
  return files.list().map(({ path, type, layer, size }) => `${path} ${type} ${layer} ${size}`);
}

it('lists a folder before what is in it, whatever the spelling and the order', () => {
  expect(merged([entry('./a/b'), entry('/a', 'folder'), entry('c//d/../e'), entry('.', 'folder')])).toEqual([
    'a folder 0 0',
    'a/b file 0 0',
    'c/e file 0 0',
  ]);
});

it('hides by whiteouts what is below, never what is beside them in their own layer', () => {
  const below = [entry('d', 'folder'), entry('d/x'), entry('d/y/z'), entry('top')];
  expect(merged(below, [entry('d/x', 'file', 2), entry('d/.wh.x'), entry('.wh.top')])).toEqual([
    'd folder 0 0',
    'd/x file 1 2',
    'd/y/z file 0 0',
  ]);
  expect(merged(below, [entry('d/new'), entry('d/.wh..wh..opq'), entry('no/.wh.such')])).toEqual([
    'd folder 0 0',
    'd/new file 1 0',
    'top file 0 0',
  ]);
});

it('lets a folder take the attributes of a folder, and anything else its place', () => {
  const below = [entry('d', 'folder'), entry('d/x'), entry('f')];
  expect(merged(below, [entry('d', 'folder')])).toEqual(['d folder 1 0', 'd/x file 0 0', 'f file 0 0']);
  expect(merged(below, [entry('d', 'symlink')])).toEqual(['d symlink 1 0', 'f file 0 0']);
  expect(merged(below, [entry('f', 'folder'), entry('f/y')])).toEqual([
    'd folder 0 0',
    'd/x file 0 0',
    'f folder 1 0',
    'f/y file 1 0',
  ]);
});
