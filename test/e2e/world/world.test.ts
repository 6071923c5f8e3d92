/**
 * `world` on the managed BuildKit, as a user runs it: from empty, again, after a touch, a comment, an edit; with a
 * failing recipe, keep-going, Ctrl-C; what is published is looked at by skopeo and run by runc.
 */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { documentOf, type RunDocument, start, stx } from '../../rig/cli.ts';
import { writeBusybox, writeRecipes } from '../../rig/tree.ts';

let folder: string;
let root: string;
let state: string;
const here = () => ({ cwd: root, state });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'stx-world-'));
  root = join(folder, 'tree');
  state = join(folder, 'state');
  writeBusybox(root);
  writeRecipes(root, {
    'core/a': { Containerfile: 'FROM scratch AS package\nCOPY a /a\n', a: 'a1\n' },
    'core/b': {
      Containerfile:
        'FROM stagex/core-busybox AS build\nCOPY --from=stagex/core-a . /\nRUN --network=none ["/bin/busybox", "sh", "-c", "echo b > /b"]\nFROM scratch AS package\nCOPY --from=build /b /b\n',
    },
    'core/c': 'FROM scratch AS package\nCOPY --from=stagex/core-b . /\nCOPY --from=stagex/core-a . /\n',
    'user/hello': {
      Containerfile:
        'FROM stagex/core-busybox AS package\nCOPY --from=stagex/core-c . /\nENTRYPOINT ["/bin/busybox", "echo", "hello"]\n',
    },
    'user/parts': {
      'package.toml':
        '[package]\nname = "parts"\nversion = "1.2"\nlicense = "0BSD"\nsubpackages = ["one", "two"]\n',
      Containerfile:
        'FROM scratch AS package-one\nCOPY one /\nFROM scratch AS package-two\nCOPY --from=stagex/core-a . /\nCOPY two /\n',
      one: '1',
      two: '2',
    },
  });
});
afterAll(async () => {
  await stx(['daemon', 'stop'], here());
  rmSync(folder, { recursive: true, force: true });
});

async function world(...more: string[]): Promise<RunDocument> {
  const finished = await stx(['world', '--json', ...more], here());
  const document = documentOf<RunDocument>(finished);
  expect({ code: finished.code, errors: document.errors }).toEqual({ code: 0, errors: undefined });
  return document;
}

const builtOf = (document: RunDocument) =>
  document.targets
    .filter((target) => target.result !== 'hit')
    .map((target) => `${target.name} ${target.result}`);

