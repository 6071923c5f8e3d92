/** One build against a real daemon: what it gives, what it refuses, how it is ended. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmdirSync, statfsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCheck } from '../../../packages/scheduler/src/buildkit/build.ts';
import { sleeper, stepProbe } from '../../../packages/scheduler/src/buildkit/elf.ts';
import type { StepEvent } from '../../../packages/scheduler/src/buildkit/model.ts';
import { askDaemon } from '../../../packages/scheduler/src/buildkit/worker.ts';
import { descendants } from '../../../packages/scheduler/src/process/tree.ts';
import { startDaemon, type TestDaemon } from '../../rig/daemon.ts';
import { Bench, signalled } from './support.ts';

let daemon: TestDaemon;
let bench: Bench;
beforeAll(async () => {
  daemon = await startDaemon();
  bench = await new Bench().open();
});
afterAll(async () => {
  bench.close();
  await daemon.stop();
});

const waiting = { bytes: sleeper(), mode: 0o755 };
const WAITS = 'FROM scratch\nCOPY sleeper /\nRUN --network=none ["/sleeper"]\n';

test('a build gives a nested index, the same again, in other folders and without the cache', async () => {
  const files = { Containerfile: 'FROM scratch\nCOPY a.txt /\n', 'a.txt': 'hello\n' };
  const first = await bench.build(bench.request(files), daemon.address, daemon.buildctl);
  if (first.status !== 'exported') throw new Error(JSON.stringify(first));
  const manifest = bench.manifestOf(first.digest);
  expect(bench.layersOf(manifest)).toHaveLength(1);
  for (const cache of ['cache', 'none'] as const) {
    expect(await bench.build(bench.request(files, { cache }), daemon.address, daemon.buildctl)).toEqual(
      first,
    );
  }
});

test('a dependency is found under every way to write its name, and nothing is asked of a registry', async () => {
  const made = await bench.build(
    bench.request({ Containerfile: 'FROM scratch\nCOPY a.txt /\n', 'a.txt': 'dependency\n' }),
    daemon.address,
    daemon.buildctl,
  );
  if (made.status !== 'exported') throw new Error(JSON.stringify(made));
  const digest = bench.manifestOf(made.digest);
  for (const name of [
    'stagex/core-d',
    'stagex/core-d:latest',
    'docker.io/stagex/core-d',
    'docker.io/stagex/core-d:latest',
    'index.docker.io/stagex/core-d',
  ]) {
    for (const Containerfile of [
      `FROM ${name}\nCOPY b.txt /\n`,
      `FROM scratch\nCOPY --from=${name} . /\n`,
      `FROM scratch\nCOPY probe /\nRUN --network=none --mount=from=${name},target=/x ["/probe"]\n`,
    ]) {
      const request = bench.request(
        { Containerfile, 'b.txt': 'b\n', probe: { bytes: stepProbe(), mode: 0o755 } },
        { dependencies: [{ name, digest }] },
      );
      expect(await bench.build(request, daemon.address, daemon.buildctl), Containerfile).toMatchObject({
        status: 'exported',
      });
    }
  }
});

test('what is no dependency is refused, not pulled', async () => {
  const request = bench.request({ Containerfile: 'FROM scratch\n\nCOPY --from=stagex/core-gone . /\n' });
  expect(await bench.build(request, daemon.address, daemon.buildctl)).toMatchObject({
    status: 'failed',
    retry: 'no',
    failure: { kind: 'input', file: 'Containerfile', line: 3 },
  });
});

test('two recipes with sources of one name, size and mtime get their own bytes', async () => {
  const layers = new Set<string>();
  for (const [recipe, bytes] of [
    ['core/one', '11111\n'],
    ['core/two', '22222\n'],
  ] as const) {
    const request = bench.request(
      { Containerfile: 'FROM scratch\nCOPY --from=fetch source.txt /\n' },
      { recipe, fetchDir: bench.write({ 'source.txt': bytes }) },
    );
    const made = await bench.build(request, daemon.address, daemon.buildctl);
    if (made.status !== 'exported') throw new Error(JSON.stringify(made));
    for (const layer of bench.layersOf(bench.manifestOf(made.digest))) layers.add(layer);
  }
  expect(layers.size).toBe(2);
});

test('a syntax line is ignored: the frontend is the daemon’s own', async () => {
  const request = bench.request({
    Containerfile: '# syntax=docker.io/nobody/nothing:1\nFROM scratch\nCOPY a.txt /\n',
    'a.txt': 'x',
  });
  expect((await bench.build(request, daemon.address, daemon.buildctl)).status).toBe('exported');
});

test('a failing step: place, code, output, log', async () => {
  const logFile = join(bench.folder, 'failing log');
  const request = bench.request({
    Containerfile: 'FROM scratch AS build\nCOPY a.txt /\nRUN --network=none \\\n  ["/a.txt"]\n',
    'a.txt': 'no program\n',
  });
  const steps: StepEvent[] = [];
  const made = await bench.build(request, daemon.address, daemon.buildctl, {
    logFile,
    onStep: (s) => steps.push(s),
  });
  expect(made).toMatchObject({
    status: 'failed',
    retry: 'no',
    failure: { kind: 'build', exitCode: 1, file: 'Containerfile', line: 3, logFile },
  });
  if (made.status !== 'failed') throw new Error('built');
  expect(made.failure.cause).toContain('permission denied');
  expect(made.failure.step).toContain('RUN --network=none');
  expect(readFileSync(logFile, 'utf8')).toContain('permission denied');
  expect(steps.some((step) => step.type === 'finished' && step.error !== null)).toBe(true);
});

/** Builds the step that never ends; resolves `up` when it runs. */
function neverEnding(address: string, signal?: AbortSignal) {
  const up = signalled();
  const request = bench.request({ Containerfile: WAITS, sleeper: waiting }, { cache: 'none' });
  const result = bench.build(request, address, daemon.buildctl, {
    ...(signal === undefined ? {} : { signal }),
    onStep: (step) => {
      if (step.type === 'started' && step.name.includes('RUN')) up.fire();
    },
  });
  return { up: up.promise, result };
}

