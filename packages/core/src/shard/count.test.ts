/** How many shards are worth their machines, where it can be told by hand. */
import { expect, test } from 'vitest';
import { assignShards, fewestShards, type ShardTarget } from './index.ts';

const free = (count: number, expected = 60_000): ShardTarget[] =>
  Array.from({ length: count }, (_, at) => ({ name: `t${at}`, expected, dependencies: [] }));
const chain = free(10).map((target, at) => ({ ...target, dependencies: at === 0 ? [] : [`t${at - 1}`] }));

test('a chain is done by one', () => {
  expect(fewestShards({ targets: chain, jobs: 2 })).toBe(1);
});

test('what is independent takes as many as there are places for', () => {
  expect(fewestShards({ targets: free(12), jobs: 1 })).toBe(12);
  expect(fewestShards({ targets: free(12), jobs: 4 })).toBe(3);
  expect(fewestShards({ targets: free(600), jobs: 1 })).toBe(200);
  expect(fewestShards({ targets: free(600), jobs: 1 }, 10)).toBe(10);
});

test('no larger number is 5 % faster, and one less is slower than that', () => {
  const targets = [...chain, ...free(31, 45_000).map((each) => ({ ...each, name: `x${each.name}` }))];
  const at = (shards: number): number => assignShards({ targets, jobs: 1, shards }).makespan;
  const chosen = fewestShards({ targets, jobs: 1 });
  const best = Math.min(...Array.from({ length: targets.length }, (_, index) => at(index + 1)));
  expect(at(chosen) * 0.95).toBeLessThanOrEqual(best);
  expect(at(chosen - 1) * 0.95).toBeGreaterThan(best);
});

test('nothing to do is done by one', () => {
  expect(fewestShards({ targets: [], jobs: 1 })).toBe(1);
  expect(fewestShards({ targets: free(5, 0), jobs: 1 })).toBe(1);
});
