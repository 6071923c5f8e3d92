/** `affected` against real git repositories: what counts as a change, and where trees can be. */
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { type AffectedReport, affected } from '../../../packages/scheduler/src/affected/affected.ts';
import { openSession } from '../../../packages/scheduler/src/session.ts';
import { workspaceOf } from '../../../packages/scheduler/src/workspace.ts';
import { GIT_ENV, Repository } from '../../rig/repository.ts';

const HASH = 'a'.repeat(64);
const toml = (name: string, more = ''): string => `[package]\nname = "${name}"\nversion = "1.0"\n${more}`;

/** core-a <- core-b <- user-c; core-d takes its version from core-a; core-e copies everything. */
function files(prefix = ''): Record<string, string> {
  const base = `${prefix}packages`;
  return {
    [`${base}/core/a/package.toml`]: toml(
      'a',
      `license = "MIT"\n[sources.s]\nhash = "${HASH}"\nmirrors = ["https://x.org/s.tar"]\n`,
    ),
    [`${base}/core/a/Containerfile`]: 'FROM scratch\nCOPY a.patch /\nADD fetch/s.tar /\n',
    [`${base}/core/a/a.patch`]: 'patch\n',
    [`${base}/core/b/package.toml`]: toml('b'),
    [`${base}/core/b/Containerfile`]: 'FROM scratch\nCOPY --from=stagex/core-a . /\n',
    [`${base}/user/c/package.toml`]: toml('c'),
    [`${base}/user/c/Containerfile`]: 'FROM stagex/core-b\n',
    [`${base}/core/d/package.toml`]: '[package]\nname = "d"\nversion_from = "core-a"\n',
    [`${base}/core/d/Containerfile`]: 'FROM scratch\nARG VERSION\n',
    [`${base}/core/e/package.toml`]: toml('e'),
    [`${base}/core/e/Containerfile`]: 'FROM scratch\nCOPY . /\n',
    [`${prefix}digests/core.txt`]: `${'1'.repeat(64)} core-a\n${'2'.repeat(64)} core-b\n`,
  };
}

let repository: Repository;
let state: string;

beforeEach(() => {
  repository = new Repository();
  repository.write(files());
  repository.commit();
  state = mkdtempSync(join(tmpdir(), 'stx-affected-'));
});

const run = (more: { since?: string; until?: string; cwd?: string; env?: NodeJS.ProcessEnv } = {}) =>
  affected({ cwd: repository.root, env: GIT_ENV, state, since: 'HEAD', ...more });

const names = ({ added, removed, changed, affected: all }: AffectedReport) => ({
  added,
  removed,
  changed,
  affected: all,
});
const NOTHING = { added: [], removed: [], changed: [], affected: [] };

const A = 'packages/core/a';

test('nothing changed; what is no input affects nothing', async () => {
  expect(names(await run())).toEqual(NOTHING);
  repository.write({
    [`${A}/package.toml`]: toml(
      'a',
      `license = "GPL"\ndescription = "x" # comment\n[sources.s]\nhash = "${HASH}"\nmirrors = ["https://y.org/s.tar", "https://x.org/s.tar"]\n`,
    ),
    [`${A}/fetch/s.tar`]: 'downloaded by make',
    'out/core-a/index.json': '{}',
    'fetch/core/a/s.tar': 'x',
    'README.md': 'x',
  });
  expect(names(await run())).toEqual(NOTHING);
});

test.each<[string, () => void, string[], string[]]>([
  [
    'a file',
    () => repository.write({ [`${A}/a.patch`]: 'other\n' }),
    ['core-a'],
    ['core-a', 'core-b', 'user-c'],
  ],
  [
    'an untracked file',
    () => repository.write({ [`${A}/new`]: '' }),
    ['core-a'],
    ['core-a', 'core-b', 'user-c'],
  ],
  [
    'a mode',
    () => chmodSync(join(repository.root, A, 'a.patch'), 0o755),
    ['core-a'],
    ['core-a', 'core-b', 'user-c'],
  ],
  [
    'a file that became a link',
    () => {
      rmSync(join(repository.root, A, 'a.patch'));
      symlinkSync('patch\n', join(repository.root, A, 'a.patch'));
    },
    ['core-a'],
    ['core-a', 'core-b', 'user-c'],
  ],
  [
    'a removed file',
    () => rmSync(join(repository.root, 'packages/core/b/Containerfile.x'), { force: true }),
    [],
    [],
  ],
  [
    'a version, also where others take it',
    () =>
      repository.write({ [`${A}/package.toml`]: files()[`${A}/package.toml`]?.replace('1.0', '1.1') ?? '' }),
    ['core-a', 'core-d'],
    ['core-a', 'core-b', 'core-d', 'user-c'],
  ],
  [
    'a hash',
    () =>
      repository.write({
        [`${A}/package.toml`]: files()[`${A}/package.toml`]?.replace(HASH, 'b'.repeat(64)) ?? '',
      }),
    ['core-a'],
    ['core-a', 'core-b', 'user-c'],
  ],
  [
    'the file name of a source',
    () =>
      repository.write({
        [`${A}/package.toml`]: files()[`${A}/package.toml`]?.replace('/s.tar', '/t.tar') ?? '',
      }),
    ['core-a'],
    ['core-a', 'core-b', 'user-c'],
  ],
  [
    'a comment in package.toml where COPY takes it',
    () => repository.write({ 'packages/core/e/package.toml': `# x\n${toml('e')}` }),
    ['core-e'],
    ['core-e'],
  ],
  [
    'an edge that is gone',
    () => repository.write({ 'packages/core/b/Containerfile': 'FROM scratch\n' }),
    ['core-b'],
    ['core-b', 'user-c'],
  ],
])('%s', async (_what, edit, changed, all) => {
  edit();
  expect(names(await run())).toEqual({ ...NOTHING, changed, affected: all });
  // The same between two commits.
  repository.commit();
  expect(names(await run({ since: 'HEAD~1', until: 'HEAD' }))).toEqual({
    ...NOTHING,
    changed,
    affected: all,
  });
});

