/** The managed daemon, for real: started once, held, lost, left alone, killed. Needs root. */
import { spawn } from 'node:child_process';
import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { managedStatus, stopManaged } from '../../../packages/scheduler/src/buildkit/managed.ts';
import { askDaemon } from '../../../packages/scheduler/src/buildkit/worker.ts';
import { shortName } from '../../../packages/scheduler/src/paths.ts';
import { isAlive } from '../../../packages/scheduler/src/process/tree.ts';
import { busy, commandOf, ensure, memoryOf, ping, processesOf, programs, States } from './managed-support.ts';
import { Bench } from './support.ts';

const states = new States();
let bench: Bench;
beforeAll(async () => {
  bench = await new Bench().open();
});
afterEach(() => states.clean());
afterAll(() => {
  bench.close();
  states.close();
});

test('starts one for all who ask at once, and tells of it', async () => {
  const state = states.add('many');
  const held = await Promise.all([ensure(state), ensure(state), ensure(state)]);
  expect(new Set(held.map((daemon) => daemon.instance())).size).toBe(1);
  expect(await ping(held[0]?.address ?? '')).toBe(true);
  // A tenth of the disk stays free, at most six tenths of what was free are used, nothing goes by its age.
  const { gc } = await askDaemon(held[0]?.address ?? '', { buildctl: programs.buildctl, env: process.env });
  const disk = statfsSync(state);
  expect(gc.length).toBeGreaterThan(0);
  for (const rule of gc) {
    expect(rule.keepSeconds).toBe(0);
    expect(rule.minFreeSpace / (disk.blocks * disk.bsize)).toBeCloseTo(0.1, 2);
    expect(rule.maxUsedSpace / (disk.bavail * disk.bsize)).toBeCloseTo(0.6, 1);
  }
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
  const state = states.add('warm');
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
  const state = states.add('killed');
  const daemon = await ensure(state);
  const { build } = await busy(bench, daemon.address);
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
  const state = states.add('lease');
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
  const state = states.add('small shm');
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
  const state = states.add('removed');
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
  const state = states.add('crash');
  const daemon = await ensure(state);
  const before = daemon.instance();
  const { build } = await busy(bench, daemon.address);
  const inner = (await processesOf(state)).find((id) => commandOf(id).startsWith(programs.buildkitd ?? '?'));
  if (inner === undefined) throw new Error('no buildkitd');
  process.kill(inner.pid, 'SIGKILL');
  expect(await build).toMatchObject({ status: 'failed', retry: 'elsewhere' });
  expect(await daemon.ready(new AbortController().signal)).toBe(true);
  expect(daemon.instance()).not.toBe(before);
  expect(await ping(daemon.address)).toBe(true);
  daemon.close();
});
