/**
 * A tree that make has built is adopted: the first world builds nothing; edits on top build exactly what they touch;
 * what is damaged, other or bound to another state of the recipe is not believed.
 */
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { documentOf, type RunDocument, stx } from '../../rig/cli.ts';
import { startDaemon, type TestDaemon } from '../../rig/daemon.ts';
import { commitAll, git, initRepository } from '../../rig/git.ts';
import { digestOfOut, makeOut } from '../../rig/make.ts';
import { writeBusybox, writeRecipes } from '../../rig/tree.ts';

const TARGETS = [
  { name: 'core-busybox', dir: 'packages/core/busybox' },
  { name: 'core-a', dir: 'packages/core/a' },
  { name: 'core-b', dir: 'packages/core/b', needs: ['core-busybox', 'core-a'] },
  { name: 'core-c', dir: 'packages/core/c', version: '1.2', needs: ['core-busybox', 'core-b'] },
] as const;

interface TakeDocument {
  readonly ok: boolean;
  readonly counts: Readonly<Record<string, number>>;
  readonly targets: readonly { name: string; result: string; action: string | null; text: string }[];
  readonly errors?: readonly { code: string; tag: string; text: string }[];
}

let folder: string;
let daemon: TestDaemon;
/** Built by make once; each test works on a copy. */
let made: string;
let root: string;
let state: string;
let copies = 0;
const here = () => ({ cwd: root, state, env: { BUILDKIT_HOST: daemon.address } });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stx-adopt-'));
  daemon = await startDaemon();
  made = join(folder, 'made');
  writeBusybox(made);
  writeRecipes(made, {
    'core/a': { Containerfile: 'FROM scratch AS package\nCOPY a /a\n', a: 'a1\n' },
    'core/b': {
      Containerfile:
        'FROM stagex/core-busybox AS build\nCOPY --from=stagex/core-a . /\nRUN --network=none ["/bin/busybox", "sh", "-c", "cat /a | wc -c > /b"]\nFROM scratch AS package\nCOPY --from=build /b /b\n',
    },
    'core/c': {
      'package.toml': '[package]\nname = "c"\nversion = "1.2"\nlicense = "0BSD"\n',
      Containerfile: 'FROM stagex/core-busybox AS package\nCOPY --from=stagex/core-b . /\n',
    },
  });
  writeFileSync(join(made, '.gitignore'), '/out/\n/fetch/\n');
  initRepository(made);
  commitAll(made, 'recipes');
  makeOut(made, daemon, TARGETS);
  const lines = TARGETS.map(({ name }) => `${digestOfOut(made, name).slice(7)} ${name}\n`).sort((a, b) =>
    a.slice(65) < b.slice(65) ? -1 : 1,
  );
  mkdirSync(join(made, 'digests'));
  writeFileSync(join(made, 'digests/core.txt'), lines.join(''));
  commitAll(made, 'digests');
});
afterAll(async () => {
  await daemon.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  copies += 1;
  root = join(folder, `tree${copies}`);
  state = join(folder, `state${copies}`);
  cpSync(made, root, { recursive: true });
});

async function take(command: 'adopt' | 'preseed', ...more: string[]) {
  const finished = await stx([command, '--json', ...more], here());
  return { ...documentOf<TakeDocument>(finished), code: finished.code, stderr: finished.stderr };
}

async function world(): Promise<string[]> {
  const finished = await stx(['world', '--json'], here());
  expect({ code: finished.code, stderr: finished.stderr }).toMatchObject({ code: 0 });
  return documentOf<RunDocument>(finished)
    .targets.filter(({ result }) => result !== 'hit')
    .map(({ name, result }) => `${name} ${result}`);
}

const resultsOf = ({ targets }: TakeDocument): string[] =>
  targets.map(({ name, result, action }) => `${name} ${result} ${action}`);

