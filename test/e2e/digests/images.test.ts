/**
 * `content` against tar's own listing, and `import` into the engines that can be run here: podman, which needs no
 * daemon, and a containerd of the test's own.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { documentOf, stx } from '../../rig/cli.ts';
import { startDaemon, type TestDaemon } from '../../rig/daemon.ts';
import { writeBusybox, writeRecipes } from '../../rig/tree.ts';

let folder: string;
let root: string;
let daemon: TestDaemon;
const here = (env: NodeJS.ProcessEnv = {}) => ({
  cwd: root,
  state: join(folder, 'state'),
  env: { BUILDKIT_HOST: daemon.address, ...env },
});

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stx-images-'));
  root = join(folder, 'tree');
  daemon = await startDaemon();
  writeBusybox(root);
  writeRecipes(root, {
    'user/hello': {
      'package.toml': '[package]\nname = "hello"\nversion = "2.1"\nlicense = "0BSD"\n',
      Containerfile:
        'FROM stagex/core-busybox AS package\n' +
        'RUN --network=none ["/bin/busybox", "sh", "-c", "mkdir -p /d/e && echo one > /d/e/f && ln -s f /d/e/l && ln /d/e/f /d/e/h && echo x > /gone && chmod 4755 /d/e/f"]\n' +
        'RUN --network=none ["/bin/busybox", "sh", "-c", "rm /gone && rm -r /d/e && mkdir /d/e && echo new > /d/e/n && ln -s n /d/e/l"]\n' +
        'ENTRYPOINT ["/bin/busybox", "echo", "hello"]\n',
    },
  });
  const built = await stx(['world', '--json'], here());
  expect({ code: built.code, stderr: built.stderr }).toMatchObject({ code: 0 });
});
afterAll(async () => {
  await daemon.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('content', () => {
  test('layers on top of each other, whiteouts applied', async () => {
    const finished = await stx(['content', 'hello', '--json'], here());
    const { files } = documentOf<{
      files: { path: string; type: string; mode: string; link: string | null; size: number }[];
    }>(finished);
    const wanted = files.filter(({ path }) => !path.startsWith('bin'));
    expect(wanted.map(({ path, type, mode, link, size }) => ({ path, type, mode, link, size }))).toEqual(
      expect.arrayContaining([
        { path: 'd', type: 'folder', mode: '0755', link: null, size: 0 },
        { path: 'd/e', type: 'folder', mode: '0755', link: null, size: 0 },
        { path: 'd/e/l', type: 'symlink', mode: '0777', link: 'n', size: 0 },
        { path: 'd/e/n', type: 'file', mode: '0644', link: null, size: 4 },
      ]),
    );
    const paths = files.map(({ path }) => path);
    for (const gone of ['gone', 'd/e/f', 'd/e/h']) expect(paths).not.toContain(gone);
    expect(paths.some((path) => path.includes('.wh.'))).toBe(false);
    expect(paths).toContain('bin/busybox');
    const text = (await stx(['content', 'hello'], here())).stdout;
    expect(text).toMatch(/^lrwxrwxrwx 0\/0 +0 1970-01-01 00:00 d\/e\/l -> n$/m);
  });

  test('without an output exit 1, with a damaged layer exit 4', async () => {
    const missing = await stx(['content', 'hello', '--out', join(folder, 'nowhere')], here());
    expect([missing.code, missing.stderr.includes('stx-make build user-hello')]).toEqual([1, true]);
    const out = join(folder, 'out');
    execFileSync('cp', ['-r', join(root, 'out'), out]);
    const blobs = join(out, 'user-hello/blobs/sha256');
    for (const name of readdirSync(blobs)) {
      const path = join(blobs, name);
      const head = execFileSync('head', ['-c', '2', path]);
      if (head[0] !== 0x1f) continue;
      execFileSync('chmod', ['u+w', path]);
      execFileSync('truncate', ['-s', '-4', path]);
    }
    expect((await stx(['content', 'hello', '--out', out], here())).code).toBe(4);
  });
});

describe('import', () => {
  test('nobody to import into: says what was tried, exit 3', async () => {
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    writeFileSync(
      join(bin, 'docker'),
      '#!/bin/sh\necho "Cannot connect to the Docker daemon at unix:///x" >&2\nexit 1\n',
      {
        mode: 0o755,
      },
    );
    const finished = await stx(
      ['import', 'hello', '--into', 'docker', '--json'],
      here({ PATH: `${bin}:${process.env['PATH']}` }),
    );
    const { errors } = documentOf<{ errors: { code: string; text: string }[] }>(finished);
    expect(finished.code).toBe(3);
    expect(errors[0]).toMatchObject({ code: 'no-engine' });
    expect(errors[0]?.text).toContain('Cannot connect to the Docker daemon');
  });

  test('podman: under both names, and it is the image that was built', async () => {
    const storage = join(folder, 'podman');
    const bin = join(folder, 'podman-bin');
    mkdirSync(bin);
    // Of its own storage: the user's must not be touched.
    const podman = [
      '/usr/bin/podman',
      '--root',
      join(storage, 'root'),
      '--runroot',
      join(storage, 'run'),
      '--storage-driver',
      'vfs',
    ];
    writeFileSync(join(bin, 'podman'), `#!/bin/sh\nexec ${podman.join(' ')} "$@"\n`, { mode: 0o755 });
    const env = { PATH: `${bin}:${process.env['PATH']}` };
    const finished = await stx(['import', 'hello', '--into', 'podman', '--json'], here(env));
    expect({ code: finished.code, stderr: finished.stderr }).toMatchObject({ code: 0 });
    const images = execFileSync(join(bin, 'podman'), ['images', '--format', '{{.Repository}}:{{.Tag}}'], {
      encoding: 'utf8',
    });
    expect(images.trim().split('\n').sort()).toEqual([
      'docker.io/stagex/user-hello:2.1',
      'docker.io/stagex/user-hello:local',
    ]);
  });

  test('containerd: under both names', async () => {
    const containerd = await startContainerd(join(folder, 'containerd'));
    try {
      const env = { CONTAINERD_ADDRESS: containerd.socket };
      const finished = await stx(['import', 'user-hello', 'core-busybox', '--into', 'containerd'], here(env));
      expect({ code: finished.code, stderr: finished.stderr }).toMatchObject({ code: 0 });
      const images = execFileSync('ctr', ['images', 'ls', '-q'], {
        encoding: 'utf8',
        env: { ...process.env, ...env },
      });
      expect(images.trim().split('\n').sort()).toEqual([
        'docker.io/stagex/core-busybox:latest',
        'docker.io/stagex/core-busybox:local',
        'docker.io/stagex/user-hello:2.1',
        'docker.io/stagex/user-hello:local',
      ]);
    } finally {
      await containerd.stop();
    }
  });
});

async function startContainerd(home: string): Promise<{ socket: string; stop: () => Promise<void> }> {
  mkdirSync(home);
  const socket = join(home, 's');
  const config = join(home, 'config.toml');
  writeFileSync(config, 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n');
  const child: ChildProcess = spawn(
    'containerd',
    ['-c', config, '-a', socket, '--root', join(home, 'root'), '--state', join(home, 'state')],
    { stdio: 'ignore' },
  );
  await expect.poll(() => existsSync(socket), { timeout: 30_000 }).toBe(true);
  return {
    socket,
    stop: async () => {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
    },
  };
}
