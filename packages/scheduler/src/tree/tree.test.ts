/** Finding a tree from anywhere, and looking at its files: what counts, what is hashed again, what is refused. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findTree, recipeCandidates } from './find.ts';
import { type KnownFolder, scanFolder } from './scan.ts';

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'stx-tree-')));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function recipe(path: string): void {
  mkdirSync(join(folder, path), { recursive: true });
  writeFileSync(join(folder, path, 'package.toml'), '');
  writeFileSync(join(folder, path, 'Containerfile'), '');
}

describe('findTree', () => {
  test('a StageX checkout, from its root and from anywhere inside', () => {
    recipe('packages/core/zlib');
    mkdirSync(join(folder, 'docs/deep'), { recursive: true });
    for (const cwd of ['.', 'packages', 'packages/core', 'packages/core/zlib', 'docs/deep']) {
      expect(findTree({ cwd: join(folder, cwd) })).toEqual({
        root: folder,
        base: 'packages',
        fellBack: false,
      });
    }
  });

  test('stages directly in it, and a clone whose recipes/ is such a folder', () => {
    recipe('recipes/core/zlib');
    mkdirSync(join(folder, 'packages/core/src'), { recursive: true });
    const expected = { root: join(folder, 'recipes'), base: '', fellBack: false };
    for (const cwd of ['.', 'packages', 'packages/core/src', 'recipes', 'recipes/core/zlib']) {
      expect(findTree({ cwd: join(folder, cwd) })).toEqual(expected);
    }
    expect(findTree({ cwd: '/', root: folder })).toEqual(expected);
  });

  test('a link to a tree is its real path', () => {
    recipe('real/packages/core/zlib');
    symlinkSync(join(folder, 'real'), join(folder, 'link'));
    expect(findTree({ cwd: join(folder, 'link') }).root).toBe(join(folder, 'real'));
  });

  test('outside: a hint, or the fallback, and says so', () => {
    recipe('elsewhere/core/zlib');
    mkdirSync(join(folder, 'empty'));
    expect(() => findTree({ cwd: join(folder, 'empty') })).toThrowError(/not inside a tree/);
    expect(() => findTree({ cwd: folder, root: 'empty' })).toThrowError(/holds no recipes/);
    const found = findTree({ cwd: join(folder, 'empty'), fallbackRoot: join(folder, 'elsewhere') });
    expect(found).toEqual({ root: join(folder, 'elsewhere'), base: '', fellBack: true });
  });

  test('outputs and sources are no stages', () => {
    recipe('core/zlib');
    mkdirSync(join(folder, 'out/core-zlib'), { recursive: true });
    mkdirSync(join(folder, 'fetch/core'), { recursive: true });
    expect(recipeCandidates(folder, '')).toEqual([['core', 'zlib']]);
  });
});

describe('scanFolder', () => {
  const later = () => Date.now() + 60_000;
  const scan = (known?: KnownFolder, now = later) => scanFolder(folder, 'r', known, now);

  test('what git would keep: paths sorted, mode by the owner bit, links as links; fetch/ and empty folders left out', () => {
    mkdirSync(join(folder, 'r/sub/empty'), { recursive: true });
    mkdirSync(join(folder, 'r/fetch'), { recursive: true });
    mkdirSync(join(folder, 'r/sub/fetch'), { recursive: true });
    for (const path of ['b', 'a', 'sub/x', 'fetch/source', 'sub/fetch/kept'])
      writeFileSync(join(folder, 'r', path), path);
    chmodSync(join(folder, 'r/a'), 0o700);
    chmodSync(join(folder, 'r/b'), 0o666);
    symlinkSync('../outside', join(folder, 'r/link'));
    const { files, problems } = scan();
    expect(problems).toEqual([]);
    expect(files.map((file) => [file.path, file.mode])).toEqual([
      ['a', '0755'],
      ['b', '0644'],
      ['link', 'link'],
      ['sub/fetch/kept', '0644'],
      ['sub/x', '0644'],
    ]);
  });

  test('nothing is read again when nothing changed; an edit that keeps size and mtime is seen', () => {
    mkdirSync(join(folder, 'r'));
    const path = join(folder, 'r/a');
    writeFileSync(path, 'one');
    const first = scan();
    const second = scan(first);
    expect(second.unchanged).toBe(true);
    expect(second.files[0]).toBe(first.files[0]);
    const { atime, mtime } = statSync(path);
    writeFileSync(path, 'two');
    utimesSync(path, atime, mtime);
    const third = scan(second);
    expect(third.unchanged).toBe(false);
    expect(third.files[0]?.digest).not.toBe(first.files[0]?.digest);
  });

  test('a file changed within the clock tick of its hashing is hashed again', () => {
    mkdirSync(join(folder, 'r'));
    writeFileSync(join(folder, 'r/a'), 'one');
    const racy = scan(undefined, () => Date.now());
    expect(racy.files[0]?.settled).toBe(false);
    expect(scan(racy).unchanged).toBe(false);
  });

  test('renames, removals and mode changes are changes', () => {
    mkdirSync(join(folder, 'r'));
    for (const path of ['a', 'b']) writeFileSync(join(folder, 'r', path), path);
    const first = scan();
    renameSync(join(folder, 'r/a'), join(folder, 'r/c'));
    expect(scan(first).unchanged).toBe(false);
    const second = scan();
    rmSync(join(folder, 'r/b'));
    expect(scan(second).unchanged).toBe(false);
    const third = scan();
    chmodSync(join(folder, 'r/c'), 0o755);
    expect(scan(third).files[0]?.mode).toBe('0755');
  });

  test('what can not be in a context is a problem with its path', () => {
    mkdirSync(join(folder, 'r'));
    execFileSync('mkfifo', [join(folder, 'r/pipe')]);
    expect(scan().problems.map((problem) => problem.file)).toEqual(['r/pipe']);
  });
});