test('a rename is a removal and an addition, and changes who names it; a new target counts as changed', async () => {
  renameSync(join(repository.root, 'packages/core/a'), join(repository.root, 'packages/core/z'));
  repository.write({
    'packages/core/z/package.toml': files()[`${A}/package.toml`]?.replace('"a"', '"z"') ?? '',
    'packages/core/b/Containerfile': 'FROM scratch\nCOPY --from=stagex/core-z . /\n',
    'packages/core/d/package.toml': toml('d'),
  });
  expect(names(await run())).toEqual({
    added: ['core-z'],
    removed: ['core-a'],
    changed: ['core-b', 'core-z'],
    affected: ['core-b', 'core-z', 'user-c'],
  });
});

test('platform and allowed images are those of each end', async () => {
  repository.write({ 'stx-make.toml': 'platform = "linux/arm64"\n' });
  expect((await run()).changed).toEqual(['core-a', 'core-b', 'core-d', 'core-e', 'user-c']);
  expect((await run({ env: { ...GIT_ENV, PLATFORM: 'linux/arm64' } })).changed).toEqual([]);
});

test('digests that changed; a line that can not be read is a warning', async () => {
  repository.write({ 'digests/core.txt': `${'1'.repeat(64)} core-a\n${'3'.repeat(64)} core-e\nnonsense\n` });
  const report = await run();
  expect(report.digests).toEqual([
    { target: 'core-b', before: `sha256:${'2'.repeat(64)}`, after: null },
    { target: 'core-e', before: null, after: `sha256:${'3'.repeat(64)}` },
  ]);
  expect(report.warnings).toMatchObject([{ code: 'digests-bad-line', file: 'digests/core.txt', line: 3 }]);
});

test('comments and history: where a change probably stops, and how long it takes', async () => {
  const session = await openSession({ cwd: repository.root, env: GIT_ENV, state });
  const { history } = workspaceOf(session).openState();
  const note = (target: string, run: number, result: 'built' | 'unchanged', duration: number): void =>
    history.note({
      run: `${run}`,
      target,
      result,
      fingerprint: `f${run}`,
      previous: run === 0 ? null : `f${run - 1}`,
      manifest: null,
      duration,
      finished: run,
      worker: 'w',
    });
  for (let i = 0; i < 4; i++) {
    note('core-a', i, 'built', 1000);
    note('core-b', i, i === 0 ? 'built' : 'unchanged', 2000);
  }
  session.close();
  repository.write({ [`${A}/a.patch`]: 'other\n' });
  const byHistory = (await run()).outlook;
  expect(byHistory.likely).toEqual(['core-a', 'core-b']);
  expect(byHistory.cutoffs).toEqual([
    { target: 'core-b', text: '3 of its last 3 rebuilds gave what was there before' },
  ]);
  expect(byHistory.most).toEqual({ targets: 3, known: 2, work: 5000, chain: 5000 });
  expect(byHistory.least).toMatchObject({ work: 3000 });
  repository.git('checkout', '-q', '.');
  repository.write({ [`${A}/Containerfile`]: `# why\n${files()[`${A}/Containerfile`]}` });
  const byComment = await run();
  expect(byComment.affected).toEqual(['core-a', 'core-b', 'user-c']);
  expect(byComment.outlook.likely).toEqual(['core-a']);
  expect(byComment.outlook.cutoffs[0]?.text).toContain('comments');
});

