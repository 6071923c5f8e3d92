/** Listing and staging contexts: what is taken, its modes and times, edits under our hands. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { digestOf, hexOf } from '@stx-make/core/oci/index';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  contextTime,
  listContextFiles,
  SOURCE_MODE,
  type StagedSource,
  stageContext,
  timeOf,
} from './index.ts';

let folder: string;
let recipe: string;
let count = 0;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stx-context-'));
  recipe = join(folder, 'recipe');
  put({ Containerfile: 'FROM scratch\n', 'package.toml': '[package]\n', 'd/z': 'z', 'd/a b': 'ab' });
  return () => rmSync(folder, { recursive: true });
});

function put(files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(recipe, path)), { recursive: true });
    writeFileSync(join(recipe, path), content);
  }
}

function source(file: string, content: string): StagedSource {
  const sha256 = hexOf(digestOf(content));
  const path = join(folder, 'store', sha256);
  mkdirSync(dirname(path), { recursive: true });
  if (!existsSync(path)) writeFileSync(path, content, { mode: SOURCE_MODE });
  utimesSync(path, timeOf(sha256), timeOf(sha256));
  return { file, sha256, path };
}

function stage(sources: readonly StagedSource[] = []) {
  count += 1;
  return stageContext({
    recipe,
    files: listContextFiles(recipe),
    sources,
    destination: join(folder, 'work', String(count)),
  });
}

/** Everything below a folder with mode and mtime in seconds. */
function tree(root: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const path of ['', ...(readdirSync(root, { recursive: true }) as string[])].sort()) {
    const { mode, mtimeMs } = lstatSync(join(root, path));
    found[path] = `${mode.toString(8)} ${mtimeMs / 1000}`;
  }
  return found;
}

describe('the list', () => {
  it('is sorted by code unit, without fetch/ at the top and empty folders', () => {
    put({ 'fetch/x': '', 'd/fetch/y': '', Z: '', é: '', '.hidden': '' });
    mkdirSync(join(recipe, 'empty'));
    symlinkSync('/nowhere', join(recipe, 'link'));
    symlinkSync('d', join(recipe, 'linked-folder'));
    expect(listContextFiles(recipe).map(({ path, kind }) => `${kind} ${path}`)).toEqual([
      'file .hidden',
      'file Containerfile',
      'file Z',
      'file d/a b',
      'file d/fetch/y',
      'file d/z',
      'link link',
      'link linked-folder',
      'file package.toml',
      'file é',
    ]);
  });

  it('names every file that can not be sent', () => {
    execFileSync('mkfifo', [join(recipe, 'pipe')]);
    writeFileSync(Buffer.concat([Buffer.from(`${recipe}/d/`), Buffer.of(0xff, 0xfe)]), '');
    expect(() => listContextFiles(recipe)).toThrow(/pipe.*UTF-8|UTF-8.*pipe/s);
  });

  it('says so where the folder is not there', () => {
    expect(() => listContextFiles(join(folder, 'none'))).toThrow('read the recipe folder');
  });
});

