/** The critical path of a run that is over. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { longestChain, topological } from './chain.ts';

const of = (...dependencies: number[][]) => dependencies.map((needed) => ({ dependencies: needed }));

test('the chain that took longest, not the one with the most hops; what took no time is not in it', () => {
  const targets = of([], [0], [1], [0], [2, 3]);
  const took = [5, 1, 1, 10, 2];
  expect(longestChain(targets, (target) => took[target] ?? 0)).toEqual([0, 3, 4]);
  expect(longestChain(targets, (target) => [0, 7, 0, 0, 3][target] ?? 0)).toEqual([1, 4]);
  expect(longestChain(targets, () => 0)).toEqual([]);
  expect(longestChain([], () => 1)).toEqual([]);
});

test('no chain of needs is longer, and each needs the one before', () => {
  const dag = fc.array(fc.tuple(fc.array(fc.nat(20), { maxLength: 4 }), fc.integer({ min: 1, max: 50 })), {
    minLength: 1,
    maxLength: 20,
  });
  fc.assert(
    fc.property(dag, (rows) => {
      const targets = rows.map(([needed], i) => ({ dependencies: needed.filter((other) => other < i) }));
      const took = (i: number): number => rows[i]?.[1] ?? 0;
      const chain = longestChain(targets, took);
      // By brute force: the longest way that ends with each target.
      const best: number[] = [];
      targets.forEach(({ dependencies }, i) => {
        best[i] = took(i) + Math.max(0, ...dependencies.map((other) => best[other] ?? 0));
      });
      expect(chain.reduce((sum, i) => sum + took(i), 0)).toBe(Math.max(...best));
      for (const [i, at] of chain.entries()) {
        const before = chain[i - 1];
        if (before !== undefined) expect(targets[at]?.dependencies).toContain(before);
      }
    }),
  );
});

test('a chain of a hundred thousand, and a damaged record with a cycle', () => {
  const long = Array.from({ length: 100_000 }, (_, i) => ({ dependencies: i === 0 ? [] : [i - 1] }));
  expect(
    longestChain(
      long.toReversed().map((_, i) => long[i] ?? { dependencies: [] }),
      () => 1,
    ),
  ).toHaveLength(100_000);
  expect(topological(of([1], [0], [1])).sort()).toEqual([0, 1, 2]);
});
