/** Names out of facts; what a change will probably cost. */
import { expect, test } from 'vitest';
import type { Fact } from '../fingerprint/encode.ts';
import type { GraphTarget, TargetGraph } from '../graph/model.ts';
import { compareStates } from './compare.ts';
import { outlookOf } from './outlook.ts';

/** a <- b <- c, a <- d; names in build order. */
const NEEDS: Readonly<Record<string, readonly string[]>> = { a: [], b: ['a'], c: ['b'], d: ['a'] };

function graph(): TargetGraph {
  const order = Object.keys(NEEDS);
  // Only names and dependencies are asked for.
  const target = (name: string) => ({ name, dependencies: NEEDS[name] ?? [] }) as unknown as GraphTarget;
  return {
    order,
    targets: new Map(order.map((name) => [name, target(name)])),
    dependents: new Map(order.map((name) => [name, order.filter((other) => NEEDS[other]?.includes(name))])),
  };
}

const facts = (values: Readonly<Record<string, string>>): Map<string, readonly Fact[]> =>
  new Map(Object.entries(values).map(([name, value]) => [name, [['arg VERSION', value]]]));

test('added, removed, changed, and what hangs on them', () => {
  const before = facts({ a: '1', b: '1', c: '1', old: '1' });
  const after = facts({ a: '1', b: '2', c: '1', d: '1' });
  const result = compareStates(before, after, graph());
  expect(result).toMatchObject({
    added: ['d'],
    removed: ['old'],
    changed: ['b', 'd'],
    affected: ['b', 'c', 'd'],
  });
  expect(result.reasons.get('b')?.[0]?.text).toBe('arg VERSION changed from 1 to 2');
  expect(compareStates(after, after, graph())).toMatchObject({ changed: [], affected: [], removed: [] });
});

test('an outlook: cutoffs stop what follows; hours with gaps filled by the median', () => {
  const outlook = outlookOf({
    graph: graph(),
    changed: new Set(['a']),
    affected: new Set(['a', 'b', 'c', 'd']),
    quiet: (name) => (name === 'b' ? 'it always does' : null),
    estimates: new Map([
      ['a', 10],
      ['b', 30],
      ['c', 100],
    ]),
  });
  expect(outlook.likely).toEqual(['a', 'b', 'd']);
  expect(outlook.cutoffs).toEqual([{ target: 'b', text: 'it always does' }]);
  expect(outlook.most).toEqual({ targets: 4, known: 3, work: 170, chain: 140 });
  expect(outlook.least).toEqual({ targets: 3, known: 2, work: 70, chain: 40 });
});

test('no history, no hours; a leaf that stays the same is no cutoff', () => {
  const outlook = outlookOf({
    graph: graph(),
    changed: new Set(['c']),
    affected: new Set(['c']),
    quiet: () => 'comments',
    estimates: new Map(),
  });
  expect(outlook).toEqual({ likely: ['c'], cutoffs: [], most: null, least: null });
});