describe('staging', () => {
  it('is the same bytes, modes and times whatever the umask, modes and times of the recipe', () => {
    chmodSync(join(recipe, 'd/z'), 0o755);
    const first = stage();
    chmodSync(join(recipe, 'd/z'), 0o711);
    chmodSync(join(recipe, 'd/a b'), 0o660);
    chmodSync(join(recipe, 'd'), 0o700);
    utimesSync(join(recipe, 'd/a b'), 5, 5);
    const umask = process.umask(0o077);
    try {
      const second = stage();
      expect(tree(second.contextDir)).toEqual(tree(first.contextDir));
      expect(second.files).toEqual(first.files);
    } finally {
      process.umask(umask);
    }
    const time = contextTime(first.files);
    expect(tree(first.contextDir)).toEqual({
      '': `40755 ${time}`,
      Containerfile: `100644 ${time}`,
      d: `40755 ${time}`,
      'd/a b': `100644 ${time}`,
      'd/z': `100755 ${time}`,
      fetch: `40755 ${time}`,
      'package.toml': `100644 ${time}`,
    });
    expect(time).toBeGreaterThanOrEqual(2);
    expect(time).toBeLessThan(1_000_000_000);
  });

  it.each<[string, () => void]>([
    ['content', () => put({ 'd/z': 'y' })],
    ['a mode', () => chmodSync(join(recipe, 'd/z'), 0o755)],
    ['a new file', () => put({ new: '' })],
    [
      'a name',
      () => {
        rmSync(join(recipe, 'd/z'));
        put({ 'd/y': 'z' });
      },
    ],
    [
      'a link instead',
      () => {
        rmSync(join(recipe, 'd/z'));
        symlinkSync('z', join(recipe, 'd/z'));
      },
    ],
  ])('has another time after a change of %s', (_, change) => {
    const before = statSync(stage().contextDir).mtimeMs;
    change();
    expect(statSync(stage().contextDir).mtimeMs).not.toBe(before);
  });

  it('hashes the bytes it writes, small and large, and keeps links', () => {
    put({ large: 'x'.repeat(3_000_001) });
    symlinkSync('../../outside', join(recipe, 'link'));
    const { contextDir, files } = stage();
    for (const { path, mode, digest } of files) {
      const written =
        mode === 'link' ? readlinkSync(join(contextDir, path)) : readFileSync(join(contextDir, path));
      expect(digestOf(written)).toBe(digest);
    }
    expect(files.find(({ path }) => path === 'link')?.mode).toBe('link');
    expect(files).toHaveLength(6);
  });

  it('never shares an inode with the recipe, and links sources once', () => {
    const one = source('one', 'same');
    const { contextDir, fetchDir } = stage([one, source('two', 'same'), source('three', 'other')]);
    const ino = (path: string): number => statSync(path).ino;
    expect(ino(join(contextDir, 'd/z'))).not.toBe(ino(join(recipe, 'd/z')));
    expect(ino(join(fetchDir, 'one'))).toBe(ino(one.path));
    expect(ino(join(fetchDir, 'two'))).not.toBe(ino(one.path));
    expect(readFileSync(join(fetchDir, 'two'), 'utf8')).toBe('same');
    const shown = tree(fetchDir);
    expect(shown['one']).toBe(`100644 ${timeOf(one.sha256)}`);
    expect(shown['two']).toBe(shown['one']);
    expect(shown['three']).not.toBe(shown['one']);
  });

  it.each<[string, (path: string) => void]>([
    ['mode', (path) => chmodSync(path, 0o444)],
    ['time', (path) => utimesSync(path, 77, 77)],
  ])('copies a source whose %s is another, and does not change the store', (_, change) => {
    const one = source('one', 'x');
    const expected = tree(stage([one]).fetchDir);
    change(one.path);
    const before = statSync(one.path, { bigint: true });
    const { fetchDir } = stage([one]);
    expect(tree(fetchDir)).toMatchObject({ one: expected['one'] });
    expect(statSync(join(fetchDir, 'one')).ino).not.toBe(Number(before.ino));
    expect(statSync(one.path, { bigint: true }).ctimeNs).toBe(before.ctimeNs);
  });

  it('gives a name to what changed meanwhile and leaves nothing behind', () => {
    const files = listContextFiles(recipe);
    const destination = join(folder, 'work', 'raced');
    const attempt = () => stageContext({ recipe, files, sources: [], destination });
    rmSync(join(recipe, 'd/z'));
    expect(attempt).toThrow('went away');
    mkdirSync(join(recipe, 'd/z'));
    expect(attempt).toThrow('became something else');
    rmSync(join(recipe, 'd'), { recursive: true });
    writeFileSync(join(recipe, 'd'), 'no folder any more');
    expect(attempt).toThrow('went away');
    expect(existsSync(destination)).toBe(false);
  });

  it('says which source is not there', () => {
    const gone = { file: 'f', sha256: 'a'.repeat(64), path: join(folder, 'none') };
    expect(() => stage([gone])).toThrow('The source f is not in the store');
  });

  it('replaces what a dead run left in its place', () => {
    const destination = join(folder, 'work', 'left');
    mkdirSync(join(destination, 'd'), { recursive: true });
    writeFileSync(join(destination, 'd/litter'), '');
    stageContext({ recipe, files: listContextFiles(recipe), sources: [], destination });
    expect(existsSync(join(destination, 'd/litter'))).toBe(false);
  });
});
