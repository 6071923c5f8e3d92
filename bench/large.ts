/**
 * Ten thousand targets: what loading and planning cost, cold (all is read for the first time), warm (nothing is known of
 * outputs, the tree is as it was), after the edit of one recipe, and with everything built.
 *
 *     node bench/large.ts [--copies N] [--built] [--keep]
 *
 * A fresh process each, of the bundle; prints a Markdown table of wall time, CPU time and peak memory. `--copies`: how
 * often the graph of StageX (20: 10,260 targets). `--built`: also with every target built, which takes two minutes to
 * prepare, in memory. CPU time is what counts where other work keeps the machine busy.
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { inMiniWords, largeShape, sha256, sourceOf, writeLarge } from '../test/twins/large.ts';
import { buildInMemory } from './built-state.ts';

const BUNDLE = fileURLToPath(new URL('../packages/cli/dist/stx-make.js', import.meta.url));
const RUNS = 5;
const { values } = parseArgs({
  options: {
    copies: { type: 'string', default: '20' },
    built: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});

const folder = mkdtempSync(join(tmpdir(), 'stx-large-'));
const root = join(folder, 'tree');
const state = join(folder, 'state');
const print = (text: string): void => void process.stdout.write(`${text}\n`);

interface Measured {
  readonly wall: number;
  readonly cpu: number;
  readonly memory: number;
}

/** One command in a process of its own, measured by time(1). */
function measure(...words: readonly string[]): Measured {
  const report = join(folder, 'time');
  const args = ['-f', '%e %U %S %M', '-o', report, process.execPath, BUNDLE, ...words];
  const { status, stderr } = spawnSync('time', [...args, '--root', root, '--state', state, '--json'], {
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (status !== 0) throw new Error(`${words.join(' ')}: ${stderr}`);
  const [wall = 0, user = 0, system = 0, memory = 0] = readFileSync(report, 'utf8').split(/\s+/).map(Number);
  return { wall, cpu: user + system, memory: memory / 1024 };
}

/** The best of some: noise only adds. */
function best(...words: readonly string[]): Measured {
  const all = Array.from({ length: RUNS }, () => measure(...words));
  const least = (of: (one: Measured) => number): number => Math.min(...all.map(of));
  return {
    wall: least(({ wall }) => wall),
    cpu: least(({ cpu }) => cpu),
    memory: Math.max(...all.map(({ memory }) => memory)),
  };
}

function row(what: string, { wall, cpu, memory }: Measured): void {
  print(`| ${what} | ${wall.toFixed(2)} s | ${cpu.toFixed(2)} s | ${Math.round(memory)} MiB |`);
}

try {
  const shape = largeShape(Number(values.copies));
  writeLarge(root, shape);
  const targets = shape.reduce((sum, recipe) => sum + Object.keys(recipe.targets).length, 0);
  print(`${targets} targets of ${shape.length} recipes\n`);
  print('| work | wall | CPU | peak memory |\n|---|---|---|---|');
  row('plan, cold: everything read for the first time', measure('plan'));
  row('plan, warm: nothing changed, nothing built', best('plan'));
  appendFileSync(join(root, 'packages/core/zlib/Containerfile'), '# a comment\n');
  row('plan after the edit of one recipe', measure('plan'));
  if (values.built) {
    mkdirSync(join(state, 'sources/sha256'), { recursive: true });
    for (const recipe of shape) {
      const text = sourceOf(recipe);
      writeFileSync(join(state, 'sources/sha256', sha256(text)), text, { mode: 0o444 });
    }
    await buildInMemory(root, state, inMiniWords);
    row('world, everything built: every target judged', measure('world'));
    row('world, nothing to do', best('world'));
    row('plan, nothing to do', best('plan'));
    appendFileSync(join(root, 'packages/core/zlib/Containerfile'), '# another\n');
    row('plan after the edit of one recipe, everything built', measure('plan'));
    row('the same again', best('plan'));
  }
} finally {
  if (values.keep) process.stderr.write(`${folder}\n`);
  else rmSync(folder, { recursive: true, force: true });
}
