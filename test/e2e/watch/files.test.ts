/**
 * Changes on real files: editors' ways of saving, recipes that come and go, thousands of files at once, what does not
 * count; a kernel without watches to give.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Changes, gitLock } from '../../../packages/cli/src/watch/changes.ts';
import { type FileWatch, watchFiles } from '../../../packages/cli/src/watch/files.ts';
import { watchedTree } from '../../../packages/scheduler/src/tree/watched.ts';

/** Where the script that is run finds the packages. */
const CLI = join(import.meta.dirname, '../../../packages/cli/src/watch');

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'stx-watch-')));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function recipe(id: string): string {
  const dir = join(folder, 'packages', id);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'package.toml'), '');
  writeFileSync(join(dir, 'Containerfile'), 'FROM scratch\n');
  return dir;
}

describe.each([
  ['told by the kernel', false],
  ['by looking every second', true],
])('watchFiles, %s', (_name, poll) => {
  let watch: FileWatch | null = null;
  let seen: string[];
  let waiting: { path: string; resolve: () => void } | null = null;
  afterEach(async () => watch?.close());

  async function open(): Promise<void> {
    seen = [];
    watch = await watchFiles({
      tree: watchedTree({ cwd: folder }),
      poll,
      onChange: (path) => {
        seen.push(path);
        if (waiting?.path === path) waiting.resolve();
      },
      onProblem: ({ text }) => {
        throw new Error(text);
      },
    });
  }
  const saw = (path: string): Promise<void> => {
    const there = seen.includes(path);
    seen.splice(0);
    return there ? Promise.resolve() : new Promise((resolve) => (waiting = { path, resolve }));
  };

  test('in place, by renames over it, again and again; new and removed recipes; settings', async () => {
    const dir = recipe('core/a');
    await open();
    const file = join(dir, 'Containerfile');
    const path = 'packages/core/a/Containerfile';
    writeFileSync(file, 'FROM scratch AS one\n');
    await saw(path);
    for (const text of ['two', 'three']) {
      // As vim with backupcopy=no and many editors do: the old one moved away, another one in its place.
      const draft = join(dir, '4913');
      writeFileSync(draft, `FROM scratch AS ${text}\n`);
      renameSync(file, `${file}~`);
      renameSync(draft, file);
      rmSync(`${file}~`);
      await saw(path);
    }
    recipe('core/new');
    await saw('packages/core/new/Containerfile');
    writeFileSync(join(folder, 'packages/core/new/patch'), 'x');
    await saw('packages/core/new/patch');
    rmSync(join(folder, 'packages/core/new'), { recursive: true });
    await saw('packages/core/new');
    writeFileSync(join(folder, 'stx-make.toml'), '');
    await saw('stx-make.toml');
  });

  test('outputs, sources, git and what editors leave beside a file do not count', async () => {
    const dir = recipe('core/a');
    await open();
    for (const path of ['out/core-a/index.json', 'fetch/core/a/x', '.git/index', 'packages/core/a/fetch/x']) {
      mkdirSync(join(folder, path, '..'), { recursive: true });
      writeFileSync(join(folder, path), 'x');
    }
    for (const name of ['.Containerfile.swp', 'Containerfile~', '.#x']) writeFileSync(join(dir, name), 'x');
    writeFileSync(join(dir, 'last'), 'x');
    const all = seen;
    await saw('packages/core/a/last');
    expect(all.filter((path) => path !== 'packages/core/a/last')).toEqual([]);
  });
});

test('a branch switch that changes thousands of files is one change, told when git is done', async () => {
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@x', ...args], {
      cwd: folder,
      stdio: 'pipe',
    });
  git('init', '-q', '-b', 'one');
  const write = (text: string): void => {
    for (let at = 0; at < 300; at += 1) {
      const dir = recipe(`core/r${at}`);
      for (let file = 0; file < 8; file += 1) writeFileSync(join(dir, `file${file}`), `${text} ${file}`);
    }
  };
  write('one');
  git('add', '-A');
  git('commit', '-qm', 'one');
  git('switch', '-qc', 'two');
  write('two');
  git('commit', '-qam', 'two');
  const changes = new Changes({ clock: () => performance.now(), after, isGitBusy: gitLock(folder) });
  const watch = await watchFiles({
    tree: watchedTree({ cwd: folder }),
    poll: false,
    onChange: (path) => changes.note(path),
    onProblem: ({ text }) => {
      throw new Error(text);
    },
  });
  let settled = 0;
  const first = new Promise<void>((resolve) => {
    changes.onSettled = () => {
      settled += 1;
      resolve();
    };
  });
  git('switch', '-q', 'one');
  await first;
  expect(changes.take().size).toBe(300 * 8);
  expect(settled).toBe(1);
  changes.close();
  await watch.close();
}, 60_000);

test('without watches to give it says so and looks by itself', () => {
  recipe('core/a');
  const script = `
    import { appendFileSync, writeFileSync } from 'node:fs';
    import { watchFiles } from ${JSON.stringify(join(CLI, 'files.ts'))};
    import { watchedTree } from '@stx-make/scheduler/tree/watched';
    const problems = [];
    const watch = await watchFiles({
      tree: watchedTree({ cwd: ${JSON.stringify(folder)} }), poll: false,
      onChange: async (path) => {
        if (path === '') { writeFileSync(${JSON.stringify(join(folder, 'packages/core/a/new'))}, 'x'); return; }
        process.stdout.write(JSON.stringify({ path, problems }));
        process.exit(0);
      },
      onProblem: ({ code, text }) => problems.push(code),
    });`;
  const file = join(CLI, `limit-${process.pid}.mts`);
  writeFileSync(file, script);
  try {
    // A user namespace has a count of its own, which can be lowered without touching the machine's.
    const limited = spawnSync(
      'unshare',
      [
        '--user',
        '--map-root-user',
        'sh',
        '-c',
        'echo 1 > /proc/sys/user/max_inotify_watches && exec "$@"',
        'sh',
      ].concat([process.execPath, file]),
      { encoding: 'utf8', timeout: 60_000 },
    );
    expect(limited.stderr.replaceAll(/.*ExperimentalWarning[\s\S]*/g, '')).toBe('');
    expect(JSON.parse(limited.stdout)).toEqual({ path: 'packages/core/a/new', problems: ['watch-limit'] });
  } finally {
    rmSync(file);
  }
}, 90_000);

test('a touch is an event like any other: what it means is for the run to say', async () => {
  const dir = recipe('core/a');
  const told = Promise.withResolvers<string>();
  const watch = await watchFiles({
    tree: watchedTree({ cwd: folder }),
    poll: false,
    onChange: (path) => told.resolve(path),
    onProblem: ({ text }) => told.reject(new Error(text)),
  });
  utimesSync(join(dir, 'Containerfile'), new Date(), new Date());
  expect(await told.promise).toBe('packages/core/a/Containerfile');
  await watch.close();
});

function after(ms: number, callback: () => void): () => void {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
}
