/** Import and export, with the real tar, sha256sum, xz, zstd and bzip2. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  exportSources,
  type ImportReport,
  importSources,
  SourceStore,
  type WantedSource,
} from '../../../packages/scheduler/src/sources/index.ts';
import { Bench, bytes, sha256, wanted } from './bench.ts';

const one = bytes(70_000, 'one');
const two = bytes(1_300_000, 'two');
const three = Buffer.alloc(0);
const list = [
  wanted(one, [], 'one.tar.gz'),
  wanted(two, [], 'two.zip', 'core/y'),
  wanted(three, [], 'empty', 'user/z'),
  wanted(one, [], 'one-again', 'user/z'),
];
const never = new AbortController().signal;

let bench: Bench;
let store: SourceStore;
let box: string;

beforeEach(() => {
  bench = new Bench();
  store = new SourceStore(bench.state, bench.ledger);
  box = join(bench.folder, 'box');
  mkdirSync(join(box, 'some/where'), { recursive: true });
  writeFileSync(join(box, 'some/where/nameless'), one);
  writeFileSync(join(box, 'some/b'), two);
  writeFileSync(join(box, 'nothing'), three);
  writeFileSync(join(box, 'stranger'), 'nobody wants me');
});

afterEach(() => {
  bench[Symbol.dispose]();
});

function take(
  paths: readonly string[],
  what: readonly WantedSource[] = list,
  into = store,
): Promise<ImportReport> {
  return importSources(paths, what, into, { signal: never, env: process.env });
}

function freshStore(): SourceStore {
  return new SourceStore(join(bench.folder, 'other'), { isGood: () => false, note: () => {} });
}

describe('import', () => {
  it('takes what is wanted from a folder, whatever it is called, and counts the rest', async () => {
    symlinkSync('/etc/passwd', join(box, 'link'));
    const report = await take([box]);
    expect(report).toMatchObject({ present: 0, unknown: 2, missing: 0, problems: [] });
    expect(report.taken.map(({ file, size }) => [file, size])).toEqual([
      ['empty', 0],
      ['two.zip', two.length],
      ['one.tar.gz', one.length],
    ]);
    expect(readFileSync(store.path(sha256(two))).equals(two)).toBe(true);
    expect(await take([box])).toMatchObject({ taken: [], present: 3, unknown: 2 });
  });

  it.each([
    ['plain', []],
    ['gzip', ['-z']],
    ['xz', ['-J']],
    ['zstd', ['--zstd']],
    ['bzip2', ['-j']],
  ])('takes it from a tar (%s)', async (_name, flags) => {
    const tar = join(bench.folder, 'any.tar');
    execFileSync('tar', ['-c', ...flags, '-f', tar, '-C', box, '.']);
    const report = await take([tar]);
    expect(report).toMatchObject({ unknown: 1, missing: 0, problems: [] });
    expect(report.taken).toHaveLength(3);
    expect(bench.kept().partial).toEqual([]);
  });

  it('takes an archive that is itself wanted, unopened', async () => {
    const tar = join(bench.folder, 'some.tar');
    execFileSync('tar', ['-cf', tar, '-C', box, '.']);
    const report = await take([tar], [...list, wanted(readFileSync(tar), [], 'some.tar')]);
    expect(report).toMatchObject({ taken: [{ file: 'some.tar' }], missing: 3 });
  });

  it('makes no path of the names in an archive', async () => {
    const tar = join(bench.folder, 'hostile.tar');
    const target = join(bench.folder, 'escaped');
    const rename = `s|.*nameless|../../../../../..${target}|`;
    execFileSync('tar', ['-cPf', tar, '-C', box, '--transform', rename, '.']);
    const report = await take([tar]);
    expect(report.taken).toHaveLength(3);
    expect(() => statSync(target)).toThrow();
  });

  it('says what is wrong with an archive and keeps what was good', async () => {
    const tar = join(bench.folder, 'cut.tar');
    execFileSync('tar', ['-cf', tar, '-C', box, 'some/where/nameless', 'some/b']);
    truncateSync(tar, 500_000);
    const report = await take([tar]);
    expect(report.taken.map(({ file }) => file)).toEqual(['one.tar.gz']);
    expect(report.problems).toMatchObject([{ code: 'bad-tar', tag: 'integrity' }]);
    expect(bench.kept().partial).toEqual([]);
    for (const [flag, name] of [
      ['-z', 'cut.gz'],
      ['-J', 'cut.xz'],
      ['--zstd', 'cut.zst'],
    ] as const) {
      const cut = join(bench.folder, name);
      execFileSync('tar', ['-c', flag, '-f', cut, '-C', box, 'some/b']);
      truncateSync(cut, 400_000);
      expect((await take([cut])).problems).toMatchObject([{ code: 'bad-archive', tag: 'integrity' }]);
    }
    expect(bench.kept().partial).toEqual([]);
  });

  it('says which path is not there, and which program is missing', async () => {
    expect((await take([join(box, 'gone')])).problems).toMatchObject([
      { code: 'import-not-found', tag: 'input' },
    ]);
    const plain = await take([join(box, 'stranger')]);
    expect(plain).toMatchObject({ taken: [], unknown: 1, problems: [] });
  });
});

describe('export', () => {
  it('writes a bundle that sha256sum accepts and that is the same each time', async () => {
    await take([box]);
    const path = join(bench.folder, 'bundle.tar');
    const report = await exportSources(list, path, store, { signal: never });
    expect(report).toMatchObject({ missing: [], warnings: [], size: statSync(path).size });
    expect(report.sha256).toBe(sha256(readFileSync(path)));
    expect(report.written.find((source) => source.sha256 === sha256(one))?.places).toEqual([
      'core/x/one.tar.gz',
      'user/z/one-again',
    ]);
    const again = join(bench.folder, 'again.tar');
    await exportSources([...list].reverse(), again, store, { signal: never });
    expect(readFileSync(again).equals(readFileSync(path))).toBe(true);
    const names = execFileSync('tar', ['-tf', path], { encoding: 'utf8' }).trim().split('\n');
    expect(names).toEqual([...names].sort());
    const out = join(bench.folder, 'out');
    mkdirSync(out);
    execFileSync('tar', ['-xf', path, '-C', out]);
    const checked = execFileSync('sha256sum', ['-c', '--strict', 'SHA256SUMS'], {
      cwd: out,
      encoding: 'utf8',
    });
    expect(checked.match(/: OK$/gm)).toHaveLength(3);
  });

  it('comes back whole by import', async () => {
    await take([box]);
    const path = join(bench.folder, 'bundle.tar');
    await exportSources(list, path, store, { signal: never });
    const report = await take([path], list, freshStore());
    expect(report).toMatchObject({ unknown: 0, present: 0, missing: 0, problems: [] });
    expect(report.taken).toHaveLength(3);
  });

  it('a bundle that was changed on its way is noticed, what is sound in it is taken', async () => {
    await take([box]);
    const path = join(bench.folder, 'bundle.tar');
    await exportSources(list, path, store, { signal: never });
    const content = readFileSync(path);
    const at = content.indexOf(one);
    content[at + 5] = (content[at + 5] ?? 0) ^ 1;
    writeFileSync(path, content);
    const report = await take([path], list, freshStore());
    expect(report.taken.map(({ file }) => file).sort()).toEqual(['empty', 'two.zip']);
    expect(report.problems.map(({ code, tag }) => `${code} ${tag}`).sort()).toEqual([
      'bundle-damaged integrity',
      'bundle-not-whole integrity',
    ]);
  });

  it('refuses to leave something out unless asked, and leaves no file behind', async () => {
    await take([box]);
    rmSync(store.path(sha256(two)));
    const path = join(bench.folder, 'bundle.tar');
    await expect(exportSources(list, path, store, { signal: never })).rejects.toMatchObject({
      problems: [{ code: 'source-missing' }],
    });
    expect(() => statSync(path)).toThrow();
    const report = await exportSources(list, path, store, { signal: never, allowMissing: true });
    expect(report.missing).toMatchObject([{ sha256: sha256(two), file: 'two.zip' }]);
    expect(report.warnings).toMatchObject([{ code: 'source-missing', level: 'warning' }]);
  });
});