describe('world', () => {
  test('from empty: everything is built, published, and readable by skopeo', async () => {
    const first = await world();
    expect(first.counts).toEqual({ targets: 7, hit: 0, built: 7, unchanged: 0, failed: 0, skipped: 0 });
    expect(first.targets.map((target) => target.name)).toEqual([
      'core-a',
      'core-b',
      'core-busybox',
      'core-c',
      'user-hello',
      'user-one',
      'user-two',
    ]);
    for (const { name, digest } of first.targets) {
      const layout = join(root, 'out', name);
      expect(readdirSync(layout).sort()).toEqual(['blobs', 'index.json', 'oci-layout']);
      execFileSync('skopeo', ['inspect', `oci:${layout}`]);
      const index = execFileSync('skopeo', ['inspect', '--raw', `oci:${layout}`], { encoding: 'utf8' });
      expect((JSON.parse(index) as { manifests: { digest: string }[] }).manifests[0]?.digest).toBe(digest);
    }
    const blob = readdirSync(join(root, 'out/core-a/blobs/sha256'))[0] ?? '';
    expect(statSync(join(root, 'out/core-a/blobs/sha256', blob)).mode & 0o777).toBe(0o444);
  });

  test('again: nothing is built and no daemon is contacted', async () => {
    await stx(['daemon', 'stop'], here());
    const again = await world();
    expect(again.counts).toEqual({ targets: 7, hit: 7, built: 0, unchanged: 0, failed: 0, skipped: 0 });
    expect(again.targets.every((target) => /^sha256:[0-9a-f]{64}$/.test(target.digest ?? ''))).toBe(true);
    const status = await stx(['daemon', 'status', '--json'], here());
    expect(documentOf<{ running: boolean }>(status).running).toBe(false);
  });

  test('a touch, and a change of licence and description: nothing', async () => {
    const path = join(root, 'packages/core/a/Containerfile');
    utimesSync(path, new Date(), new Date());
    writeFileSync(
      join(root, 'packages/core/a/package.toml'),
      '[package]\nname = "a"\nlicense = "MIT" # other\ndescription = "other"\n',
    );
    expect(builtOf(await world())).toEqual([]);
  });

  test('a comment: that target is built, its output is what it was, nothing follows', async () => {
    const path = join(root, 'packages/core/a/Containerfile');
    writeFileSync(path, `# a comment\n${readFileSync(path, 'utf8')}`);
    const run = await world();
    expect(builtOf(run)).toEqual(['core-a unchanged']);
    expect(run.targets.find(({ name }) => name === 'core-a')?.reasons[0]?.code).toBe('containerfile-changed');
  });

  test('an edit: what sees it is built, and it stops where outputs stay equal', async () => {
    writeFileSync(join(root, 'packages/core/a/a'), 'a2\n');
    // b only used a while it was built: its output stays, so what copies b alone would not follow.
    expect(builtOf(await world())).toEqual([
      'core-a built',
      'core-b unchanged',
      'core-c built',
      'user-hello built',
      'user-two built',
    ]);
    writeFileSync(join(root, 'packages/core/a/a'), 'a1\n');
    expect(builtOf(await world())).toEqual([]);
  });

  test('the user package runs from its image', async () => {
    const bundle = join(folder, 'bundle');
    const rootfs = join(bundle, 'rootfs');
    execFileSync('mkdir', ['-p', rootfs]);
    const layout = join(root, 'out/user-hello');
    const blob = (digest: string) => join(layout, 'blobs/sha256', digest.slice(7));
    const read = (path: string) =>
      JSON.parse(readFileSync(path, 'utf8')) as { manifests: { digest: string }[] };
    const index = read(blob(read(join(layout, 'index.json')).manifests[0]?.digest ?? ''));
    const manifest = JSON.parse(readFileSync(blob(index.manifests[0]?.digest ?? ''), 'utf8')) as {
      config: { digest: string };
      layers: { digest: string }[];
    };
    const config = JSON.parse(readFileSync(blob(manifest.config.digest), 'utf8')) as {
      config: { Entrypoint: string[]; Env?: string[] };
    };
    for (const layer of manifest.layers) execFileSync('tar', ['-xzf', blob(layer.digest), '-C', rootfs]);
    execFileSync('runc', ['spec'], { cwd: bundle });
    const spec = JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8')) as {
      process: Record<string, unknown>;
    };
    spec.process['args'] = config.config.Entrypoint;
    spec.process['terminal'] = false;
    writeFileSync(join(bundle, 'config.json'), JSON.stringify(spec));
    expect(execFileSync('runc', ['run', `stx-test-${process.pid}`], { cwd: bundle, encoding: 'utf8' })).toBe(
      'hello\n',
    );
  });

  test('removed outputs come back without a build', async () => {
    rmSync(join(root, 'out/core-a'), { recursive: true });
    expect(builtOf(await world())).toEqual([]);
    expect(existsSync(join(root, 'out/core-a/index.json'))).toBe(true);
  });
});

