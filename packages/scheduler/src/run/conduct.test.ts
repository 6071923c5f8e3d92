/**
 * The conductor against a world in memory: random graphs, failures, lost workers, edits, stops. The oracle is the
 * plain rule of what each target's end must be, computed without the conductor.
 */

import type { RunEvent } from '@stx-make/core/events';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { conduct } from './conduct.ts';
import { bareTarget, graphs, options, world } from './testing/memory-world.ts';

describe('conduct', () => {
  test('random graphs, hits and failures end as the rule says, dependencies always first', async () => {
    await fc.assert(
      fc.asyncProperty(
        graphs,
        fc.nat(),
        fc.nat(),
        fc.boolean(),
        async (order, failing, hitting, keepGoing) => {
          const fails = (name: string) => (failing + name.length * 7 + Number(name.slice(1)) * 13) % 5 === 0;
          const hits = new Set(
            order.map((target) => target.name).filter((name) => (hitting + Number(name.slice(1))) % 4 === 0),
          );
          const { ports, built } = world((name) => (fails(name) ? 'failed' : 'built'), hits);
          const results = await conduct(options(order, { keepGoing }), ports, () => {});
          expect(results.size).toBe(order.length);
          const place = new Map(built.map((name, index) => [name, index]));
          for (const target of order) {
            const result = results.get(target.name)?.result;
            const needed = target.dependencies.map((name) => results.get(name)?.result);
            const open = needed.some((state) => state === 'failed' || state === 'skipped');
            if (open) expect(result).toBe('skipped');
            else if (keepGoing) {
              expect(result).toBe(hits.has(target.name) ? 'hit' : fails(target.name) ? 'failed' : 'built');
            }
            if (result !== 'built') continue;
            for (const dependency of target.dependencies) {
              if (results.get(dependency)?.result === 'built') {
                expect(place.get(dependency)).toBeLessThan(place.get(target.name) ?? -1);
              }
            }
          }
          if (!keepGoing && ![...results.values()].some((end) => end.result === 'failed')) {
            expect([...results.values()].every((end) => end.result !== 'skipped')).toBe(true);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  test('never more builds at once than places', async () => {
    const order = Array.from({ length: 40 }, (_, index) => bareTarget(`t${index}`, []));
    const { ports, concurrent } = world(() => 'built');
    await conduct(
      options(order, { workers: [{ id: 'w', jobs: 3, platforms: ['linux/amd64'] }] }),
      ports,
      () => {},
    );
    expect(concurrent.most).toBe(3);
  });

  test('a place is free when the worker has given all, and the run waits for what is then left to do', async () => {
    const order = [bareTarget('a', []), bareTarget('b', [])];
    const { ports } = world(() => 'built');
    const began: string[] = [];
    const verified = Promise.withResolvers<void>();
    const results = await conduct(
      options(order, { workers: [{ id: 'w', jobs: 1, platforms: ['linux/amd64'] }] }),
      {
        ...ports,
        build: async (attempt) => {
          began.push(attempt.target.name);
          attempt.onExported();
          // The first is verified only after the second was begun.
          if (attempt.target.name === 'b') verified.resolve();
          await verified.promise;
          return await ports.build(attempt);
        },
      },
      () => {},
    );
    expect(began).toEqual(['a', 'b']);
    expect([...results.values()].map(({ result }) => result)).toEqual(['built', 'built']);
  });

  test.each([
    ['b follows at once', false, ['a', 'b', 'c', 'd']],
    ['b must be downloaded first', true, ['a', 'c', 'd', 'b']],
  ])(
    'a place is kept for what is more urgent than what waits, for a moment: %s',
    async (_, isDownloaded, expected) => {
      const order = [bareTarget('a', []), bareTarget('b', ['a']), bareTarget('c', []), bareTarget('d', [])];
      const { ports, built } = world(() => 'built');
      const until = Promise.withResolvers<void>();
      await conduct(
        options(order, {
          workers: [{ id: 'w', jobs: 1, platforms: ['linux/amd64'] }],
          priorityOf: (name) => ({ a: 10, b: 9 })[name] ?? 1,
        }),
        {
          ...ports,
          fetch: async ({ name }) => {
            if (name === 'b' && isDownloaded) return await until.promise;
            for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
          },
          build: (attempt) => {
            attempt.onExported();
            if (attempt.target.name === 'd') until.resolve();
            return ports.build(attempt);
          },
          record: async (...args) => {
            await new Promise((resolve) => setImmediate(resolve));
            return await ports.record(...args);
          },
        },
        () => {},
      );
      expect(built).toEqual(expected);
    },
  );

  test('a lost worker costs only its builds in flight: they go to another one', async () => {
    const order = Array.from({ length: 12 }, (_, index) => bareTarget(`t${index}`, []));
    const { ports } = world((_, __, worker) => (worker === 'bad' ? 'lost' : 'built'));
    const events: string[] = [];
    const results = await conduct(
      options(order, {
        workers: [
          { id: 'bad', jobs: 2, platforms: ['linux/amd64'] },
          { id: 'good', jobs: 2, platforms: ['linux/amd64'] },
        ],
      }),
      ports,
      (event) => events.push(event.type),
    );
    expect([...results.values()].every((end) => end.result === 'built')).toBe(true);
    expect(events.filter((type) => type === 'worker-lost')).toHaveLength(1);
  });

  test('the only worker lost for good fails what waits, with a sentence; revived it goes on', async () => {
    const order = [bareTarget('a', []), bareTarget('b', ['a'])];
    let tries = 0;
    const outcome = () => {
      tries += 1;
      return tries === 1 ? 'lost' : 'built';
    };
    const dead = await conduct(options(order), world(outcome).ports, () => {});
    expect(dead.get('a')?.failure?.cause).toContain('no worker');
    tries = 0;
    const alive = await conduct(options(order), world(outcome, new Set(), true).ports, () => {});
    expect([...alive.values()].map((end) => end.result)).toEqual(['built', 'built']);
  });

  test('a target goes only where its platform can run; nowhere is said at once', async () => {
    const seen = new Map<string, string>();
    const order = [bareTarget('x', [], 'linux/386'), bareTarget('y', [], 'linux/arm64'), bareTarget('z', [])];
    const { ports } = world((name, _, worker) => {
      seen.set(name, worker);
      return 'built';
    });
    const results = await conduct(
      options(order, {
        workers: [
          { id: 'amd', jobs: 1, platforms: ['linux/amd64'] },
          { id: 'both', jobs: 1, platforms: ['linux/386', 'linux/amd64'] },
        ],
      }),
      ports,
      () => {},
    );
    expect(seen.get('x')).toBe('both');
    expect(results.get('y')?.failure?.cause).toContain('linux/arm64');
    expect(results.get('z')?.result).toBe('built');
  });

  test('a passing fault is retried, three times at most', async () => {
    const once = await conduct(
      options([bareTarget('a', [])]),
      world((_, number) => (number < 2 ? 'flaky' : 'built')).ports,
      () => {},
    );
    expect(once.get('a')?.result).toBe('built');
    const always = await conduct(options([bareTarget('a', [])]), world(() => 'flaky').ports, () => {});
    expect(always.get('a')?.result).toBe('failed');
  });

  test('edited while building: judged anew, recorded only as what was built', async () => {
    let builds = 0;
    const { ports, built } = world(() => {
      builds += 1;
      return builds === 1 ? 'edited' : 'built';
    });
    const results = await conduct(options([bareTarget('a', [])]), ports, () => {});
    expect(results.get('a')?.result).toBe('built');
    expect(built).toEqual(['a']);
    expect(builds).toBe(2);
  });

  test('stop: nothing new starts, what finished stays, the rest is skipped', async () => {
    const stop = new AbortController();
    const order = Array.from({ length: 10 }, (_, index) =>
      bareTarget(`t${index}`, index === 0 ? [] : [`t${index - 1}`]),
    );
    const { ports } = world((name) => {
      if (name === 't3') stop.abort();
      return 'built';
    });
    const events: RunEvent['type'][] = [];
    const results = await conduct(options(order, { stop: stop.signal }), ports, (event) =>
      events.push(event.type),
    );
    expect(['t0', 't1', 't2'].map((name) => results.get(name)?.result)).toEqual(['built', 'built', 'built']);
    expect(results.get('t5')?.result).toBe('skipped');
    expect(events.filter((type) => type === 'stopping')).toHaveLength(1);
  });

  test('the more urgent goes first', async () => {
    const order = ['a', 'b', 'c'].map((name) => bareTarget(name, []));
    const { ports, built } = world(() => 'built');
    await conduct(
      options(order, {
        workers: [{ id: 'w', jobs: 1, platforms: ['linux/amd64'] }],
        priorityOf: (name) => (name === 'b' ? 9 : name === 'c' ? 5 : 1),
      }),
      ports,
      () => {},
    );
    // `a` may already have started when the others became ready; among those that waited the order holds.
    expect(built.filter((name) => name !== 'a')).toEqual(['b', 'c']);
  });
});
