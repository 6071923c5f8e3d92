/**
 * Workers that hang or run out of disk in the middle of a run: their builds go elsewhere and are no failures, what only they
 * can build waits for them, and they are taken back.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { start } from '../../rig/cli.ts';
import { startDaemon, type TestDaemon } from '../../rig/daemon.ts';
import { writeBusybox, writeRecipes } from '../../rig/tree.ts';

let folder: string;
let usual: TestDaemon;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stx-trouble-'));
  usual = await startDaemon();
});
afterAll(async () => {
  await usual.stop();
  rmSync(folder, { recursive: true, force: true });
});

const shell = (name: string, script: string) =>
  `FROM stagex/core-busybox AS build\nRUN --network=none ["/bin/busybox", "sh", "-c", "${script}; echo ${name} > /${name}"]\nFROM scratch AS package\nCOPY --from=build /${name} /\n`;

test('one hangs: its builds go to the other, what only it can build waits until it answers again', async () => {
  const root = join(folder, 'hang');
  writeBusybox(root);
  writeRecipes(root, {
    'core/a': shell('a', 'sleep 2'),
    'core/b': shell('b', 'sleep 2'),
    // The other worker is not to get it.
    'core/old': {
      'package.toml': '[package]\nname = "old"\nlicense = "0BSD"\nplatforms = ["linux/386"]\n',
      Containerfile: `FROM scratch AS build\nCOPY --from=stagex/core-busybox . /\nRUN --network=none ["/bin/busybox", "sh", "-c", "sleep 2; echo old > /old"]\nFROM scratch AS package\nCOPY --from=build /old /\n`,
    },
  });
  const hangs = await startDaemon();
  try {
    const running = start(
      [
        ...[
          'world',
          '--ui',
          'plain',
          '--worker',
          `${usual.address},name=steady,platforms=linux/amd64,jobs=1`,
        ],
        ...['--worker', `${hangs.address},name=moody,jobs=1,patience=1`, '--out', join(root, 'out')],
      ],
      { cwd: root, state: join(folder, 'hang-state') },
    );
    await running.saw(/started on moody/);
    hangs.freeze();
    await running.saw(/worker moody lost: BuildKit at \S+ hangs: no sign of life/);
    await running.saw(/core-a built[\s\S]*core-b built|core-b built[\s\S]*core-a built/);
    expect(running.text()).not.toMatch(/core-old built/);
    hangs.thaw();
    await running.saw(/worker moody is back/);
    const finished = await running.finished;
    expect(finished.stdout).toMatch(/core-old built/);
    expect(finished.stdout).not.toMatch(/failed/);
    expect(finished.code).toBe(0);
  } finally {
    hangs.thaw();
    await hangs.stop();
  }
});

test('a full disk is no failure of the build: it goes to the other worker, and the full one comes back', async () => {
  const root = join(folder, 'full');
  writeBusybox(root);
  writeRecipes(root, {
    'core/big': shell('big', 'dd if=/dev/zero of=/heap bs=1M count=96 && sync && rm /heap'),
    'core/after': `FROM stagex/core-busybox AS build\nCOPY --from=stagex/core-big . /\nRUN --network=none ["/bin/busybox", "sh", "-c", "sleep 1; cat /big > /after"]\nFROM scratch AS package\nCOPY --from=build /after /\n`,
    'core/last': `FROM stagex/core-busybox AS build\nCOPY --from=stagex/core-after . /\nRUN --network=none ["/bin/busybox", "sh", "-c", "sleep 1; cat /after > /last"]\nFROM scratch AS package\nCOPY --from=build /last /\n`,
  });
  const disk = mkdtempSync(join(folder, 'disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', disk]);
  let small: TestDaemon | undefined;
  try {
    small = await startDaemon({ root: join(disk, 'root') });
    const running = start(
      [
        ...['build', 'core-last', '--ui', 'plain', '--worker', `${small.address},name=small,prune=true`],
        ...['--worker', `${usual.address},name=usual`, '--out', join(root, 'out')],
      ],
      { cwd: root, state: join(folder, 'full-state') },
    );
    const finished = await running.finished;
    expect(finished.stdout).toMatch(/core-big started on small/);
    expect(finished.stdout).toMatch(/worker small lost: .*no space left/);
    expect(finished.stdout).toMatch(/core-big started on usual, attempt 2/);
    expect(finished.stdout).toMatch(/worker small is back/);
    expect(finished.code).toBe(0);
  } finally {
    await small?.stop();
    execFileSync('umount', [disk]);
  }
});
