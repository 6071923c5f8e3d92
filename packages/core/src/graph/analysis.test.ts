/** Levels, longest chain, paths and transitive reduction on graphs small enough to check by hand. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GraphAnalysis } from './analysis.ts';
import { dependenciesOf, dependentsOf, withDependencies } from './closure.ts';
import { copies, loaded } from './fixture.ts';
import type { TargetGraph } from './model.ts';

async function graphOf(needs: Record<string, string[]>): Promise<TargetGraph> {
  const tree = Object.entries(needs).map(([name, other]) => [
    `s/${name}`,
    copies(...other.map((n) => `s-${n}`)),
  ]);
  return (await loaded(Object.fromEntries(tree))).graph;
}

const diamond = await graphOf({ a: [], b: ['a'], c: ['a', 'a'], d: ['c', 'b', 'a'], e: ['d', 'a'], z: [] });

describe('a diamond', () => {
  const analysis = new GraphAnalysis(diamond);

  it('has levels', () => {
    expect(analysis.levels()).toEqual([['s-a', 's-z'], ['s-b', 's-c'], ['s-d'], ['s-e']]);
  });

  it('has a longest chain', () => {
    expect(analysis.longestChain()).toEqual(['s-a', 's-b', 's-d', 's-e']);
  });

  it('has a longest chain to each target', () => {
    expect(analysis.chainTo('s-d')).toEqual(['s-a', 's-b', 's-d']);
    expect(analysis.chainTo('s-z')).toEqual(['s-z']);
    expect(analysis.chainTo('nowhere')).toEqual([]);
  });

  it('has shortest paths with every place', () => {
    expect(
      analysis.path('s-e', 's-c')?.map((places) => places.map(({ from, to, line }) => [from, to, line])),
    ).toEqual([[['s-e', 's-d', 2]], [['s-d', 's-c', 2]]]);
    expect(analysis.path('s-c', 's-a')?.[0]).toHaveLength(2);
    expect(analysis.path('s-a', 's-a')).toEqual([]);
    expect(analysis.path('s-a', 's-e')).toBeNull();
    expect(analysis.path('s-a', 'nowhere')).toBeNull();
  });

  it('has a reduction', () => {
    expect(analysis.transitiveReduction().map(({ from, to }) => `${from} ${to}`)).toEqual([
      's-b s-a',
      's-c s-a',
      's-d s-b',
      's-d s-c',
      's-e s-d',
    ]);
  });

  it('has direct and transitive neighbours', () => {
    expect(dependenciesOf(diamond, 's-e', false)).toEqual(['s-a', 's-d']);
    expect(dependenciesOf(diamond, 's-e', true)).toEqual(['s-a', 's-b', 's-c', 's-d']);
    expect(dependentsOf(diamond, 's-b', false)).toEqual(['s-d']);
    expect(dependentsOf(diamond, 's-b', true)).toEqual(['s-d', 's-e']);
    expect(dependenciesOf(diamond, 'nowhere', true)).toEqual([]);
  });
});

it('an empty graph has nothing', async () => {
  const analysis = new GraphAnalysis(await graphOf({}));
  expect([analysis.levels(), analysis.longestChain(), analysis.transitiveReduction()]).toEqual([[], [], []]);
});

it('the reduction keeps what can be reached, and no link of it can go', async () => {
  const names = [...'abcdefghij'];
  const dag = fc.array(fc.subarray(names), { minLength: 10, maxLength: 10 });
  await fc.assert(
    fc.asyncProperty(dag, async (needs) => {
      const graph = await graphOf(
        Object.fromEntries(names.map((name, i) => [name, (needs[i] ?? []).filter((other) => other < name)])),
      );
      const links = new GraphAnalysis(graph).transitiveReduction();
      const reach = (from: string, without?: unknown) => {
        const found = new Set<string>();
        const queue = [from];
        for (const name of queue) {
          for (const link of links) {
            if (link.from !== name || link === without || found.has(link.to)) continue;
            found.add(link.to);
            queue.push(link.to);
          }
        }
        return found;
      };
      for (const name of graph.targets.keys()) {
        expect([...reach(name), name].sort()).toEqual(withDependencies(graph, [name]));
      }
      for (const link of links) expect(reach(link.from, link).has(link.to)).toBe(false);
    }),
    { numRuns: 30 },
  );
});
