/** What builds took: sums by target, courses by worker. */
import type { RunEvent } from '@stx-make/core/events';
import { expect, test } from 'vitest';
import { POINTS, Usages } from './usage.ts';

function usage(at: number, target: string, cores: number, memory: number, worker = 'w'): RunEvent {
  return { at, type: 'usage', target, worker, cores, memory, cpu: at * 2, peak: memory + 1 };
}

const ended = (at: number, target: string): RunEvent => ({
  at,
  type: 'target-retry',
  target,
  attempt: 2,
  text: '',
});

test('a worker takes what its builds take together; what has ended takes nothing', () => {
  const usages = new Usages();
  for (const event of [
    usage(10, 'a', 1.5, 100),
    usage(20, 'b', 0.25, 50),
    usage(25, 'c', 9, 9, 'other'),
    ended(30, 'a'),
    ended(40, 'b'),
  ]) {
    usages.take(event);
  }
  expect(usages.course('w', 40)).toEqual([
    { at: 10, cores: 1.5, memory: 100 },
    { at: 20, cores: 1.75, memory: 150 },
    { at: 30, cores: 0.25, memory: 50 },
    { at: 40, cores: 0, memory: 0 },
  ]);
  expect(usages.course('nobody', 40)).toEqual([]);
  expect(usages.targets.get('a')).toEqual({ cpu: 20, peak: 101 });
});

test('the course of a run of days is short and keeps its peaks', () => {
  const usages = new Usages();
  const until = 50_000;
  for (let at = 0; at < until; at++) usages.take(usage(at, 'a', at === 31_234 ? 64 : 1, at % 7));
  const course = usages.course('w', until);
  expect(course.length).toBeLessThanOrEqual(POINTS + 1);
  expect(Math.max(...course.map(({ cores }) => cores))).toBe(64);
  expect([...course].sort((a, b) => a.at - b.at)).toEqual(course);
});
