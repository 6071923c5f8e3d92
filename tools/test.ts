/**
 * `./run test`: types, lint and unit tests (`--quick`), and the end-to-end tests with real BuildKit, one after
 * the other, and at the end one line that counts them all: types and lint as one test each, the others from
 * vitest's own report. Knows nothing of what the tests test.
 *
 * usage: ./run test [--quick] [-- VITEST-ARGUMENT...]
 *   --quick  neither property nor end-to-end tests
 *   --       the rest goes to vitest (name filters, -t PATTERN); then types and lint are left out
 * exit: 0 all passed, 1 something failed or nothing ran, 2 wrong usage, 130 interrupted
 */
import { spawn } from 'node:child_process';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { addCounts, type Counts, closingLine, countsOfReport, exitCodeOf, NONE } from './test-counts.ts';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const REPORTS = join(ROOT, '.cache', 'test');
const BIN = join(ROOT, 'node_modules', '.bin');
/** What runs in a browser is another world: with a DOM, without Node. */
const PAGE = 'packages/cli/src/page/browser';

/**
 * What the tools find in PATH first is the Node that runs this, not an older one of the machine. Colours only
 * where somebody sees them.
 */
const ENV: NodeJS.ProcessEnv = {
  ...process.env,
  PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
  ...(process.stdout.isTTY ? {} : { NO_COLOR: '1' }),
};

/** The first signal we got: nothing new starts, and it decides the exit code. */
let stoppedBy: NodeJS.Signals | undefined;

/**
 * Runs a program with our output and no input. Ctrl-C in a terminal reaches it without us; other ends are
 * passed on. Returns whether it ended with 0.
 */
async function succeeds(file: string, args: readonly string[]): Promise<boolean> {
  if (stoppedBy !== undefined) return false;
  const child = spawn(file, args, { cwd: ROOT, env: ENV, stdio: ['ignore', 'inherit', 'inherit'] });
  const pass = (signal: NodeJS.Signals): void => {
    stoppedBy ??= signal;
    if (signal !== 'SIGINT') child.kill(signal);
  };
  const signals: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, pass);
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve(code === 0));
    });
  } finally {
    for (const signal of signals) process.off(signal, pass);
  }
}

/** One tool as one test. */
async function check(name: string, file: string, args: readonly string[]): Promise<Counts> {
  const start = performance.now();
  const ok = await succeeds(join(BIN, file), args);
  say(`${name}: ${ok ? 'passed' : 'FAILED'} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
  return ok ? { ...NONE, passed: 1 } : { ...NONE, failed: 1 };
}

/** One vitest project, counted from the report it wrote; a report that is missing is a failure. */
async function project(name: string, extra: readonly string[]): Promise<Counts> {
  const report = join(REPORTS, `${name}.json`);
  await mkdir(REPORTS, { recursive: true });
  await rm(report, { force: true });
  const args = ['run', '--project', name, '--reporter=default', '--reporter=json'];
  const ok = await succeeds(join(BIN, 'vitest'), [
    ...args,
    `--outputFile.json=${report}`,
    '--passWithNoTests',
    ...extra,
  ]);
  const text = await readFile(report, 'utf8').catch(() => undefined);
  return countsOfReport(text, ok);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function main(words: readonly string[]): Promise<number> {
  const end = words.indexOf('--');
  const options = end < 0 ? words : words.slice(0, end);
  const filters = end < 0 ? [] : words.slice(end + 1);
  const unknown = options.find((word) => word !== '--quick');
  if (unknown !== undefined) {
    process.stderr.write(
      `error: ${unknown} is not known\n  hint: ./run test [--quick] [-- VITEST-ARGUMENT...]\n`,
    );
    return 2;
  }
  let counts = NONE;
  if (filters.length === 0) {
    const checks = [
      check('types', 'tsc', ['--noEmit', '-p', 'tsconfig.json']),
      check('types of the page', 'tsc', ['--noEmit', '-p', PAGE]),
      check('lint', 'biome', ['check', '--error-on-warnings', '.']),
    ];
    for (const checked of await Promise.all(checks)) counts = addCounts(counts, checked);
  }
  counts = addCounts(counts, await project('unit', filters));
  if (!options.includes('--quick')) {
    counts = addCounts(counts, await project('terminal', filters));
    counts = addCounts(counts, await project('property', filters));
    counts = addCounts(counts, await project('e2e', filters));
  }
  say('');
  say(closingLine(counts));
  return stoppedBy === undefined ? exitCodeOf(counts) : 128 + constants.signals[stoppedBy];
}

process.exitCode = await main(process.argv.slice(2));
