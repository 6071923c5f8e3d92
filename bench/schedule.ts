/**
 * Scheduling in simulation: the StageX graph, durations with heavy tails from 30 published seeds, 1 to 64 workers. First
 * come, first served beside the longest remaining path, with durations known exactly, roughly (history off by a factor
 * of 1.6 as often as not) and not at all.
 *
 *     node bench/schedule.ts [--search]
 *
 * `--search`: also how much a search of thousands of schedules finds with all durations known beforehand: what is left
 * to be won. Prints Markdown tables; the same figures on every machine.
 */
import { lognormal, pareto, random, roughly } from '../test/schedule/durations.ts';
import { stagexJobs, urgencies } from '../test/schedule/jobs.ts';
import { byUrgency, fifo, makespan, simpleBound, windowBound } from '../test/schedule/simulate.ts';

const SEEDS = Array.from({ length: 30 }, (_, index) => index + 1);
const WORKERS = [1, 2, 4, 6, 8, 10, 12, 16, 24, 32, 48, 64];
/** Of a search: tries a schedule, and by how much urgencies are shaken. */
const TRIES = 1_000;
const SHAKE = 0.3;
const SEARCHED_SEEDS = 5;

const jobs = stagexJobs();
const print = (text: string): void => void process.stdout.write(`${text}\n`);
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
const percent = (ratio: number): string => `${((ratio - 1) * 100).toFixed(1)} %`;

function table(name: string, make: (count: number, seed: number) => number[]): void {
  print(
    `\n${name}. Mean makespans of ${SEEDS.length} seeds; columns 2 to 4 against FIFO, 5 to 7 against a bound.\n`,
  );
  print(
    '| workers | durations known | known roughly | not known | FIFO / simple bound | ours / simple bound (worst) | ours / window bound |',
  );
  print('|---|---|---|---|---|---|---|');
  for (const workers of WORKERS) {
    const rows = SEEDS.map((seed) => {
      const durations = make(jobs.names.length, seed);
      const run = (history: readonly number[] | null): number =>
        makespan(jobs, durations, workers, byUrgency(urgencies(jobs, history)));
      const simple = simpleBound(jobs, durations, workers);
      const first = makespan(jobs, durations, workers, fifo);
      const ours = run(durations);
      return {
        known: ours / first,
        roughly: run(roughly(durations, 0.5, seed + 1_000)) / first,
        none: run(null) / first,
        fifo: first / simple,
        ours: ours / simple,
        window: ours / windowBound(jobs, durations, workers),
      };
    });
    const of = (column: 'known' | 'roughly' | 'none' | 'fifo' | 'ours' | 'window'): string =>
      percent(mean(rows.map((row) => row[column])));
    const worst = percent(Math.max(...rows.map(({ ours }) => ours)));
    print(
      `| ${workers} | ${of('known')} | ${of('roughly')} | ${of('none')} | ${of('fifo')} | ${of('ours')} (${worst}) | ${of('window')} |`,
    );
  }
}

/** The best of many schedules, each the longest remaining path with its urgencies shaken. */
function search(name: string, make: (count: number, seed: number) => number[]): void {
  print(
    `\n${name}: the best of ${TRIES} schedules, all durations known, against the longest remaining path.\n`,
  );
  print('| workers | mean of 5 seeds | largest gain |\n|---|---|---|');
  for (const workers of [4, 8, 12]) {
    const gains = SEEDS.slice(0, SEARCHED_SEEDS).map((seed) => {
      const durations = make(jobs.names.length, seed);
      const urgency = urgencies(jobs, durations);
      const ours = makespan(jobs, durations, workers, byUrgency(urgency));
      const next = random(seed);
      let best = ours;
      for (let tried = 0; tried < TRIES; tried += 1) {
        const shaken = urgency.map((value) => value * (1 + SHAKE * (2 * next() - 1)));
        best = Math.min(best, makespan(jobs, durations, workers, byUrgency(shaken)));
      }
      return best / ours;
    });
    print(`| ${workers} | ${percent(mean(gains))} | ${percent(Math.min(...gains))} |`);
  }
}

for (const [name, make] of [
  ['Lognormal', lognormal],
  ['Pareto', pareto],
] as const) {
  table(name, make);
  if (process.argv.includes('--search')) search(name, make);
}
