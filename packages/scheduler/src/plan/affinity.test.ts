/** What can be built nowhere, and how it is told. */
import { expect, test } from 'vitest';
import { bareTarget } from '../run/testing/memory-world.ts';
import { homelessOf, homelessProblems } from './affinity.ts';

const workers = [
  { name: 'amd', platforms: ['linux/386', 'linux/amd64'] },
  { name: 'arm', platforms: ['linux/arm64'] },
];

test('each target with a platform that nobody has, or that no single one has together', () => {
  const order = [
    bareTarget('a', []),
    bareTarget('b', [], 'linux/riscv64'),
    { ...bareTarget('c', []), platforms: ['linux/amd64', 'linux/arm64'] },
    bareTarget('d', [], 'linux/arm64/v8'),
  ];
  const targets = new Map(order.map((target) => [target.name, target]));
  const homeless = homelessOf(order, targets, workers);
  expect(homeless).toEqual([
    { target: 'b', platforms: ['linux/riscv64'] },
    { target: 'c', platforms: ['linux/amd64', 'linux/arm64'] },
  ]);
  expect(homelessProblems(homeless, workers).map(({ text }) => text)).toEqual([
    'b runs steps for linux/riscv64, which no worker can: amd (linux/386 linux/amd64), arm (linux/arm64).',
    'c runs steps for linux/amd64 and linux/arm64, which no worker can: amd (linux/386 linux/amd64), arm (linux/arm64).',
  ]);
});

test('many are named in part', () => {
  const homeless = Array.from({ length: 9 }, (_, index) => ({ target: `t${index}`, platforms: ['x/y'] }));
  expect(homelessProblems(homeless, [])[0]?.text).toContain(
    't0, t1, t2, t3, t4 and 4 more run steps for x/y',
  );
});