describe('adopt', () => {
  test('everything that is committed and here: the first world builds nothing', async () => {
    const adopted = await take('adopt');
    expect({ code: adopted.code, results: resultsOf(adopted) }).toEqual({
      code: 0,
      results: ['core-a taken hit', 'core-b taken hit', 'core-busybox taken hit', 'core-c taken hit'],
    });
    const stopped = await stx(['plan', '--json'], { cwd: root, state });
    expect(documentOf<{ counts: unknown }>(stopped).counts).toEqual({
      targets: 4,
      build: 0,
      hit: 4,
      waiting: 0,
    });
    expect(await world()).toEqual([]);
    const blob = readdirSync(join(root, 'out/core-c/blobs/sha256'))[0] ?? '';
    expect(statSync(join(root, 'out/core-c/blobs/sha256', blob)).mode & 0o777).toBe(0o444);
    // The layouts share what they have in common: make had it twice.
    const digests = documentOf<{
      targets: Record<string, { origin: string; digest: string; committed: string }>;
    }>(await stx(['digests', '--json'], here()));
    expect(Object.keys(digests.targets)).toEqual(['core-a', 'core-b', 'core-busybox', 'core-c']);
    for (const { origin, digest, committed } of Object.values(digests.targets)) {
      expect({ origin, equal: digest === committed }).toEqual({ origin: 'imported', equal: true });
    }
    expect((await stx(['digests', '--check'], here())).code).toBe(0);
    expect((await stx(['verify'], here())).code).toBe(0);
  });

  test('edits in the work tree, before or after: exactly what they touch is built', async () => {
    writeFileSync(join(root, 'packages/core/a/a'), 'a2\n');
    const adopted = await take('adopt');
    expect(adopted.code).toBe(0);
    expect(adopted.targets.map(({ name, result }) => `${name} ${result}`)).toEqual([
      'core-a taken',
      'core-b taken',
      'core-busybox taken',
      'core-c taken',
    ]);
    expect(adopted.counts['edited']).toBe(1);
    // b only counts a's bytes: its output stays, and c is what was adopted.
    expect(await world()).toEqual(['core-a built', 'core-b unchanged']);
    git(root, 'checkout', '--', '.');
    expect(await world()).toEqual([]);
    writeFileSync(join(root, 'packages/core/c/Containerfile'), 'FROM stagex/core-busybox\n');
    expect(await world()).toEqual(['core-c built']);
  });

  test('an edit that was committed after the digests is no state they speak of', async () => {
    writeFileSync(join(root, 'packages/core/b/Containerfile'), 'FROM stagex/core-a\n');
    commitAll(root, 'another b');
    const adopted = await take('adopt');
    expect(adopted.targets.find(({ name }) => name === 'core-b')?.action).toBe('build');
    expect(await world()).toEqual(['core-b built', 'core-c built']);
  });

  test("a later digest of what it needs: the older line speaks of the older one; --as-of takes a commit's word", async () => {
    writeFileSync(join(root, 'packages/core/a/a'), 'a2\n');
    makeOut(root, daemon, [TARGETS[1]]);
    const text = readFileSync(join(root, 'digests/core.txt'), 'utf8');
    const now = text.replace(/^.* core-a$/m, `${digestOfOut(root, 'core-a').slice(7)} core-a`);
    writeFileSync(join(root, 'digests/core.txt'), now);
    expect((await take('adopt', 'core-a')).targets.map(({ result }) => result)).toEqual(['uncommitted']);
    commitAll(root, 'a2 with its digest');
    const adopted = await take('adopt');
    expect(adopted.code).toBe(0);
    expect(resultsOf(adopted)).toEqual([
      'core-a taken hit',
      'core-b unbound null',
      'core-busybox taken hit',
      'core-c taken waiting',
    ]);
    expect(adopted.targets[1]?.text).toContain('core-a');
    const vouched = await take('adopt', '--as-of', 'HEAD');
    expect(vouched.targets.map(({ action }) => action)).toEqual(['hit', 'hit', 'hit', 'hit']);
    expect((await take('adopt', '--as-of', 'nothing')).code).toBe(2);
  });

  test('a damaged blob is refused, exit 4; the rest is adopted, and that target built', async () => {
    const blobs = join(root, 'out/core-a/blobs/sha256');
    const largest = readdirSync(blobs).sort(
      (a, b) => statSync(join(blobs, b)).size - statSync(join(blobs, a)).size,
    )[0];
    const path = join(blobs, largest ?? '');
    const bytes = readFileSync(path);
    chmodSync(path, 0o644);
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    const adopted = await take('adopt');
    expect(adopted.code).toBe(4);
    expect(adopted.errors?.map(({ code, tag }) => `${code} ${tag}`)).toEqual(['bad-blob integrity']);
    expect(adopted.targets.map(({ name, result }) => `${name} ${result}`)).toEqual([
      'core-a refused',
      'core-b unbound',
      'core-busybox taken',
      'core-c taken',
    ]);
    expect((await stx(['verify'], here())).code).toBe(4);
    expect(await world()).toEqual(['core-a built', 'core-b built']);
    expect((await stx(['digests', '--check'], here())).code).toBe(0);
    expect((await stx(['verify'], here())).code).toBe(0);
  });

  test('damage in one layout does not hide behind the same blob of another', async () => {
    // core-c starts from core-busybox and holds its layer, too.
    const layer = readdirSync(join(root, 'out/core-busybox/blobs/sha256'))
      .sort()
      .find((name) => readdirSync(join(root, 'out/core-c/blobs/sha256')).includes(name));
    writeFileSync(join(root, 'out/core-c/blobs/sha256', layer ?? ''), 'other');
    const adopted = await take('adopt');
    expect(adopted.code).toBe(4);
    expect(adopted.targets.find(({ name }) => name === 'core-c')?.result).toBe('refused');
    expect(adopted.targets.find(({ name }) => name === 'core-busybox')?.result).toBe('taken');
    expect((await stx(['verify', 'core-c'], here())).code).toBe(4);
    expect((await stx(['verify', 'core-busybox'], here())).code).toBe(0);
  });

  test('another output than the committed one: exit 1; a missing one only where it was named', async () => {
    writeFileSync(join(root, 'packages/core/a/a'), 'a2\n');
    makeOut(root, daemon, [TARGETS[1]]);
    rmSync(join(root, 'out/core-c'), { recursive: true });
    const adopted = await take('adopt');
    expect(adopted.code).toBe(1);
    expect(adopted.targets.map(({ name, result }) => `${name} ${result}`)).toEqual([
      'core-a other',
      'core-b unbound',
      'core-busybox taken',
      'core-c absent',
    ]);
    expect((await take('adopt', 'core-c')).code).toBe(1);
    expect((await take('adopt', 'core-busybox')).code).toBe(0);
    expect((await stx(['verify', '--json'], here())).code).toBe(1);
  });

  test('outside a repository, and in a clone without the history', async () => {
    rmSync(join(root, '.git'), { recursive: true });
    const lost = await take('adopt');
    expect([lost.code, lost.errors?.[0]?.code]).toEqual([2, 'not-a-repository']);
    const shallow = join(folder, `shallow${copies}`);
    git(folder, 'clone', '--quiet', '--depth', '1', `file://${made}`, shallow);
    cpSync(join(made, 'out'), join(shallow, 'out'), { recursive: true });
    root = shallow;
    const cut = await take('adopt');
    expect(new Set(cut.targets.map(({ result }) => result))).toEqual(new Set(['uncommitted']));
    expect(cut.targets[0]?.text).toContain('shallow');
    expect((await take('adopt', '--as-of', 'HEAD')).counts['taken']).toBe(4);
    expect(await world()).toEqual([]);
  });
});

