/** Expected durations and what they make of the order: what is known, what is not, what has most behind it. */
import { expect, test } from 'vitest';
import { expectedDurations, remainingPaths } from './priority.ts';

test('what was never built is expected to take the median of the others; no history, all alike', () => {
  const known = new Map([
    ['a', 10],
    ['b', 30],
    ['c', 1_000],
    ['elsewhere', 1],
  ]);
  expect(expectedDurations(['a', 'b', 'c', 'd'], known)).toEqual(
    new Map([
      ['a', 10],
      ['b', 30],
      ['c', 1_000],
      ['d', 30],
    ]),
  );
  const unknown = expectedDurations(['a', 'b'], new Map());
  expect(unknown.get('a')).toBe(unknown.get('b'));
  expect(unknown.get('a')).toBeGreaterThan(0);
});

test('the longest way to the end counts, itself included; not how many wait', () => {
  const dependents: Readonly<Record<string, readonly string[]>> = { a: ['c'], b: ['d', 'e', 'f'], c: ['g'] };
  const durations: Readonly<Record<string, number>> = { a: 1, b: 1, c: 5, d: 2, e: 2, f: 2, g: 3 };
  const remaining = remainingPaths(
    ['a', 'b', 'c', 'd', 'e', 'f', 'g'],
    (name) => dependents[name] ?? [],
    (name) => durations[name] ?? 0,
  );
  expect(Object.fromEntries(remaining)).toEqual({ a: 9, b: 3, c: 8, d: 2, e: 2, f: 2, g: 3 });
});