test('a tree in a folder of the repository, from within it; moved there in between', async () => {
  const nested = new Repository();
  nested.write({ ...files(), 'other/file': 'x' });
  nested.commit();
  nested.git('tag', 'flat');
  mkdirSync(join(nested.root, 'recipes'));
  for (const name of ['packages', 'digests']) nested.git('mv', name, `recipes/${name}`);
  nested.commit();
  const cwd = join(nested.root, 'recipes/packages/core');
  expect(names(await run({ cwd, since: 'HEAD' }))).toEqual(NOTHING);
  expect(names(await run({ cwd, since: 'flat' }))).toEqual(NOTHING);
  nested.write({ 'recipes/packages/core/a/a.patch': 'other\n' });
  expect((await run({ cwd, since: 'flat' })).changed).toEqual(['core-a']);
  expect((await run({ cwd, since: 'flat', until: 'HEAD' })).changed).toEqual([]);
  // Without packages/: another layout of the same recipes.
  for (const name of ['core', 'user']) nested.git('mv', `recipes/packages/${name}`, `recipes/${name}`);
  expect((await run({ cwd: join(nested.root, 'recipes'), since: 'flat' })).changed).toEqual(['core-a']);
});

test('what a checkout writes otherwise than git keeps it is no change', async () => {
  repository.write({ '.gitattributes': '*.patch text eol=crlf\n' });
  repository.commit();
  rmSync(join(repository.root, A, 'a.patch'));
  repository.git('checkout', '-q', '.');
  expect(names(await run())).toEqual(NOTHING);
  repository.write({ [`${A}/a.patch`]: 'other\r\n' });
  expect((await run()).changed).toEqual(['core-a']);
});

const codes = async (promise: Promise<unknown>): Promise<string[]> => {
  try {
    await promise;
    return [];
  } catch (error) {
    return (error as { problems: { code: string; file?: string; line?: number }[] }).problems.map(
      ({ code, file, line }) => `${code} ${file ?? ''}${line === undefined ? '' : `:${line}`}`.trim(),
    );
  }
};

test('errors say what is wrong', async () => {
  expect(await codes(run({ since: 'nosuch' }))).toEqual(['unknown-commit']);
  expect(await codes(run({ since: '--all' }))).toEqual(['unknown-commit']);
  const plain = mkdtempSync(join(tmpdir(), 'stx-plain-'));
  const tree = new Repository(plain);
  tree.write(files());
  rmSync(join(plain, '.git'), { recursive: true });
  expect(await codes(run({ cwd: plain }))).toEqual([`not-a-repository ${plain}`]);
  expect(await codes(run({ cwd: '/' }))).toEqual(['no-tree']);
});

test('a broken commit: its errors with the commit in front; a broken working tree does not matter for two commits', async () => {
  repository.write({ 'packages/core/b/Containerfile': 'FROM scratch\nCOPY --from=stagex/core-nope . /\n' });
  repository.commit();
  repository.git('tag', 'broken');
  expect(await codes(run({ since: 'broken', until: 'HEAD~1' }))).toEqual([
    'unknown-dependency broken:packages/core/b/Containerfile:2',
  ]);
  expect(await codes(run({ since: 'HEAD~1' }))).toEqual([
    'unknown-dependency packages/core/b/Containerfile:2',
  ]);
  expect(names(await run({ since: 'HEAD~1', until: 'HEAD~1' }))).toEqual(NOTHING);
});

test('before there was a tree; a shallow clone; a submodule in a recipe', async () => {
  const late = new Repository();
  late.write({ README: 'x' });
  late.commit();
  late.write(files());
  late.commit();
  expect(await codes(run({ cwd: late.root, since: 'HEAD~1' }))).toEqual(['no-tree-in-commit']);

  const shallow = mkdtempSync(join(tmpdir(), 'stx-shallow-'));
  late.git('clone', '-q', '--depth=1', `file://${late.root}`, shallow);
  expect(await codes(run({ cwd: shallow, since: 'HEAD~1' }))).toEqual(['unknown-commit']);
  expect(names(await run({ cwd: shallow }))).toEqual(NOTHING);

  const library = new Repository();
  library.write({ file: 'x' });
  library.commit();
  late.git('submodule', '--quiet', 'add', `file://${library.root}`, 'packages/core/a/vendor');
  late.git('submodule', '--quiet', 'add', `file://${library.root}`, 'elsewhere');
  late.commit();
  expect(await codes(run({ cwd: late.root }))).toEqual(['submodule-in-recipe HEAD:packages/core/a/vendor']);
});

test('a partial clone says what it lacks instead of fetching it', async () => {
  repository.git('config', 'uploadpack.allowFilter', 'true');
  repository.write({ [`${A}/a.patch`]: 'second\n' });
  repository.commit();
  const partial = mkdtempSync(join(tmpdir(), 'stx-partial-'));
  repository.git('clone', '-q', '--filter=blob:none', `file://${repository.root}`, partial);
  expect(await codes(run({ cwd: partial, since: 'HEAD~1' }))).toEqual(['missing-objects']);
  expect(names(await run({ cwd: partial, since: 'HEAD' }))).toEqual(NOTHING);
});

test('a path with spaces, quotes and letters beyond ASCII', async () => {
  repository.write({ [`${A}/sp ace "q" ü.patch`]: 'x' });
  repository.commit();
  expect(names(await run())).toEqual(NOTHING);
  writeFileSync(join(repository.root, A, 'sp ace "q" ü.patch'), 'y');
  expect((await run()).changed).toEqual(['core-a']);
});
