/** The managed daemon, for real: started once, held, lost, left alone, killed. Needs root. */
import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { connectWorkers } from '../../../packages/scheduler/src/buildkit/connect.ts';
import { sleeper } from '../../../packages/scheduler/src/buildkit/elf.ts';
import {
  ensureManaged,
  type ManagedDaemon,
  managedStatus,
  stopManaged,
} from '../../../packages/scheduler/src/buildkit/managed.ts';
import { pingWorker } from '../../../packages/scheduler/src/buildkit/worker.ts';
import { shortName, statePaths } from '../../../packages/scheduler/src/paths.ts';
import { findBuildKit } from '../../../packages/scheduler/src/process/find.ts';
import {
  descendants,
  isAlive,
  type ProcessId,
  processId,
} from '../../../packages/scheduler/src/process/tree.ts';
import { Bench, signalled } from './support.ts';

const programs = findBuildKit(process.env);
const folder = mkdtempSync(join(tmpdir(), 'stx-managed-'));
const states: string[] = [];
let bench: Bench;
beforeAll(async () => {
  bench = await new Bench().open();
});
afterEach(async () => {
  for (const state of states.splice(0)) {
    await stopManaged(state);
    for (const name of memoryOf(state)) rmSync(join('/dev/shm', name), { recursive: true, force: true });
    rmSync(state, { recursive: true, force: true });
  }
});
afterAll(() => {
  bench.close();
  rmSync(folder, { recursive: true, force: true });
});

function newState(name: string): string {
  const state = join(folder, name);
  states.push(state);
  return state;
}

const ensure = (state: string, env: NodeJS.ProcessEnv = {}): Promise<ManagedDaemon> =>
  ensureManaged({ state, env: { ...process.env, ...env }, signal: new AbortController().signal });

const ping = (address: string) => pingWorker(address, { buildctl: programs.buildctl, env: process.env });

/** Supervisor and all below it. */
async function processesOf(state: string): Promise<ProcessId[]> {
  const { pid } = await managedStatus(state);
  const own = pid === null ? null : processId(pid);
  return own === null ? [] : [own, ...descendants(own.pid)];
}

/** Folders in memory of this state's daemon, by their owner. */
function memoryOf(state: string): string[] {
  return readdirSync('/dev/shm').filter((name) => {
    const owner = join('/dev/shm', name, 'owner.json');
    return existsSync(owner) && readFileSync(owner, 'utf8').includes(JSON.stringify(join(state, 'daemon')));
  });
}

/** Runs a step that never ends on the daemon; resolves when it runs. `build` is wrapped: an async function would
 * await it. */
async function busy(address: string): Promise<{ readonly build: Promise<unknown> }> {
  const up = signalled();
  const request = bench.request(
    {
      Containerfile: 'FROM scratch\nCOPY sleeper /\nRUN --network=none ["/sleeper"]\n',
      sleeper: { bytes: sleeper(), mode: 0o755 },
    },
    { cache: 'none' },
  );
  const result = bench.build(request, address, programs.buildctl, {
    onStep: (step) => {
      if (step.type === 'started' && step.name.includes('RUN')) up.fire();
    },
  });
  await Promise.race([up.promise, result]);
  return { build: result };
}

