/** Where builds go: what workers can, have and do, against what builds need. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canRun, choose, type Needs, ReadyQueue, type Slots } from './placement.ts';

const MIB = 1024 ** 2;
const NOBODY: ReadonlySet<string> = new Set();

function slots(id: string, more: Partial<Slots> = {}): Slots {
  return {
    ...{ id, jobs: 2, platforms: new Set(['linux/amd64']), memory: null, has: NOBODY },
    ...{ used: 0, reserved: 0, lost: null },
    ...more,
  };
}

const chosen = (all: readonly Slots[], needs: Needs, avoid = NOBODY) => choose(all, needs, avoid)?.id ?? null;

describe('choose', () => {
  test('the least loaded, ties by order; never one that is full, lost or can not', () => {
    const idle = slots('idle');
    expect(chosen([slots('busy', { used: 1 }), idle], {})).toBe('idle');
    expect(chosen([slots('a'), slots('b')], {})).toBe('a');
    expect(chosen([slots('full', { used: 2 }), slots('gone', { lost: 'gone' })], {})).toBeNull();
    expect(chosen([idle], { platforms: ['linux/386'] })).toBeNull();
  });

  test('a big dependency outweighs load where it takes longer to send than to wait beside another build', () => {
    const has = slots('has', { used: 1, has: new Set(['llvm']) });
    const lacks = slots('lacks');
    const takes = new Map([['llvm', 1_024 * MIB]]);
    // 10.7 s of transfer against half of the build's own time.
    expect(chosen([lacks, has], { takes, expected: 10_000 })).toBe('has');
    expect(chosen([lacks, has], { takes, expected: 60_000 })).toBe('lacks');
    expect(chosen([lacks, has], { takes: new Map([['llvm', MIB]]), expected: 10_000 })).toBe('lacks');
  });

  test('one that could also run what is copied from other platforms is better', () => {
    const both = slots('both', { used: 1, platforms: new Set(['linux/386', 'linux/amd64']) });
    const needs = { platforms: ['linux/amd64'], likes: ['linux/386', 'linux/amd64'] };
    expect(chosen([slots('one'), both], needs)).toBe('both');
    expect(chosen([slots('one'), slots('other')], needs)).toBe('one');
  });

  test('memory: the sum of what builds are allowed stays below what the worker gives', () => {
    const worker = slots('w', { jobs: 8, memory: 10, reserved: 6 });
    expect(chosen([worker], { memory: 4 })).toBe('w');
    expect(chosen([worker], { memory: 5 })).toBeNull();
    expect(canRun(worker, { memory: 10 })).toBe(true);
    expect(canRun(worker, { memory: 11 })).toBe(false);
  });

  test('one that failed it gets it again only where nobody else could', () => {
    const bad = slots('bad');
    const avoid = new Set(['bad']);
    expect(chosen([bad, slots('good')], {}, avoid)).toBe('good');
    // The other one will be free some day.
    expect(chosen([bad, slots('good', { used: 2 })], {}, avoid)).toBeNull();
    expect(chosen([bad, slots('good', { lost: 'gone' })], {}, avoid)).toBe('bad');
    expect(chosen([bad], {}, avoid)).toBe('bad');
  });
});

test('whatever is ready and free: the most urgent that some worker can take starts, and never above a limit', () => {
  const platforms = ['p', 'q'];
  const worker = fc.record({
    jobs: fc.integer({ min: 1, max: 3 }),
    platforms: fc.subarray(platforms, { minLength: 1 }),
    memory: fc.option(fc.integer({ min: 1, max: 5 })),
  });
  const build = fc.record({
    priority: fc.nat(3),
    platforms: fc.subarray(platforms),
    memory: fc.nat(4),
  });
  fc.assert(
    fc.property(
      fc.array(worker, { minLength: 1, maxLength: 4 }),
      fc.array(build, { maxLength: 12 }),
      (w, b) => {
        const all = w.map((one, index) =>
          slots(`w${index}`, { ...one, memory: one.memory, platforms: new Set(one.platforms) }),
        );
        const queue = new ReadyQueue(all);
        const waiting = new Map(b.map((one, index) => [`b${String(index).padStart(2, '0')}`, one]));
        for (const [id, needs] of waiting) {
          queue.enqueue(async () => id, { id, priority: needs.priority, needs });
        }
        const canStart = (id: string) => {
          const needs = waiting.get(id);
          return needs !== undefined && choose(all, needs, NOBODY) !== null;
        };
        for (;;) {
          const open = [...waiting.keys()].filter(canStart);
          expect(queue.size > 0).toBe(open.length > 0);
          const most = Math.max(...open.map((id) => waiting.get(id)?.priority ?? 0));
          const run = queue.dequeue();
          if (run === undefined) break;
          const { slots: place } = queue.takePlace();
          const expected = open.filter((id) => waiting.get(id)?.priority === most).sort()[0] ?? '';
          void run().then((id) => expect(id).toBe(expected));
          waiting.delete(expected);
          expect(place.used).toBeLessThanOrEqual(place.jobs);
          if (place.memory !== null) expect(place.reserved).toBeLessThanOrEqual(place.memory);
        }
      },
    ),
    { numRuns: 300 },
  );
});
