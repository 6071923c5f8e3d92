/**
 * A run that is steered: pauses, retries of what failed, a stop in between; and what is asked too early or too late.
 */
import type { RunEvent } from '@stx-make/core/events';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { conduct } from './conduct.ts';
import type { Emit } from './ports.ts';
import { type Steered, Steering } from './steering.ts';
import { bareTarget, graphs, options, world } from './testing/memory-world.ts';

const abc = () => [bareTarget('a', []), bareTarget('b', ['a']), bareTarget('c', ['b'])];

test('a failed target is tried again, of the tree as it is then, and with it what was skipped', async () => {
  let broken = true;
  // Holds the run open: what failed can be retried only while something else is still to come.
  const other = Promise.withResolvers<void>();
  const { ports } = world((name) => (name === 'a' && broken ? 'failed' : 'built'));
  const events: string[] = [];
  let steered: Steered | undefined;
  let reloads = 0;
  const results = await conduct(
    options([...abc(), bareTarget('x', [])], {
      onBegun: (given) => {
        steered = given;
      },
    }),
    {
      ...ports,
      reload: async () => {
        reloads += 1;
      },
      build: async (attempt) => {
        if (attempt.target.name === 'x') await other.promise;
        return ports.build(attempt);
      },
    },
    (event) => {
      events.push('target' in event ? `${event.type} ${event.target}` : event.type);
      if (event.type === 'target-skipped' && event.target === 'c') {
        broken = false;
        queueMicrotask(() => {
          expect(steered?.retry('b')).toBe('b has not failed');
          expect(steered?.retry('nothing')).toBe('nothing is not part of this run');
          expect(steered?.retry('a')).toBeNull();
          expect(steered?.retry('a')).toBe('a has not failed');
        });
      }
      if (event.type === 'target-finished' && event.target === 'c') other.resolve();
    },
  );
  expect([...results.values()].map(({ result }) => result)).toEqual(['built', 'built', 'built', 'built']);
  expect(reloads).toBe(1);
  const of = (name: string): string[] => events.filter((event) => event.endsWith(` ${name}`));
  expect(of('b').slice(0, 3)).toEqual(['target-skipped b', 'target-waiting b', 'target-ready b']);
  expect(of('a').slice(-4)).toEqual([
    'target-retry a',
    'target-ready a',
    'target-started a',
    'target-finished a',
  ]);
  expect(steered?.retry('a')).toBe('a has not failed');
});

test('without --keep-going a retry lifts what the failure ended, while something still runs', async () => {
  let broken = true;
  const other = Promise.withResolvers<void>();
  const { ports } = world((name) => (name === 'a' && broken ? 'failed' : 'built'));
  const types: string[] = [];
  let steered: Steered | undefined;
  const results = await conduct(
    options([...abc(), bareTarget('x', []), bareTarget('y', ['x'])], {
      keepGoing: false,
      onBegun: (given) => {
        steered = given;
      },
    }),
    {
      ...ports,
      build: async (attempt) => {
        if (attempt.target.name === 'x') await other.promise;
        return ports.build(attempt);
      },
    },
    (event) => {
      types.push(event.type);
      if (event.type !== 'stopping') return;
      broken = false;
      setImmediate(() => {
        expect(steered?.retry('a')).toBeNull();
        other.resolve();
      });
    },
  );
  expect([...results.values()].every(({ result }) => result === 'built')).toBe(true);
  expect(types.filter((type) => type === 'stopping' || type === 'resumed')).toEqual(['stopping', 'resumed']);
});

test('a pause starts nothing new and ends with resume; a stop ends a paused run', async () => {
  for (const ending of ['resume', 'stop'] as const) {
    const stop = new AbortController();
    const { ports, built } = world(() => 'built');
    const events: RunEvent['type'][] = [];
    const emit: Emit = ({ type }) => events.push(type);
    const steering = new Steering(emit, () => '');
    const run = conduct(
      options(abc(), { stop: stop.signal, onBegun: (steered) => steering.begin(steered) }),
      ports,
      (event) => {
        emit(event);
        if (event.type === 'target-started') {
          steering.pause();
          steering.pause();
        }
        // It is ready, and stays so.
        if (event.type === 'target-ready' && built.includes('a')) {
          setImmediate(() => {
            expect(built).not.toContain(event.target);
            if (ending === 'stop') stop.abort();
            else steering.resume();
          });
        }
      },
    );
    const results = [...(await run).values()].map(({ result }) => result);
    if (ending === 'stop') expect(results).toEqual(['built', 'skipped', 'skipped']);
    // Started again, it pauses again; and so on to the end.
    else expect(results).toEqual(['built', 'built', 'built']);
    expect(events.filter((type) => type === 'paused').length).toBe(ending === 'stop' ? 1 : 3);
  }
});