describe('digests', () => {
  test('written by what was built here, byte for byte, and nothing else touched', async () => {
    const path = join(root, 'digests/core.txt');
    const before = readFileSync(path, 'utf8');
    await take('adopt');
    const stamp = statSync(path).mtimeMs;
    expect((await stx(['digests', '--write'], here())).code).toBe(0);
    expect({ text: readFileSync(path, 'utf8'), stamp: statSync(path).mtimeMs }).toEqual({
      text: before,
      stamp,
    });
    writeFileSync(join(root, 'packages/core/a/a'), 'longer\n');
    writeRecipes(root, {
      'core/aa': { Containerfile: 'FROM scratch\nCOPY x /\n', x: 'x' },
      'user/new': 'FROM stagex/core-a\n',
    });
    rmSync(join(root, 'packages/core/c'), { recursive: true });
    const stale = await stx(['digests'], here());
    expect(
      stale.stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => line.slice(65)),
    ).toEqual(['core-busybox']);
    expect(stale.stderr).toContain('core-a: what is here');
    const check = documentOf<{ differences: { kind: string; target: string }[] }>(
      await stx(['digests', '--check', '--json'], here()),
    );
    expect(check.differences.map(({ kind, target }) => `${kind} ${target}`)).toEqual([
      'missing core-a',
      'missing core-b',
      'unknown core-c',
    ]);
    expect((await stx(['digests', '--write', 'core-a'], here())).stderr).toContain('core-a');
    expect(readFileSync(path, 'utf8')).toBe(before);
    await world();
    const checked = await stx(['digests', '--check'], here());
    expect(checked.code).toBe(1);
    expect(checked.stdout).toMatch(/other: core-a .*layer.*first differing file a \(content\)/);
    expect(checked.stdout).toMatch(/additional: core-aa/);
    expect((await stx(['digests', '--write'], here())).code).toBe(0);
    const lines = readFileSync(path, 'utf8').split('\n');
    expect(lines.map((line) => line.slice(65))).toEqual(['core-a', 'core-aa', 'core-b', 'core-busybox', '']);
    expect(lines[3]).toBe(before.split('\n')[2]);
    expect(readFileSync(join(root, 'digests/user.txt'), 'utf8')).toMatch(/^[0-9a-f]{64} user-new\n$/);
    expect((await stx(['digests', '--check'], here())).code).toBe(0);
    expect((await stx(['verify'], here())).code).toBe(0);
  });

  test('what was imported is written only when asked for', async () => {
    await take('adopt');
    rmSync(join(root, 'digests/core.txt'));
    const written = await stx(['digests', '--write'], here());
    expect(written.stderr).toContain('not built on this machine');
    expect(readdirSync(join(root, 'digests'))).toEqual([]);
    await stx(['digests', '--write', '--include-imported'], here());
    expect(git(root, 'status', '--porcelain')).toBe('');
  });
});
