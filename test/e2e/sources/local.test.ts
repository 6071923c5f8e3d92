/** What lies on the disk: the store against writers, adoption from the tree, `fetch/` by hard link. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  adoptLocal,
  ensureSources,
  materialise,
  SourceStore,
  sourcesStatus,
} from '../../../packages/scheduler/src/sources/index.ts';
import { good, MisbehavingServer } from '../../rig/http.ts';
import { Bench, bytes, sha256, wanted } from './bench.ts';

const body = bytes(50_000);
const other = bytes(50_000, 'other');
const never = new AbortController().signal;

let bench: Bench;
let store: SourceStore;

beforeEach(() => {
  bench = new Bench();
  store = new SourceStore(bench.state, bench.ledger);
});

afterEach(() => {
  bench[Symbol.dispose]();
});

function write(path: string, content: string | Uint8Array): string {
  const full = join(bench.root, path);
  mkdirSync(join(full, '..'), { recursive: true });
  writeFileSync(full, content);
  return full;
}

async function fill(content: Buffer): Promise<string> {
  const from = write(`import/${sha256(content)}`, content);
  expect(await store.copyIn(from, sha256(content), never)).toBe(true);
  return store.path(sha256(content));
}

describe('the store', () => {
  it('finds a write through a link, removes the file and fetches it anew', async () => {
    await using server = await MisbehavingServer.start();
    const list = [wanted(body, [server.on('/a', good(body))])];
    await bench.fetch(list);
    materialise(bench.root, list, store);
    const link = join(bench.root, 'fetch/core/x/file.bin');
    chmodSync(link, 0o644);
    writeFileSync(link, other);
    const report = await bench.fetch(list);
    expect(report).toMatchObject({
      ok: true,
      counts: { downloaded: 1 },
      warnings: [{ code: 'source-damaged' }],
    });
    materialise(bench.root, list, store);
    expect(readFileSync(link).equals(body)).toBe(true);
  });

  it('does not read again what it knows, and reads what it does not', async () => {
    const path = await fill(body);
    // The bytes are changed behind a stat that stays: only who reads can see it.
    const { mtime, atime } = statSync(path);
    chmodSync(path, 0o644);
    writeFileSync(path, other);
    utimesSync(path, atime, mtime);
    chmodSync(path, 0o444);
    expect(await store.check(sha256(body), never)).toBe('good');
    const forgetful = new SourceStore(bench.state, { isGood: () => false, note: () => {} });
    expect(await forgetful.check(sha256(body), never)).toBe('damaged');
    expect(existsSync(path)).toBe(false);
  });

  it('puts a mode right that was changed', async () => {
    const path = await fill(body);
    chmodSync(path, 0o666);
    expect(await store.check(sha256(body), never)).toBe('good');
    expect(statSync(path).mode & 0o7777).toBe(0o444);
  });

  it.skipIf(process.getuid?.() !== 0)('a full disk ends it as an error of the environment', async () => {
    await using server = await MisbehavingServer.start();
    const small = join(bench.folder, 'small');
    mkdirSync(small);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=200k', 'tmpfs', small]);
    try {
      const large = bytes(3_000_000);
      // Without an announced length nothing can be said beforehand.
      const url = server.on('/a', (_request, response) => void response.end(large));
      const chunked = server.on('/b', (_request, response) => {
        response.write(large);
        response.end();
      });
      for (const mirror of [url, chunked]) {
        const report = await ensureSources([wanted(large, [mirror])], {
          paths: { sources: join(small, 'sources') },
          ledger: bench.ledger,
          env: {},
          signal: never,
        });
        expect(report.problems).toMatchObject([{ code: 'no-space', tag: 'environment' }]);
        expect(report).toMatchObject({ ok: false, interrupted: false });
      }
    } finally {
      execFileSync('umount', [small]);
    }
  });

  it('takes no link for a file', async () => {
    rmSync(await fill(body));
    symlinkSync(write('elsewhere', body), store.path(sha256(body)));
    expect(await store.check(sha256(body), never)).toBe('damaged');
  });

  it('says what is there without reading it', async () => {
    await fill(body);
    const list = [wanted(body, ['http://me:secret@127.0.0.1/x']), wanted(other, [], 'other.bin')];
    const status = await sourcesStatus(list, store, { verify: false, signal: never });
    expect(status).toMatchObject([
      { file: 'file.bin', state: 'verified', size: body.length, mirrors: ['http://127.0.0.1/x'] },
      { file: 'other.bin', state: 'missing', size: null },
    ]);
    const forgetful = new SourceStore(bench.state, { isGood: () => false, note: () => {} });
    expect(await sourcesStatus(list, forgetful, { verify: false, signal: never })).toMatchObject([
      { state: 'unverified' },
      { state: 'missing' },
    ]);
  });
});

describe('adopting', () => {
  it('takes what make left in fetch/, by hash, and leaves the file as it is', async () => {
    const path = write('fetch/core/x/file.bin', body);
    write('fetch/core/y/file.bin', other);
    const list = [wanted(body, []), wanted(bytes(7), [], 'file.bin', 'core/y')];
    expect([...(await adoptLocal(bench.root, list, store, never))]).toEqual([sha256(body)]);
    expect(statSync(path).mode & 0o777).toBe(0o644);
    expect(statSync(path).ino).not.toBe(statSync(store.path(sha256(body))).ino);
    expect(bench.kept().partial).toEqual([]);
  });

  it('takes whatever matches from sources/, through links to files, not to folders', async () => {
    write('sources/deep/er/any-name', body);
    write('aside/file', other);
    symlinkSync(join(bench.root, 'aside/file'), join(bench.root, 'sources/link'));
    symlinkSync(bench.root, join(bench.root, 'sources/loop'));
    const list = [wanted(body, []), wanted(other, [], 'o')];
    const report = await bench.fetch(list, {}, { offline: true, root: bench.root });
    expect(report).toMatchObject({ ok: true, counts: { adopted: 2, missing: 0 } });
  });

  it('comes before the network', async () => {
    await using server = await MisbehavingServer.start();
    write('fetch/core/x/file.bin', body);
    const report = await bench.fetch([wanted(body, [server.on('/a', good(body))])], {}, { root: bench.root });
    expect(report.counts).toMatchObject({ adopted: 1, downloaded: 0 });
    expect(server.asked).toEqual([]);
  });
});

describe('fetch/', () => {
  it('is made of read-only hard links, idempotent, and leaves other files alone', async () => {
    const path = await fill(body);
    const mine = write('fetch/core/x/notes.txt', 'mine');
    const list = [wanted(body, []), wanted(body, [], 'again.bin')];
    expect(materialise(bench.root, list, store)).toEqual({ kept: 0, made: 2, copied: 0 });
    expect(materialise(bench.root, list, store)).toEqual({ kept: 2, made: 0, copied: 0 });
    for (const name of ['file.bin', 'again.bin']) {
      const stat = statSync(join(bench.root, 'fetch/core/x', name));
      expect(stat.ino).toBe(statSync(path).ino);
      expect(stat.mode & 0o7777).toBe(0o444);
    }
    expect(readFileSync(mine, 'utf8')).toBe('mine');
  });

  it('replaces wrong files and links, never what they lead to', async () => {
    await fill(body);
    await fill(other);
    const precious = write('precious', 'precious');
    write('fetch/core/x/file.bin', 'wrong');
    mkdirSync(join(bench.root, 'fetch/core/y'), { recursive: true });
    symlinkSync(precious, join(bench.root, 'fetch/core/y/o.bin'));
    materialise(bench.root, [wanted(body, []), wanted(other, [], 'o.bin', 'core/y')], store);
    expect(readFileSync(join(bench.root, 'fetch/core/x/file.bin')).equals(body)).toBe(true);
    expect(readFileSync(join(bench.root, 'fetch/core/y/o.bin')).equals(other)).toBe(true);
    expect(readFileSync(precious, 'utf8')).toBe('precious');
  });

  it('replaces a link to a content that is not wanted any more', async () => {
    const old = await fill(other);
    await fill(body);
    mkdirSync(join(bench.root, 'fetch/core/x'), { recursive: true });
    linkSync(old, join(bench.root, 'fetch/core/x/file.bin'));
    expect(materialise(bench.root, [wanted(body, [])], store)).toMatchObject({ made: 1 });
    expect(readFileSync(old).equals(other)).toBe(true);
  });

  it('says where two sources of a recipe have one name, where a folder is in the way, where the store has nothing', async () => {
    const code = (run: () => unknown): unknown => {
      try {
        return run();
      } catch (error) {
        return (error as { problems?: { code: string }[] }).problems?.[0]?.code;
      }
    };
    expect(code(() => materialise(bench.root, [wanted(body, []), wanted(other, [])], store))).toBe(
      'source-file-collision',
    );
    expect(code(() => materialise(bench.root, [wanted(body, [])], store))).toBe('source-not-in-store');
    await fill(body);
    mkdirSync(join(bench.root, 'fetch/core/x/file.bin'), { recursive: true });
    expect(code(() => materialise(bench.root, [wanted(body, [])], store))).toBe('fetch-folder-in-the-way');
  });

  it.skipIf(!existsSync('/dev/shm') || statSync('/dev/shm').dev === statSync('/tmp').dev)(
    'is made of copies on another file system, which are known again',
    async () => {
      await fill(body);
      const root = execFileSync('mktemp', ['-d', '-p', '/dev/shm'], { encoding: 'utf8' }).trim();
      try {
        expect(materialise(root, [wanted(body, [])], store)).toEqual({ kept: 0, made: 1, copied: 1 });
        expect(materialise(root, [wanted(body, [])], store)).toEqual({ kept: 1, made: 0, copied: 0 });
        expect(statSync(join(root, 'fetch/core/x/file.bin')).mode & 0o7777).toBe(0o444);
        rmSync(join(root, 'fetch/core/x/file.bin'));
        writeFileSync(join(root, 'fetch/core/x/file.bin'), other);
        expect(materialise(root, [wanted(body, [])], store)).toMatchObject({ made: 1 });
      } finally {
        rmSync(root, { recursive: true });
      }
    },
  );
});