test('paused before anything is built: it begins paused; afterwards nothing can be asked', async () => {
  const { ports, built } = world(() => 'built');
  const types: string[] = [];
  const steering = new Steering(
    ({ type }) => types.push(type),
    () => '/events',
  );
  expect(steering.retry('a')).toBe('nothing was built yet');
  steering.pause();
  const run = conduct(
    options(abc(), { onBegun: (steered) => steering.begin(steered) }),
    ports,
    ({ type }) => {
      if (type !== 'target-ready' || built.length > 0) return;
      setImmediate(() => {
        expect(built).toEqual([]);
        steering.resume();
      });
    },
  );
  await run;
  steering.close();
  steering.pause();
  expect([types, steering.retry('a'), steering.keepEvents()]).toEqual([
    ['paused', 'resumed'],
    'the run is over',
    '/events',
  ]);
});

test('random graphs, failures, retries, pauses and stops: every target ends once, as the rule says', async () => {
  await fc.assert(
    fc.asyncProperty(
      graphs,
      fc.nat(),
      fc.boolean(),
      fc.boolean(),
      fc.scheduler(),
      async (order, seed, keepGoing, stops, scheduler) => {
        const failures = (name: string): number => (seed + Number(name.slice(1)) * 7) % 4;
        const hits = new Set(order.map(({ name }) => name).filter((name) => Number(name.slice(1)) % 5 === 4));
        const { ports } = world((name, number) => (number <= failures(name) ? 'failed' : 'built'), hits);
        const stop = new AbortController();
        const state = new Map<string, string>();
        let asked = 0;
        let steered: Steered | undefined;
        const steering = new Steering(
          () => {},
          () => '',
        );
        const done = conduct(
          options(order, {
            keepGoing,
            stop: stop.signal,
            onBegun: (given) => {
              steered = given;
              steering.begin(given);
            },
          }),
          {
            ...ports,
            fetch: () => scheduler.schedule(Promise.resolve(), 'fetch'),
            reload: () => scheduler.schedule(Promise.resolve(), 'reload'),
            publish: () => scheduler.schedule(Promise.resolve(), 'publish'),
            build: async (attempt) => {
              await scheduler.schedule(Promise.resolve(), 'build');
              return ports.build(attempt);
            },
          },
          (event) => {
            if (!('target' in event)) return;
            const { target } = event;
            const before = state.get(target) ?? 'none';
            const final = ['target-finished', 'target-failed', 'target-skipped'];
            // A final state is left by a retry alone.
            if (final.includes(before)) expect(['target-retry', 'target-waiting']).toContain(event.type);
            state.set(target, event.type);
            if (event.type !== 'target-failed') return;
            void scheduler.schedule(Promise.resolve(), 'retry').then(() => {
              asked += 1;
              if (asked % 3 === 0) steering.pause();
              if (stops && asked === 4) stop.abort();
              steered?.retry(target);
              void scheduler.schedule(Promise.resolve(), 'resume').then(() => steering.resume());
            });
          },
        );
        const [results] = await Promise.all([done, scheduler.waitFor(done)]);
        expect(results.size).toBe(order.length);
        for (const { name, dependencies } of order) {
          const result = results.get(name)?.result;
          expect(state.get(name)).toBe(
            result === 'failed'
              ? 'target-failed'
              : result === 'skipped'
                ? 'target-skipped'
                : 'target-finished',
          );
          const lacks = dependencies.some((other) => {
            const end = results.get(other)?.result;
            return end === 'failed' || end === 'skipped';
          });
          if (lacks) expect(result).toBe('skipped');
          else if (keepGoing && !stop.signal.aborted) expect(result).not.toBe('skipped');
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('time is up: what runs may finish, nothing else is begun, whatever the graph', async () => {
  await fc.assert(
    fc.asyncProperty(graphs, fc.nat(25), async (order, after) => {
      const { ports, built } = world(() => 'built');
      const timeUp = new AbortController();
      const begun = new Set<string>();
      let late = 0;
      const results = await conduct(
        options(order, { finish: timeUp.signal }),
        {
          ...ports,
          build: async (attempt) => {
            if (timeUp.signal.aborted) late += 1;
            begun.add(attempt.target.name);
            if (begun.size > after) timeUp.abort('its time is up (--for 5h)');
            return await ports.build(attempt);
          },
        },
        () => {},
      );
      expect(late).toBe(0);
      // What was begun was finished.
      expect(new Set(built)).toEqual(begun);
      expect([...results.values()].every(({ result }) => result === 'built' || result === 'skipped')).toBe(
        true,
      );
      expect(begun.size).toBe(Math.min(after + 1, order.length));
    }),
  );
});

test('time that is up before anything was begun: nothing is', async () => {
  const { ports, built } = world(() => 'built');
  const results = await conduct(
    options(abc(), { finish: AbortSignal.abort('its time is up') }),
    ports,
    () => {},
  );
  expect(built).toEqual([]);
  expect([...results.values()].map(({ result }) => result)).toEqual(['skipped', 'skipped', 'skipped']);
});
