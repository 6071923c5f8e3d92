/**
 * stx-make beside make on the plain shape twin of StageX (513 targets), the same work in the same run: nothing to do,
 * touch, comment, content edit, cold on the same kind of BuildKit, and cold on our managed one.
 *
 *     node bench/twin.ts [--quick] [--keep] [--sample N]
 *
 * Needs root, make, time(1), BuildKit (STX_MAKE_BUILDKIT_BIN), and the bundle. Prints a Markdown table; ratios are what
 * counts, machines are noisy. CPU is the tool's own and of the buildctl it starts, not BuildKit's. After every step the
 * digests of both sides are compared. `--quick`: without make's builds after edits, five minutes less. `--sample`: only
 * the recipes of the first N targets in topological order.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startDaemon, type TestDaemon } from '../test/rig/daemon.ts';
import { stagexShape, type TwinRecipe, writeTwin } from '../test/twins/generate.ts';
import { writeMakefile } from './makefile.ts';

const BUNDLE = fileURLToPath(new URL('../packages/cli/dist/stx-make.js', import.meta.url));
/** Runs of what takes well under a second; the median counts. */
const SHORT_RUNS = 11;

/** Seconds; any time in the past. */
const FIRST_TIME = 1_000_000_000;

interface Measured {
  readonly seconds: number;
  /** User and system, of the process and those it waited for, s. */
  readonly cpu: number;
  /** Largest resident set of any of them, MiB. */
  readonly memory: number;
  readonly stdout: string;
}

const folder = mkdtempSync(join(tmpdir(), 'stx-bench-'));
const sample = process.argv.indexOf('--sample');
const recipes =
  sample === -1 ? stagexShape() : firstRecipes(stagexShape(), Number(process.argv[sample + 1] ?? 0));
const print = (text: string): void => void process.stdout.write(`${text}\n`);
const note = (text: string): void => void process.stderr.write(`${text}\n`);

