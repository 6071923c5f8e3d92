/**
 * A tree shared out among machines, in simulation: the StageX graph, durations with heavy tails from 30 published seeds,
 * 1 to 64 shards with one build at a time. Our shares, made with durations known exactly, roughly (off by a factor of 1.6
 * as often as not) and not at all, run with the true ones; beside them waves level by level, as a matrix of CI does it that
 * knows no more than the graph's levels, and one queue for all machines, which is what shares give up.
 *
 *     node bench/shards.ts
 *
 * Passing an output to another shard takes a quarter of a median build. Prints Markdown tables; the same figures on every
 * machine.
 */
import { lognormal, pareto, roughly } from '../test/schedule/durations.ts';
import { stagexJobs, urgencies } from '../test/schedule/jobs.ts';
import { sharedMakespan, wavesMakespan } from '../test/schedule/shards.ts';
import { shared } from '../test/schedule/sharing.ts';
import { byUrgency, makespan, windowBound } from '../test/schedule/simulate.ts';

const SEEDS = Array.from({ length: 30 }, (_, index) => index + 1);
const SHARDS = [1, 2, 4, 8, 16, 64];
const TRANSFER = 0.25;

const jobs = stagexJobs();
const print = (text: string): void => void process.stdout.write(`${text}\n`);
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
const above = (ratio: number): string => `${(Math.max(0, ratio - 1) * 100).toFixed(1)} %`;

function row(shards: number, make: (count: number, seed: number) => number[]): string {
  const sizes = { shards, places: 1, transfer: TRANSFER };
  const rows = SEEDS.map((seed) => {
    const durations = make(jobs.names.length, seed);
    const bound = windowBound(jobs, durations, shards);
    const alone = durations.reduce((sum, each) => sum + each, 0);
    const run = (history: readonly number[] | null) => {
      const sharing = shared(jobs, history, sizes);
      return { takes: sharedMakespan(jobs, durations, sharing).makespan, transfers: sharing.transfers };
    };
    const known = run(durations);
    return {
      faster: alone / known.takes,
      known: known.takes / bound,
      roughly: run(roughly(durations, 0.5, seed + 1_000)).takes / bound,
      unknown: run(null).takes / bound,
      queue: makespan(jobs, durations, shards, byUrgency(urgencies(jobs, null))) / bound,
      waves: wavesMakespan(jobs, durations, shards, TRANSFER) / bound,
      transfers: known.transfers,
    };
  });
  const of = (column: keyof (typeof rows)[number]): number => mean(rows.map((each) => each[column]));
  const worst = Math.max(...rows.map(({ known }) => known));
  return (
    `| ${shards} | ${of('faster').toFixed(1)} x | ${above(of('known'))} (${above(worst)}) | ${above(of('roughly'))} | ` +
    `${above(of('unknown'))} | ${above(of('queue'))} | ${above(of('waves'))} | ${Math.round(of('transfers'))} |`
  );
}

for (const [name, make] of [
  ['Lognormal', lognormal],
  ['Pareto', pareto],
] as const) {
  print(
    `\n${name}: makespans above what no schedule can beat, means of ${SEEDS.length} seeds (the worst one).\n`,
  );
  print(
    '| shards | faster than one | durations known | known roughly | not known | not known, one queue | waves | outputs passed on |',
  );
  print('|---:|---:|---:|---:|---:|---:|---:|---:|');
  for (const shards of SHARDS) print(row(shards, make));
}
