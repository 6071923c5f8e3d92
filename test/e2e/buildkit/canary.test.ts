/** The canary on real daemons: one digest everywhere, and its words when it is another. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import {
  buildCanary,
  type CanaryResult,
  canaryProblems,
  engineOf,
} from '../../../packages/scheduler/src/buildkit/canary.ts';
import { KNOWN } from '../../../packages/scheduler/src/buildkit/canary-image.ts';
import { connectWorkers } from '../../../packages/scheduler/src/buildkit/connect.ts';
import { askDaemon, pingWorker } from '../../../packages/scheduler/src/buildkit/worker.ts';
import { statePaths } from '../../../packages/scheduler/src/paths.ts';
import { startDaemon, type TestDaemon } from '../../rig/daemon.ts';
import { Bench } from './support.ts';

const bench = await new Bench().open();
afterAll(() => bench.close());

const probe = (daemon: TestDaemon) => ({
  address: daemon.address,
  buildctl: daemon.buildctl,
  env: process.env,
  work: bench.folder,
  signal: new AbortController().signal,
  limits: {},
  goRelease: null,
});

test.each(['overlayfs', 'native'] as const)('%s, cold and warm: the known engine', async (snapshotter) => {
  const daemon = await startDaemon({ snapshotter });
  try {
    const facts = await askDaemon(daemon.address, probe(daemon));
    const cold = await buildCanary(facts, probe(daemon));
    expect(cold).toMatchObject({ layer: KNOWN.layer, diffId: KNOWN.diffId, sys: true });
    expect(await buildCanary(facts, probe(daemon))).toEqual(cold);
    expect(canaryProblems(cold, facts, daemon.address)).toEqual([]);
    expect(engineOf(cold, facts, probe(daemon)).matchesPublished).toBe(true);
  } finally {
    await daemon.stop();
  }
});

const facts = { version: 'v0.32.2', workerId: 'x', platforms: ['linux/amd64'], gc: [] };
const known = { ...KNOWN, manifest: KNOWN.layer, sys: true } as unknown as CanaryResult;

test.each([
  ['another layer, the same content', { layer: `sha256:${'1'.repeat(64)}` }, 'canary-compressor'],
  ['another content', { diffId: `sha256:${'1'.repeat(64)}` }, 'canary-content'],
  ['no /sys', { sys: false }, 'canary-rootless'],
])('%s: another engine, and why', (_name, change, code) => {
  const other = { ...known, ...change } as CanaryResult;
  const options = { limits: {}, goRelease: null };
  expect(canaryProblems(other, facts, 'unix:///x').map((problem) => problem.code)).toEqual([code]);
  expect(engineOf(other, facts, options).id).not.toBe(engineOf(known, facts, options).id);
});

test('an architecture without a probe is the same engine; another version too; cpusetcpus is not', () => {
  const options = { limits: {}, goRelease: null };
  const id = engineOf(known, facts, options).id;
  expect(engineOf({ ...known, sys: null }, facts, options).id).toBe(id);
  expect(engineOf(known, { ...facts, version: 'v0.33.0' }, options).id).toBe(id);
  expect(engineOf(known, facts, { ...options, limits: { cpusetCpus: '0' } }).id).not.toBe(id);
});

test('what a process builds like is asked once, of the next process on its socket again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'stx-engine-'));
  const address = `unix://${folder}/own.sock`;
  const root = join(folder, 'root');
  const asks = async (more: { anew?: boolean; limits?: { cpusetCpus: string } } = {}) => {
    const said: string[] = [];
    const set = await connectWorkers({
      addresses: [address],
      limits: {},
      state: statePaths(join(folder, 'state')),
      env: process.env,
      signal: new AbortController().signal,
      onActivity: (text) => void said.push(text),
      ...more,
    });
    set.close();
    expect(set.engine.matchesPublished).toBe(true);
    return said.some((text) => text.startsWith('asking'));
  };
  try {
    const one = await startDaemon({ address, root });
    try {
      const asked = [await asks(), await asks(), await asks({ anew: true }), await asks()];
      expect(asked).toEqual([true, false, true, false]);
      expect(await asks({ limits: { cpusetCpus: '0' } })).toBe(true);
    } finally {
      await one.stop({ keepRoot: true });
    }
    const next = await startDaemon({ address, root });
    try {
      expect([await asks(), await asks()]).toEqual([true, false]);
    } finally {
      await next.stop({ keepRoot: true });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('workers: one daemon under two names counts once, a dead address is a warning', async () => {
  const [one, two] = [await startDaemon(), await startDaemon()];
  try {
    const set = await connectWorkers({
      // The second is the first's socket by another spelling.
      addresses: [
        one.address,
        one.address.replace('/s.sock', '/./s.sock'),
        two.address,
        `unix://${bench.folder}/gone`,
      ],
      limits: {},
      state: statePaths(bench.folder),
      env: process.env,
      signal: new AbortController().signal,
    });
    expect(set.workers.map((worker) => worker.info.address)).toEqual([one.address, two.address]);
    expect(set.warnings.map((problem) => problem.code).sort()).toEqual([
      'worker-twice',
      'worker-unreachable',
    ]);
    expect(set.addressOf(set.workers[1]?.info.id ?? '')).toBe(two.address);
    expect(await pingWorker(two.address, { buildctl: one.buildctl, env: process.env })).toBe(true);
    await two.kill();
    expect(await pingWorker(two.address, { buildctl: one.buildctl, env: process.env })).toBe(false);
    const giveUp = AbortSignal.timeout(600);
    expect(await set.revive(set.workers[1]?.info.id ?? '', giveUp)).toBe(false);
    expect(await set.revive(set.workers[0]?.info.id ?? '', giveUp)).toBe(false);
    expect(await set.revive(set.workers[0]?.info.id ?? '', new AbortController().signal)).toBe(true);
    await set.close();
  } finally {
    await one.stop();
    await two.stop();
  }
});

test('no address answers: all of them are told', async () => {
  const connecting = connectWorkers({
    addresses: [`unix://${bench.folder}/a.sock`, 'tcp://127.0.0.1:9'],
    limits: {},
    state: statePaths(bench.folder),
    env: process.env,
    signal: new AbortController().signal,
  });
  await expect(connecting).rejects.toMatchObject({
    problems: [{ code: 'worker-unreachable' }, { code: 'worker-unreachable' }],
  });
});
