/** What builds take, read from control groups as both kernels lay them out. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type BuildUsage, cgroupFiles, LOOK_MS, newTrace, StepUsage } from './usage.ts';

let mount: string;
beforeEach(() => {
  mount = mkdtempSync(join(tmpdir(), 'stx-cgroup-'));
});
afterEach(() => rmSync(mount, { recursive: true, force: true }));

const put = (path: string, text: string): void => {
  mkdirSync(dirname(join(mount, path)), { recursive: true });
  writeFileSync(join(mount, path), text);
};
const MIB = 1024 * 1024;

interface Layout {
  readonly root: () => void;
  readonly step: (id: string, pid: number, cpuMs: number, memory: number) => void;
  readonly remove: (id: string) => void;
}

const PARENT = 'stx-make-x/buildkit';
const V2: Layout = {
  root: () => put('cgroup.controllers', 'cpu memory'),
  step: (id, pid, cpuMs, memory) => {
    put(`${PARENT}/${id}/cgroup.procs`, `${pid}\n`);
    put(`${PARENT}/${id}/cpu.stat`, `usage_usec ${cpuMs * 1000}\nuser_usec 1\n`);
    put(`${PARENT}/${id}/memory.stat`, `anon ${memory - 1}\nfile 999999999\nshmem 1\n`);
  },
  remove: (id) => rmSync(join(mount, PARENT, id), { recursive: true }),
};
const v1 = (cpu: string): Layout => ({
  root: () => put(`${cpu}/cpuacct.usage`, '1\n'),
  step: (id, pid, cpuMs, memory) => {
    put(`${cpu}/${PARENT}/${id}/cgroup.procs`, `${pid}\n`);
    put(`${cpu}/${PARENT}/${id}/cpuacct.usage`, `${cpuMs * 1_000_000}\n`);
    put(`memory/${PARENT}/${id}/memory.stat`, `rss 7\ncache 99999\ntotal_rss ${memory - 1}\ntotal_shmem 1\n`);
  },
  remove: (id) => {
    rmSync(join(mount, cpu, PARENT, id), { recursive: true });
    rmSync(join(mount, 'memory', PARENT, id), { recursive: true });
  },
});

/** Two builds are watched; time goes on by looking. */
function watching(environments: Record<string, string>) {
  const files = cgroupFiles(mount, [PARENT, 'buildkit']);
  if (files === null) throw new Error('no hierarchy');
  let now = 0;
  let timers = 0;
  let tick = (): void => {};
  const usage = new StepUsage({
    files,
    environment: (pid) => environments[pid] ?? null,
    clock: () => now,
    every: (ms, callback) => {
      expect(ms).toBe(LOOK_MS);
      timers++;
      tick = callback;
      return () => timers--;
    },
  });
  return {
    usage,
    timers: () => timers,
    look: () => {
      now += LOOK_MS;
      tick();
    },
  };
}

test.each([
  ['version 2', V2],
  ['version 1', v1('cpuacct')],
  ['version 1, CPU mounted together', v1('cpu,cpuacct')],
])('%s: steps count for the build whose trace they carry', (_name, layout) => {
  layout.root();
  const [one, two, other] = [newTrace(), newTrace(), newTrace()];
  const at = watching({
    11: `PATH=/bin\0TRACEPARENT=${one.parent}\0HOME=/`,
    12: `TRACEPARENT=${one.parent}`,
    21: `A=TRACEPARENT=${one.parent}\0TRACEPARENT=${two.parent}`,
    31: `TRACEPARENT=${other.parent}`,
  });
  const told: Record<string, BuildUsage[]> = { one: [], two: [] };
  const endOne = at.usage.watch(one.id, (taken) => told['one']?.push(taken));
  const endTwo = at.usage.watch(two.id, (taken) => told['two']?.push(taken));
  at.look();
  expect(told).toEqual({ one: [], two: [] });
  layout.step('a', 11, 1_000, 30 * MIB);
  layout.step('b', 12, 3_000, 10 * MIB);
  layout.step('c', 21, 500, 5 * MIB);
  layout.step('d', 31, 9_000, 99 * MIB);
  layout.step('just made', 99, 1, 1);
  at.look();
  expect(told['one']).toEqual([{ cores: 2, memory: 40 * MIB, cpu: 4_000, peak: 40 * MIB }]);
  expect(told['two']).toEqual([{ cores: 0.25, memory: 5 * MIB, cpu: 500, peak: 5 * MIB }]);
  // Two goes on as it did: nothing new to say. A step of one has ended.
  layout.remove('a');
  layout.step('b', 12, 3_200, 10 * MIB);
  layout.step('c', 21, 1_010, 5 * MIB + 1);
  at.look();
  expect(told['one']?.at(-1)).toEqual({ cores: 0.1, memory: 10 * MIB, cpu: 4_200, peak: 40 * MIB });
  expect(told['two']).toHaveLength(1);
  // At its end the sums are said, and that nothing is taken any more.
  endTwo();
  expect(told['two']?.at(-1)).toEqual({ cores: 0, memory: 0, cpu: 1_010, peak: 5 * MIB + 1 });
  expect(at.timers()).toBe(1);
  endOne();
  expect(at.timers()).toBe(0);
});

test('where there is nothing to be known nothing is said', () => {
  expect(cgroupFiles(mount, [PARENT])).toBeNull();
  V2.root();
  const at = watching({});
  const told: BuildUsage[] = [];
  const trace = newTrace();
  const end = at.usage.watch(trace.id, (taken) => told.push(taken));
  // Its environment may not be read.
  V2.step('a', 11, 1_000, MIB);
  at.look();
  end();
  expect(told).toEqual([]);
});
