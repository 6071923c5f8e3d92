/** How well work is shared out among shards, on the StageX graph in simulation (bench/shards.ts has the tables). */
import { describe, expect, it } from 'vitest';
import { lognormal, pareto, roughly } from '../../schedule/durations.ts';
import { stagexJobs } from '../../schedule/jobs.ts';
import { sharedMakespan, wavesMakespan } from '../../schedule/shards.ts';
import { shared } from '../../schedule/sharing.ts';
import { type Jobs, windowBound } from '../../schedule/simulate.ts';

const jobs = stagexJobs();
const seeds = [1, 2, 3];
const counts = [2, 4, 8, 16, 64];
const transfer = 0.25;

function meanRatio(ratio: (seed: number, shards: number) => number): number {
  const all = seeds.flatMap((seed) => counts.map((shards) => ratio(seed, shards)));
  return all.reduce((sum, each) => sum + each, 0) / all.length;
}

describe.each([
  ['lognormal', lognormal],
  ['Pareto', pareto],
])('shards under %s durations', { timeout: 30_000 }, (_, make) => {
  it('take as long as was expected, and within 1 % of what no schedule can beat', () => {
    const ratio = meanRatio((seed, shards) => {
      const durations = make(jobs.names.length, seed);
      const sharing = shared(jobs, durations, { shards, places: 1, transfer });
      const { makespan } = sharedMakespan(jobs, durations, sharing);
      expect(makespan).toBeCloseTo(sharing.expected, 6);
      const bound = windowBound(jobs, durations, shards);
      expect(makespan).toBeGreaterThanOrEqual(bound * (1 - 1e-9));
      return makespan / bound;
    });
    expect(ratio).toBeLessThan(1.01);
  });

  it('take at most 15 % longer where history is off by a factor of 1.6 as often as not', () => {
    const ratio = meanRatio((seed, shards) => {
      const durations = make(jobs.names.length, seed);
      const sharing = shared(jobs, roughly(durations, 0.5, seed), { shards, places: 1, transfer });
      return sharedMakespan(jobs, durations, sharing).makespan / windowBound(jobs, durations, shards);
    });
    expect(ratio).toBeLessThan(1.15);
  });

  it('take a quarter less than waves, even where nothing is known', () => {
    const ratio = meanRatio((seed, shards) => {
      const durations = make(jobs.names.length, seed);
      const sharing = shared(jobs, null, { shards, places: 1, transfer });
      return (
        sharedMakespan(jobs, durations, sharing).makespan / wavesMakespan(jobs, durations, shards, transfer)
      );
    });
    expect(ratio).toBeLessThan(0.75);
  });
});

describe('the simulation of shards', () => {
  // 0 and 1 are free; 2 needs 0; 3 needs 1 and 2.
  const small: Jobs = { names: ['a', 'b', 'c', 'd'], needs: [[], [], [0], [1, 2]] };
  const durations = [2, 5, 4, 1];
  const urgency = [7, 6, 5, 1];

  it('gives makespans that can be told by hand', () => {
    const of = (shardOf: number[], transfer: number): number =>
      sharedMakespan(small, durations, { shardOf, urgency, shards: 2, places: 1, transfer }).makespan;
    expect(of([0, 0, 0, 0], 3)).toBe(12);
    expect(of([0, 1, 0, 0], 0)).toBe(7);
    // b's output arrives at 8.
    expect(of([0, 1, 0, 0], 3)).toBe(9);
    expect(of([0, 1, 1, 0], 3)).toBe(13);
  });

  it('holds a wave until the one before is done and passed on', () => {
    expect(wavesMakespan(small, durations, 2, 0)).toBe(10);
    expect(wavesMakespan(small, durations, 2, 1)).toBe(12);
    expect(wavesMakespan(small, durations, 1, 0)).toBe(12);
  });
});