describe('failures', () => {
  test('step, exit code, Containerfile line, cause and log are told; what depends on it is skipped; exit 1', async () => {
    writeRecipes(root, {
      'core/bad':
        'FROM stagex/core-busybox AS build\n\nRUN --network=none ["/bin/busybox", "sh", "-c", "echo the cause >&2; exit 7"]\nFROM scratch AS package\nCOPY --from=build /b /b\n',
      'core/worse': 'FROM scratch AS package\nCOPY --from=stagex/core-bad . /\n',
      'core/other': { Containerfile: 'FROM scratch AS package\nCOPY x /x\n', x: 'x' },
    });
    const finished = await stx(['world', '--keep-going'], here());
    expect(finished.code).toBe(1);
    const said = finished.stdout + finished.stderr;
    expect(said).toContain('core-bad');
    expect(said).toContain('packages/core/bad/Containerfile:3');
    expect(said).toMatch(/exit code:? 7/);
    expect(said).toContain('the cause');
    const { counts, targets, errors } = documentOf<RunDocument>(await stx(['world', '--json', '-k'], here()));
    expect(counts.failed).toBe(1);
    expect(counts.skipped).toBe(1);
    expect(targets.find(({ name }) => name === 'core-other')?.result).toBe('hit');
    expect(errors?.map(({ tag }) => tag)).toEqual(['build']);
    const log = await stx(['log', 'core-bad'], here());
    expect(log.stdout).toContain('the cause');
    for (const name of ['bad', 'worse', 'other'])
      rmSync(join(root, 'packages/core', name), { recursive: true });
  });

  test('an unknown dependency, a cycle and a broken package.toml are all told at once; exit 2', async () => {
    writeRecipes(root, {
      'core/x': 'FROM scratch\nCOPY --from=stagex/core-y . /\nCOPY --from=stagex/core-aa . /\n',
      'core/y': 'FROM scratch\nCOPY --from=stagex/core-x . /\n',
      'core/z': { 'package.toml': '[package\n', Containerfile: 'FROM scratch\n' },
    });
    const finished = await stx(['world', '--json'], here());
    expect(finished.code).toBe(2);
    const { errors } = documentOf<{ errors: { text: string; file: string | null; line: number | null }[] }>(
      finished,
    );
    const texts = errors.map(({ file, line, text }) => `${file}:${line} ${text}`).join('\n');
    expect(texts).toMatch(/core\/x\/Containerfile:3 .*core-aa/);
    expect(texts).toMatch(/core-x.*core-y/);
    expect(texts).toMatch(/core\/z\/package\.toml:1/);
    for (const name of ['x', 'y', 'z']) rmSync(join(root, 'packages/core', name), { recursive: true });
  });

  test('--for: time is up, what runs is cancelled after its grace, exit 130; the next run goes on', async () => {
    writeRecipes(root, {
      'core/long':
        'FROM stagex/core-busybox AS package\nRUN --network=none ["/bin/busybox", "sleep", "472"]\n',
      'core/then': 'FROM scratch AS package\nCOPY --from=stagex/core-long . /\n',
    });
    const finished = await stx(['world', '--json', '--for', '1s', '--grace', '0s'], here());
    expect(finished.code).toBe(130);
    expect(finished.stderr).toContain('its time is up (--for 1s)');
    const document = documentOf<RunDocument & { stopped: string; interrupted: boolean }>(finished);
    expect(document).toMatchObject({ ok: false, stopped: 'time', interrupted: false });
    expect(document.counts.failed).toBe(0);
    const skipped = document.targets.filter(({ result }) => result === 'skipped').map(({ name }) => name);
    expect(skipped).toEqual(expect.arrayContaining(['core-long', 'core-then']));
    expect(document).not.toHaveProperty('errors');
    expect(processesNamed('sleep 472')).toEqual([]);
    writeRecipes(root, { 'core/long': 'FROM stagex/core-busybox AS package\n' });
    expect((await world('--for', '2d')).counts).toMatchObject({ skipped: 0, failed: 0 });
    for (const name of ['long', 'then']) rmSync(join(root, 'packages/core', name), { recursive: true });
  });

  test('Ctrl-C: what runs is cancelled, what finished is kept, nothing of ours is left, exit 130', async () => {
    writeRecipes(root, {
      'core/first': { Containerfile: 'FROM scratch AS package\nCOPY x /x\n', x: 'first' },
      'core/slow':
        'FROM stagex/core-busybox AS package\nCOPY --from=stagex/core-first . /\nRUN --network=none ["/bin/busybox", "sleep", "471"]\n',
      'core/after': 'FROM scratch AS package\nCOPY --from=stagex/core-slow . /\n',
    });
    const running = start(['world', '--ui', 'plain'], here());
    await running.saw(/core-slow started/);
    await expect.poll(() => processesNamed('sleep 471'), { timeout: 30_000 }).not.toEqual([]);
    running.interrupt();
    const finished = await running.finished;
    expect(finished.code).toBe(130);
    expect(processesNamed('sleep 471')).toEqual([]);
    const { pid } = running.child;
    expect(pid === undefined ? [] : processesOfGroup(pid)).toEqual([]);
    const plan = documentOf<{ targets: { name: string; action: string }[] }>(
      await stx(['plan', '--json'], here()),
    );
    const action = (name: string) => plan.targets.find((target) => target.name === name)?.action;
    expect([action('core-first'), action('core-slow'), action('core-after')]).toEqual([
      'hit',
      'build',
      'waiting',
    ]);
    for (const name of ['first', 'slow', 'after'])
      rmSync(join(root, 'packages/core', name), { recursive: true });
  });
});

function processesNamed(text: string): string[] {
  return processLines(['-eo', 'args']).filter((line) => line.includes(text) && !line.includes('/ps '));
}

function processesOfGroup(group: number): string[] {
  return processLines(['-eo', 'pgid,stat,args']).filter((line) => {
    const [pgid, stat] = line.trim().split(/\s+/);
    return pgid === String(group) && stat?.startsWith('Z') !== true;
  });
}

function processLines(args: readonly string[]): string[] {
  return execFileSync('ps', args, { encoding: 'utf8' }).trim().split('\n').slice(1);
}
