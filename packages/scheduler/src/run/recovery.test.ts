/** Lost workers: waited for as long as others go on, given up at a standstill, no try of their builds. */
import { expect, test } from 'vitest';
import { conduct } from './conduct.ts';
import { bareTarget, options, world } from './testing/memory-world.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const amd = ['linux/amd64'];

test('while others go on it is waited for, however long, and then builds what only it can', async () => {
  const order = [
    bareTarget('old', [], 'linux/386'),
    ...Array.from({ length: 60 }, (_, index) =>
      bareTarget(`t${index}`, index === 0 ? [] : [`t${index - 1}`]),
    ),
  ];
  let left = 60;
  let back = (): void => {};
  const { ports } = world((name, number) => {
    if (name === 'old') return number === 1 ? 'lost' : 'built';
    left -= 1;
    if (left === 0) back();
    return 'built';
  });
  const events: string[] = [];
  const results = await conduct(
    options(order, {
      workers: [
        { id: 'both', jobs: 1, platforms: ['linux/386', 'linux/amd64'] },
        { id: 'amd', jobs: 1, platforms: amd },
      ],
    }),
    {
      ...ports,
      // Each build takes longer than the standstill that would be the end of hope.
      build: async (attempt) => {
        for (let index = 0; index < 40; index += 1) await turn();
        return await ports.build(attempt);
      },
      pause: turn,
      revive: () =>
        new Promise((resolve) => {
          back = () => resolve(true);
        }),
    },
    (event) => events.push(event.type),
  );
  expect(results.get('old')?.result).toBe('built');
  expect(events.filter((type) => type.startsWith('worker-'))).toEqual(['worker-lost', 'worker-back']);
});

test('when nothing goes on for want of it, it is given up, and its builds say why', async () => {
  const order = [bareTarget('a', []), bareTarget('old', [], 'linux/386'), bareTarget('b', ['old'])];
  const { ports } = world((name) => (name === 'old' ? 'lost' : 'built'));
  let pauses = 0;
  const results = await conduct(
    options(order, {
      workers: [
        { id: 'both', jobs: 1, platforms: ['linux/386', 'linux/amd64'] },
        { id: 'amd', jobs: 1, platforms: amd },
      ],
    }),
    {
      ...ports,
      pause: () => {
        pauses += 1;
        return turn();
      },
      revive: (_, signal) =>
        new Promise((resolve) => signal.addEventListener('abort', () => resolve(false), { once: true })),
    },
    () => {},
  );
  expect(results.get('a')?.result).toBe('built');
  expect(results.get('old')?.failure?.cause).toMatch(/linux\/386 .*lost: gone/);
  expect(results.get('b')?.result).toBe('skipped');
  expect(pauses).toBeGreaterThanOrEqual(30);
});

test('workers that end are no try of a build; one that ends every worker is not given out for ever', async () => {
  let tries = 0;
  const often = await conduct(
    options([bareTarget('a', [])]),
    world((_, number) => (number <= 4 ? 'lost' : 'built'), new Set(), true).ports,
    () => {},
  );
  expect(often.get('a')?.result).toBe('built');
  const always = await conduct(
    options([bareTarget('a', [])]),
    world(
      () => {
        tries += 1;
        return 'lost';
      },
      new Set(),
      true,
    ).ports,
    () => {},
  );
  expect(always.get('a')?.result).toBe('failed');
  expect(tries).toBe(6);
});

test('what follows from a build may take its place: the worker that has what it gave', async () => {
  const order = [bareTarget('a', []), bareTarget('b', ['a'])];
  const seen = new Map<string, string>();
  const { ports } = world((name, _, worker) => {
    seen.set(name, worker);
    return 'built';
  });
  const has = new Set(['a']);
  await conduct(
    options(order, {
      workers: [
        { id: 'idle', jobs: 1, platforms: amd },
        { id: 'has', jobs: 1, platforms: amd, has },
      ],
      needsOf: ({ dependencies }) => ({
        takes: new Map([...dependencies, 'a'].map((name) => [name, 2 ** 30])),
      }),
    }),
    ports,
    () => {},
  );
  expect([...seen]).toEqual([
    ['a', 'has'],
    ['b', 'has'],
  ]);
});
