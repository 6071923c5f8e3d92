/** Cycles: the whole path with every place, one for each knot, always the same. */
import { expect, it } from 'vitest';
import { cycleProblems, knots } from './cycles.ts';
import { toDigraph } from './digraph.ts';
import type { Edge } from './model.ts';

function target(name: string, ...dependencies: string[]) {
  const edges = dependencies.map((to, line): Edge => ({ from: name, to, kind: 'copy', file: name, line }));
  return { name, dependencies, edges };
}

it('knots longer than the call stack are found', () => {
  const count = 20_000;
  const ring = Array.from({ length: count }, (_, i) => target(`n${i}`, `n${(i + 1) % count}`));
  expect(knots(toDigraph(ring)).map((knot) => knot.length)).toEqual([count]);
});

it('the cycle shown is the shortest through the first target of its knot', () => {
  const [problem, ...more] = cycleProblems([
    target('a', 'b', 'd'),
    target('b', 'c'),
    target('c', 'a'),
    target('d', 'a'),
    target('e', 'a'),
  ]);
  expect(more).toEqual([]);
  expect(problem?.text).toBe('these targets need each other: a needs d (a:1), d needs a (d:0)');
});

it('a graph without a cycle has none', () => {
  expect(cycleProblems([target('a', 'b', 'c'), target('b', 'c'), target('c')])).toEqual([]);
});
