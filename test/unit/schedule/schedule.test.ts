/** The order in which a run starts what is ready, on the StageX graph in simulation (bench/schedule.ts has the tables). */
import { describe, expect, it } from 'vitest';
import { lognormal, pareto, roughly } from '../../schedule/durations.ts';
import { stagexJobs, urgencies } from '../../schedule/jobs.ts';
import { byUrgency, fifo, type Jobs, makespan, simpleBound, windowBound } from '../../schedule/simulate.ts';

const jobs = stagexJobs();
const seeds = [1, 2, 3, 4, 5];
const workers = [4, 8, 12];

function meanRatio(ratio: (seed: number, workers: number) => number): number {
  const all = seeds.flatMap((seed) => workers.map((count) => ratio(seed, count)));
  return all.reduce((sum, each) => sum + each, 0) / all.length;
}

describe.each([
  ['lognormal', lognormal],
  ['Pareto', pareto],
])('urgency under %s durations', (_, make) => {
  it('beats first come, first served by 5 % and more, also where history is rough', () => {
    for (const deviation of [0, 0.5]) {
      const ratio = meanRatio((seed, count) => {
        const durations = make(jobs.names.length, seed);
        const urgency = urgencies(jobs, roughly(durations, deviation, seed));
        return makespan(jobs, durations, count, byUrgency(urgency)) / makespan(jobs, durations, count, fifo);
      });
      expect(ratio).toBeLessThan(0.95);
    }
  });

  it('is no worse than first come, first served where nothing is known', () => {
    const ratio = meanRatio((seed, count) => {
      const durations = make(jobs.names.length, seed);
      const ours = makespan(jobs, durations, count, byUrgency(urgencies(jobs, null)));
      return ours / makespan(jobs, durations, count, fifo);
    });
    expect(ratio).toBeLessThan(1);
  });

  it('is within 1 % of what no schedule can beat', () => {
    const ratio = meanRatio((seed, count) => {
      const durations = make(jobs.names.length, seed);
      const ours = makespan(jobs, durations, count, byUrgency(urgencies(jobs, durations)));
      const bound = windowBound(jobs, durations, count);
      expect(bound).toBeGreaterThanOrEqual(simpleBound(jobs, durations, count));
      expect(bound).toBeLessThanOrEqual(ours * (1 + 1e-9));
      return ours / bound;
    });
    expect(ratio).toBeLessThan(1.01);
  });
});

describe('the simulation', () => {
  // 0 and 1 are free; 2 needs 0; 3 needs 1 and 2.
  const small: Jobs = { names: ['a', 'b', 'c', 'd'], needs: [[], [], [0], [1, 2]] };
  const durations = [2, 5, 4, 1];

  it('gives makespans that can be told by hand', () => {
    expect(makespan(small, durations, 1, fifo)).toBe(12);
    expect(makespan(small, durations, 2, fifo)).toBe(7);
    expect(makespan(small, durations, 1, byUrgency([0, 1, 0, 0]))).toBe(12);
  });

  it('gives bounds that can be told by hand', () => {
    expect(simpleBound(small, durations, 1)).toBe(12);
    expect(simpleBound(small, durations, 2)).toBe(7);
    // A chain of 4, then 4 jobs of 3 at once, then 1: on two workers 4 + 12 / 2 + 1.
    const waist: Jobs = { names: [], needs: [[], [0], [0], [0], [0], [1, 2, 3, 4]] };
    expect(simpleBound(waist, [4, 3, 3, 3, 3, 1], 2)).toBe(8.5);
    expect(windowBound(waist, [4, 3, 3, 3, 3, 1], 2)).toBe(11);
  });
});