/** Programs below the daemon, by command line. */
function below(pid: number): string[] {
  return descendants(pid).flatMap(({ pid: child }) => {
    try {
      return [readFileSync(`/proc/${child}/cmdline`, 'latin1').replaceAll('\0', ' ')];
    } catch {
      return [];
    }
  });
}

test('an aborted build is cancelled and its step is gone', async () => {
  const stop = new AbortController();
  const { up, result } = neverEnding(daemon.address, stop.signal);
  await up;
  await expect.poll(() => below(daemon.pid).some((line) => line.includes('/sleeper'))).toBe(true);
  stop.abort();
  expect(await result).toEqual({ status: 'cancelled' });
  await expect.poll(() => below(daemon.pid).filter((line) => /sleeper|runc/.test(line))).toEqual([]);
  expect(descendants(process.pid).length).toBeGreaterThan(0);
  expect(below(process.pid).filter((line) => line.includes('buildctl'))).toEqual([]);
});

test('a signal that is aborted before starts nothing', async () => {
  const { result } = neverEnding(daemon.address, AbortSignal.abort());
  expect(await result).toEqual({ status: 'cancelled' });
});

test('a daemon killed midway is lost, not a failed build', async () => {
  const other = await startDaemon();
  const { up, result } = neverEnding(other.address);
  await up;
  await other.kill();
  expect(await result).toMatchObject({
    status: 'failed',
    retry: 'elsewhere',
    failure: { kind: 'infrastructure' },
  });
  await other.stop();
});

test('an address where nobody listens', async () => {
  const request = bench.request({ Containerfile: 'FROM scratch\n' });
  expect(await bench.build(request, `unix://${bench.folder}/none.sock`, daemon.buildctl)).toMatchObject({
    status: 'failed',
    retry: 'elsewhere',
  });
});

test('an address where somebody listens and says nothing', async () => {
  const socket = join(bench.folder, 'silent.sock');
  const server = createServer(() => undefined).listen(socket);
  await once(server, 'listening');
  const asking = askDaemon(`unix://${socket}`, {
    buildctl: daemon.buildctl,
    env: process.env,
    timeoutMs: 400,
  });
  await expect(asking).rejects.toMatchObject({
    problems: [{ code: 'worker-unreachable', text: expect.stringContaining('no answer within 0.4 s') }],
  });
  server.close();
});

test('a step that fails on a full disk is trouble of the machine', async () => {
  const root = mkdtempSync(join(tmpdir(), 'stx-full-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=40m', 'tmpfs', root]);
  const other = await startDaemon({ root: join(root, 'root'), snapshotter: 'native' });
  try {
    const request = bench.request({
      Containerfile: 'FROM scratch\nCOPY a.txt /\nRUN --network=none ["/a.txt"]\n',
      'a.txt': '',
    });
    const build = () => bench.build(request, other.address, daemon.buildctl, { daemonRoot: root });
    expect(await build()).toMatchObject({
      status: 'failed',
      retry: 'no',
      failure: { kind: 'build', exitCode: 1 },
    });
    const { bavail, bsize } = statfsSync(root);
    writeFileSync(join(root, 'rest'), Buffer.alloc(bavail * bsize - 200_000));
    expect(await build()).toMatchObject({
      status: 'failed',
      retry: 'here',
      failure: { kind: 'infrastructure', exitCode: 1, hint: expect.stringContaining('is full') },
    });
  } finally {
    await other.stop();
    execFileSync('umount', [root]);
    rmdirSync(root);
  }
});

test('a missing buildctl is a value too', async () => {
  const request = bench.request({ Containerfile: 'FROM scratch\n' });
  expect(await bench.build(request, daemon.address, join(bench.folder, 'nothing'))).toMatchObject({
    status: 'failed',
    retry: 'no',
    failure: { kind: 'infrastructure' },
  });
});

test('folders with spaces, commas and quotes', async () => {
  const folder = join(bench.folder, 'ex, "port" ü');
  const place = { kind: 'folder', folder, metadataFile: join(bench.folder, 'meta, "data"') } as const;
  const request = bench.request({ Containerfile: 'FROM scratch\nCOPY a.txt /\n', 'a.txt': 'x' });
  expect((await bench.build(request, daemon.address, daemon.buildctl, { export: place })).status).toBe(
    'exported',
  );
  expect(readFileSync(join(folder, 'index.json'), 'utf8')).toContain('manifests');
});

test('BuildKit’s own lint', async () => {
  const check = async (Containerfile: string) =>
    await runCheck(bench.request({ Containerfile, 'a.txt': 'x' }), {
      address: daemon.address,
      buildctl: daemon.buildctl,
      env: process.env,
      policyFile: bench.policyFile,
      logFile: join(bench.folder, 'check log'),
      signal: new AbortController().signal,
    });
  expect(await check('FROM scratch AS a\nCOPY a.txt /\n')).toMatchObject({ ok: true, failure: null });
  const found = await check('FROM scratch as a\nCOPY a.txt /\n');
  expect(found.ok).toBe(false);
  expect(found.text).toContain('FromAsCasing');
});