function run(
  command: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<Measured> {
  return new Promise((resolve, reject) => {
    const report = join(folder, 'time');
    const began = performance.now();
    const child = spawn('time', ['-f', '%U %S %M', '-o', report, command, ...args], {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (piece: Buffer) => {
      stdout += piece.toString();
    });
    child.stderr.on('data', (piece: Buffer) => {
      stderr += piece.toString();
    });
    child.once('error', reject);
    child.once('close', (code) => {
      const seconds = (performance.now() - began) / 1_000;
      const [user = 0, system = 0, kilobytes = 0] = readFileSync(report, 'utf8').split(/\s+/).map(Number);
      if (code === 0) resolve({ seconds, cpu: user + system, memory: kilobytes / 1024, stdout });
      else reject(new Error(`${command} ${args.join(' ')} ended with ${code}:\n${stderr.slice(-2_000)}`));
    });
  });
}

async function median(runs: number, once: () => Promise<Measured>): Promise<Measured> {
  const all: Measured[] = [];
  for (let index = 0; index < runs; index += 1) all.push(await once());
  all.sort((a, b) => a.seconds - b.seconds);
  const middle = all[all.length >> 1];
  if (middle === undefined) throw new Error('no runs');
  const cpu = all.map((one) => one.cpu).sort((a, b) => a - b)[all.length >> 1] ?? 0;
  return { ...middle, cpu, memory: Math.max(...all.map(({ memory }) => memory)) };
}

/** One side of the comparison: a tree, and how its tool is started. */
interface Side {
  readonly root: string;
  readonly world: () => Promise<Measured>;
  readonly builds: (measured: Measured) => number;
}

function makeSide(daemon: TestDaemon): Side {
  const root = join(folder, 'make');
  writeTwin(root, 'plain', recipes);
  writeMakefile(root, recipes);
  // Files of one name, size and mtime are one file to BuildKit's upload (BUILDKIT.md 3): written within one tick of
  // the clock, as here and in a fresh checkout, make silently builds some recipes with the bytes of others. For the
  // comparison to be of the same work, its files get a time each.
  for (const [index, { stage, name }] of recipes.entries()) {
    for (const file of ['payload', 'Containerfile', 'package.toml']) {
      utimesSync(join(root, 'packages', stage, name, file), FIRST_TIME + index, FIRST_TIME + index);
    }
  }
  const path = `${dirname(daemon.buildctl)}${delimiter}${process.env['PATH'] ?? ''}`;
  const env = { ...process.env, PATH: path, BUILDKIT_HOST: daemon.address, LC_ALL: 'C', TZ: 'UTC' };
  let before = new Map<string, number>();
  return {
    root,
    world: () => run('make', ['-j4'], root, env),
    builds: () => {
      const now = new Map(
        targetNames().map((name) => [name, statSync(join(root, 'out', name, 'index.json')).mtimeMs]),
      );
      const changed = [...now].filter(([name, time]) => before.get(name) !== time).length;
      before = now;
      return changed;
    },
  };
}

function ourSide(name: string, worker: string | null): Side & { readonly stop: () => Promise<unknown> } {
  const root = join(folder, name);
  writeTwin(root, 'plain', recipes);
  const state = join(folder, `${name}-state`);
  const env = { ...process.env, STX_MAKE_STATE: state, BUILDKIT_HOST: '', NO_COLOR: '1' };
  const args = ['world', '--json', '-j', '4', ...(worker === null ? [] : ['--worker', worker])];
  return {
    root,
    world: () => run(process.execPath, [BUNDLE, ...args], root, env),
    builds: ({ stdout }) => {
      const { counts } = JSON.parse(stdout) as { counts: { built: number; unchanged: number } };
      return counts.built + counts.unchanged;
    },
    stop: () => run(process.execPath, [BUNDLE, 'daemon', 'stop'], root, env),
  };
}

function targetNames(): string[] {
  return recipes.flatMap(({ stage, targets }) => Object.keys(targets).map((name) => `${stage}-${name}`));
}

const rows: string[] = [];
function row(work: string, make: Measured, makeBuilds: number, ours: Measured, ourBuilds: number): void {
  const side = ({ seconds, cpu }: Measured, builds: number): string =>
    `${seconds.toFixed(2)} s, ${cpu.toFixed(2)} s, ${builds}`;
  const ratio = (ours.seconds / make.seconds).toFixed(3);
  rows.push(
    `| ${work} | ${side(make, makeBuilds)} | ${side(ours, ourBuilds)} | ${ratio} | ${Math.round(ours.memory)} MiB |`,
  );
  note(rows.at(-1) ?? '');
}

const edits = {
  touch: (root: string) => {
    const path = join(root, 'packages/core/busybox/Containerfile');
    const now = new Date();
    utimesSync(path, now, now);
  },
  comment: (root: string) => {
    const path = join(root, 'packages/core/busybox/Containerfile');
    writeFileSync(path, `# a comment\n${readFileSync(path, 'utf8')}`);
  },
  content: (root: string) => writeFileSync(join(root, 'packages/core/busybox/payload'), 'other bytes\n'),
};

const quick = process.argv.includes('--quick');
const daemons = await Promise.all([startDaemon(), startDaemon()]);
const [first, second] = daemons;
if (first === undefined || second === undefined) throw new Error('two daemons');
const managed = ourSide('managed', null);
try {
  const make = makeSide(first);
  const ours = ourSide('ours', second.address);
  note('cold: make, then ours on the same kind of BuildKit, then ours on the managed one');
  const makeCold = await make.world();
  const coldBuilds = make.builds(makeCold);
  const ourCold = await ours.world();
  row('all, cold, the same BuildKit', makeCold, coldBuilds, ourCold, ours.builds(ourCold));
  const managedCold = await managed.world();
  row('all, cold, our managed BuildKit', makeCold, coldBuilds, managedCold, managed.builds(managedCold));
  compareDigests(make.root, ours.root, managed.root);
  const idle = await median(SHORT_RUNS, make.world);
  const ourIdle = await median(SHORT_RUNS, ours.world);
  row('nothing to do', idle, make.builds(idle), ourIdle, ours.builds(ourIdle));
  for (const [name, edit] of Object.entries(edits)) {
    edit(ours.root);
    const our = await ours.world();
    if (quick) {
      note(`${name}: ${our.seconds.toFixed(2)} s, ${ours.builds(our)} builds`);
      continue;
    }
    edit(make.root);
    const theirs = await make.world();
    row(`${name} of core-busybox`, theirs, make.builds(theirs), our, ours.builds(our));
    compareDigests(make.root, ours.root);
  }
  print(
    '| work | make -j4: time, CPU, builds | stx-make: time, CPU, builds | ratio | peak memory |\n|---|---|---|---|---|',
  );
  print(rows.join('\n'));
} finally {
  await managed.stop().catch(() => {});
  await Promise.all(daemons.map((daemon) => daemon.stop()));
  if (process.argv.includes('--keep')) note(folder);
  else rmSync(folder, { recursive: true, force: true });
}

/** Recipes that need only each other, until they give so many targets. */
function firstRecipes(shape: readonly TwinRecipe[], wanted: number): TwinRecipe[] {
  const chosen: TwinRecipe[] = [];
  const given = new Set<string>();
  const isOpen = (recipe: TwinRecipe): boolean =>
    !chosen.includes(recipe) &&
    Object.values(recipe.targets).every(({ deps }) =>
      deps.every((name) => given.has(name) || `${recipe.stage}-${recipe.name}` === name),
    );
  for (let next = shape.find(isOpen); next !== undefined && given.size < wanted; next = shape.find(isOpen)) {
    chosen.push(next);
    for (const name of Object.keys(next.targets)) given.add(`${next.stage}-${name}`);
  }
  return chosen;
}

/** All three must have given the same, or the comparison is of different work. */
function compareDigests(make: string, ...others: readonly string[]): void {
  const digest = (root: string, name: string): string => {
    const read = (path: string) =>
      JSON.parse(readFileSync(path, 'utf8')) as { manifests: { digest: string }[] };
    const layout = join(root, 'out', name);
    const index = read(join(layout, 'index.json')).manifests[0]?.digest ?? '';
    return read(join(layout, 'blobs/sha256', index.slice(7))).manifests[0]?.digest ?? '';
  };
  const differing = targetNames().filter((name) =>
    others.some((root) => digest(root, name) !== digest(make, name)),
  );
  if (differing.length > 0) throw new Error(`other digests than make's: ${differing.slice(0, 5).join(' ')}`);
  note(`${targetNames().length} manifest digests equal on all sides`);
}