const commandOf = (id: ProcessId) => {
  try {
    return readFileSync(`/proc/${id.pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
  } catch {
    return '';
  }
};

test('starts one for all who ask at once, and tells of it', async () => {
  const state = newState('many');
  const held = await Promise.all([ensure(state), ensure(state), ensure(state)]);
  expect(new Set(held.map((daemon) => daemon.instance())).size).toBe(1);
  expect(await ping(held[0]?.address ?? '')).toBe(true);
  const status = await managedStatus(state);
  expect(status).toMatchObject({ running: true, clients: [process.pid, process.pid, process.pid] });
  expect(status.version).toMatch(/^v0\./);
  const supervisors = (await processesOf(state)).filter((id) => commandOf(id).includes('main.ts'));
  expect(supervisors).toHaveLength(1);
  for (const daemon of held) daemon.close();
  await expect.poll(async () => (await managedStatus(state)).clients).toEqual([]);
  expect(await stopManaged(state)).toBe(true);
  expect(await managedStatus(state)).toMatchObject({ running: false, pid: null });
  expect(await stopManaged(state)).toBe(false);
});

test('it is in a session of its own, its metadata in memory, and a second start is warm', async () => {
  const state = newState('warm');
  const daemon = await ensure(state);
  const { pid } = await managedStatus(state);
  const session = readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[5];
  expect(session).toBe(String(pid));
  expect(memoryOf(state)).toHaveLength(1);
  const id = readFileSync(join(daemon.root, 'runc-overlayfs', 'workerid'), 'utf8');
  daemon.close();
  await stopManaged(state);
  const again = await ensure(state);
  expect(readFileSync(join(again.root, 'runc-overlayfs', 'workerid'), 'utf8')).toBe(id);
  expect(again.instance()).not.toBe(daemon.instance());
  again.close();
});

test('kill -9 of the supervisor in the middle of a step leaves nothing', async () => {
  const state = newState('killed');
  const daemon = await ensure(state);
  const { build } = await busy(daemon.address);
  await expect
    .poll(async () => (await processesOf(state)).map(commandOf).some((line) => line.includes('/sleeper')))
    .toBe(true);
  const all = await processesOf(state);
  expect(
    all.map(commandOf).filter((line) => line.startsWith('runc') || line.includes('buildkitd')).length,
  ).toBeGreaterThan(0);
  const killed = performance.now();
  const { pid } = await managedStatus(state);
  if (pid === null) throw new Error('no supervisor');
  process.kill(pid, 'SIGKILL');
  await expect.poll(() => all.filter(isAlive).map(commandOf), { interval: 5 }).toEqual([]);
  expect(performance.now() - killed).toBeLessThan(5_000);
  expect(readFileSync('/proc/mounts', 'utf8')).not.toContain(state);
  expect(existsSync('/run/runc') ? readdirSync('/run/runc') : []).toEqual([]);
  // Its groups, empty now, are all that is left; the next start and every end remove them.
  const groups = () =>
    readdirSync('/sys/fs/cgroup')
      .flatMap((name) => [
        name,
        ...(statSync(`/sys/fs/cgroup/${name}`).isDirectory() ? readdirSync(`/sys/fs/cgroup/${name}`) : []),
      ])
      .filter((name) => name.includes(shortName(join(state, 'daemon'))));
  expect(await build).toMatchObject({ status: 'failed', retry: 'elsewhere' });
  // And the next run has one again, with the cache of the killed one.
  const next = await ensure(state);
  expect(await ping(next.address)).toBe(true);
  next.close();
  daemon.close();
  await stopManaged(state);
  expect(groups()).toEqual([]);
});

test('kill -9 of a run frees its lease; idle, the daemon ends by itself', async () => {
  const state = newState('lease');
  const holder = spawn(process.execPath, [fileURLToPath(new URL('holder.ts', import.meta.url)), state], {
    env: { ...process.env, STX_MAKE_DAEMON_IDLE: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  expect(JSON.parse(await firstChunk(holder.stdout))).toHaveProperty('address');
  const all = await processesOf(state);
  expect(all.length).toBeGreaterThan(2);
  holder.kill('SIGKILL');
  await expect.poll(() => all.filter(isAlive), { timeout: 10_000 }).toEqual([]);
  expect((await managedStatus(state)).running).toBe(false);
});

async function firstChunk(stream: AsyncIterable<Buffer>): Promise<string> {
  for await (const chunk of stream) return chunk.toString();
  return '';
}

test('where /dev/shm is small, the metadata lies in a tmpfs of our own, and goes with the state', async () => {
  const state = newState('small shm');
  const holder = fileURLToPath(new URL('holder.ts', import.meta.url));
  const child = spawn(
    'unshare',
    [
      '--mount',
      'sh',
      '-c',
      'mount -t tmpfs -o size=64m tmpfs /dev/shm && exec "$@"',
      'sh',
      process.execPath,
      holder,
      state,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const { address } = JSON.parse(await firstChunk(child.stdout));
  const link = readlinkSync(join(state, 'daemon', 'root', 'cache.db'));
  expect(link).toMatch(/^\/run\/stx-make-0-[0-9a-f]+\/cache\.db$/);
  const all = await processesOf(state);
  expect(readFileSync(`/proc/${all[0]?.pid}/mounts`, 'utf8')).toContain(`${dirname(link)} tmpfs`);
  expect((await managedStatus(state)).inMemory).toBe(true);
  expect(await ping(address)).toBe(true);
  rmSync(state, { recursive: true, force: true });
  await expect.poll(() => all.filter(isAlive), { timeout: 10_000 }).toEqual([]);
  expect(existsSync(dirname(link))).toBe(false);
  child.kill('SIGKILL');
});

test('it ends when its state folder is removed, and takes its memory along', async () => {
  const state = newState('removed');
  const daemon = await ensure(state);
  const all = await processesOf(state);
  expect(memoryOf(state)).toHaveLength(1);
  // Removed while it writes there: what it makes anew in between is removed too.
  const doomed = `${state}.doomed`;
  renameSync(state, doomed);
  rmSync(doomed, { recursive: true, force: true });
  await expect.poll(() => all.filter(isAlive), { timeout: 10_000 }).toEqual([]);
  expect(memoryOf(state)).toEqual([]);
  daemon.close();
});

test('a buildkitd that dies is started again with its cache, and the run told', async () => {
  const state = newState('crash');
  const daemon = await ensure(state);
  const before = daemon.instance();
  const { build } = await busy(daemon.address);
  const inner = (await processesOf(state)).find((id) => commandOf(id).startsWith(programs.buildkitd ?? '?'));
  if (inner === undefined) throw new Error('no buildkitd');
  process.kill(inner.pid, 'SIGKILL');
  expect(await build).toMatchObject({ status: 'failed', retry: 'elsewhere' });
  expect(await daemon.ready(new AbortController().signal)).toBe(true);
  expect(daemon.instance()).not.toBe(before);
  expect(await ping(daemon.address)).toBe(true);
  daemon.close();
});

test('a root whose files in memory are gone, or that is damaged, is discarded', async () => {
  const state = newState('damage');
  const first = await ensure(state);
  const workerId = () => readFileSync(join(state, 'daemon', 'root', 'runc-overlayfs', 'workerid'), 'utf8');
  const one = workerId();
  first.close();
  await stopManaged(state);
  for (const name of memoryOf(state)) rmSync(join('/dev/shm', name), { recursive: true });
  const second = await ensure(state);
  const two = workerId();
  expect(two).not.toBe(one);
  second.close();
  await stopManaged(state);
  // It can not start with this.
  const [memory] = memoryOf(state);
  writeFileSync(
    join('/dev/shm', memory ?? '', 'runc-overlayfs--containerdmeta.db'),
    'no database'.repeat(1000),
  );
  const third = await ensure(state);
  expect(workerId()).not.toBe(two);
  expect(await ping(third.address)).toBe(true);
  third.close();
});

test('a root that starts but does not build is discarded too', async () => {
  const state = newState('sick');
  const connect = () =>
    connectWorkers({
      addresses: [],
      limits: {},
      state: statePaths(state),
      env: process.env,
      signal: new AbortController().signal,
    });
  const first = await connect();
  expect(first.engine).toMatchObject({
    matchesPublished: true,
    goRelease: expect.stringMatching(/^go1\.2[56]/),
  });
  await first.close();
  await stopManaged(state);
  // A file where BuildKit needs a folder, which it finds out only when it builds.
  const content = join(state, 'daemon', 'root', 'runc-overlayfs', 'content');
  rmSync(content, { recursive: true, force: true });
  writeFileSync(content, 'no folder');
  const second = await connect();
  expect(second.engine).toEqual(first.engine);
  expect(second.workers[0]?.info.id).not.toBe(first.workers[0]?.info.id);
  await second.close();
});

test('another buildkitd makes the one nobody uses give way', async () => {
  const state = newState('other');
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  for (const program of [programs.buildctl, programs.buildkitd ?? ''])
    cpSync(program, join(bin, program.split('/').at(-1) ?? ''));
  const first = await ensure(state);
  const held = await ensure(state, { STX_MAKE_BUILDKIT_BIN: bin });
  expect(held.instance()).toBe(first.instance());
  expect(held.warnings.map((problem) => problem.code)).toEqual(['daemon-other-buildkit']);
  first.close();
  held.close();
  await expect.poll(async () => (await managedStatus(state)).clients).toEqual([]);
  const second = await ensure(state, { STX_MAKE_BUILDKIT_BIN: bin });
  expect(second.instance()).not.toBe(first.instance());
  expect(second.buildkitd).toBe(join(bin, 'buildkitd'));
  expect(second.warnings).toEqual([]);
  second.close();
});

test('a state folder with a long, strange name builds all the same', async () => {
  const state = newState(`späces, co:lon "quote" %zz #x ${'long/'.repeat(20)}end`);
  const daemon = await ensure(state);
  const made = await bench.build(
    bench.request({
      Containerfile: 'FROM scratch\nCOPY a.txt /\nCOPY b.txt /\n',
      'a.txt': 'a',
      'b.txt': 'b',
    }),
    daemon.address,
    programs.buildctl,
  );
  expect(made.status).toBe('exported');
  daemon.close();
});

test('a buildkitd that can not run is a problem, not a wait', async () => {
  const bin = join(folder, 'broken');
  mkdirSync(bin);
  cpSync(programs.buildctl, join(bin, 'buildctl'));
  writeFileSync(join(bin, 'buildkitd'), '#!/bin/sh\necho "no such luck" >&2\nexit 9\n', { mode: 0o755 });
  await expect(ensure(newState('broken'), { STX_MAKE_BUILDKIT_BIN: bin })).rejects.toMatchObject({
    problems: [{ code: 'daemon-start', tag: 'environment', text: expect.stringContaining('no such luck') }],
  });
});
