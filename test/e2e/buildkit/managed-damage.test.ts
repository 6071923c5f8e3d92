/** The managed BuildKit with its root damaged in every way: discarded, begun anew, and it builds. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { connectWorkers } from '../../../packages/scheduler/src/buildkit/connect.ts';
import { managedStatus, stopManaged } from '../../../packages/scheduler/src/buildkit/managed.ts';
import { statePaths } from '../../../packages/scheduler/src/paths.ts';
import { ensure, memoryOf, ping, programs, States } from './managed-support.ts';
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

test('a root whose files in memory are gone, or that is damaged, is discarded', async () => {
  const state = states.add('damage');
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
  const state = states.add('sick');
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
  const state = states.add('other');
  const bin = join(states.folder, 'bin');
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
  const state = states.add(`späces, co:lon "quote" %zz #x ${'long/'.repeat(20)}end`);
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
  const bin = join(states.folder, 'broken');
  mkdirSync(bin);
  cpSync(programs.buildctl, join(bin, 'buildctl'));
  writeFileSync(join(bin, 'buildkitd'), '#!/bin/sh\necho "no such luck" >&2\nexit 9\n', { mode: 0o755 });
  await expect(ensure(states.add('broken'), { STX_MAKE_BUILDKIT_BIN: bin })).rejects.toMatchObject({
    problems: [{ code: 'daemon-start', tag: 'environment', text: expect.stringContaining('no such luck') }],
  });
});
