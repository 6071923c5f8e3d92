/**
 * Real runs on the managed BuildKit, killed at random points: stx-make, its whole group, a buildctl, buildkitd, its
 * supervisor, all at once. The next run must end with the digests of an undisturbed one, every byte of out/ right, and
 * nothing left behind: no process, no mount, no work folder, no temporary.
 *
 * STX_KILLS=N runs instead of the few; STX_KILLS_SEED=S repeats. Needs root.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stopManaged } from '../../../packages/scheduler/src/buildkit/managed.ts';
import { Random } from '../../property/random.ts';
import { documentOf, type RunDocument, type Running, start, stx } from '../../rig/cli.ts';
import { startDaemon } from '../../rig/daemon.ts';
import { memoryOf } from '../buildkit/managed-support.ts';
import {
  edit,
  KILLS,
  type Kill,
  kill,
  litterOf,
  marked,
  mountsOf,
  strangers,
  TARGETS,
  writeLongTree,
  writeTree,
} from './kill-world.ts';
import { layoutFaults } from './world.ts';

const RUNS = Number(process.env['STX_KILLS'] ?? 12);
const SEED = Number(process.env['STX_KILLS_SEED'] ?? Date.now() % 1_000_000);
/** After so many rounds the state folder is begun anew: both a young one and one with a past are killed. */
const VARIANTS = 2;

let folder: string;
let root: string;
let state: string;
const right: Record<string, string | null>[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stx-kills-'));
  root = join(folder, 'tree');
  state = join(folder, 'state-0');
  writeTree(root);
  const daemon = await startDaemon();
  try {
    for (let variant = 0; variant < VARIANTS; variant += 1) {
      edit(root, variant);
      const args = ['world', '--json', '--worker', daemon.address, '--out', join(folder, 'right')];
      right.push(digestsOf(await ran(args, join(folder, 'state-right'))));
    }
  } finally {
    await daemon.stop();
  }
  expect(new Set(right.map((digests) => JSON.stringify(digests))).size).toBe(VARIANTS);
});
afterAll(async () => {
  await stopManaged(state);
  removeMemory();
  rmSync(folder, { recursive: true, force: true });
});

/** What a daemon that was stopped keeps in memory for its next start. */
function removeMemory(): void {
  for (const name of memoryOf(state)) rmSync(join('/dev/shm', name), { recursive: true });
}

const digestsOf = ({ targets }: RunDocument): Record<string, string | null> =>
  Object.fromEntries(targets.map(({ name, digest }) => [name, digest]));

/** A run that must end well. */
async function ran(args: readonly string[], of: string): Promise<RunDocument> {
  const finished = await stx(args, { cwd: root, state: of });
  if (finished.code !== 0) throw new Error(`exit ${finished.code}:\n${finished.stdout}\n${finished.stderr}`);
  return documentOf<RunDocument>(finished);
}

test(`${RUNS} runs killed at random points (seed ${SEED}): the next one goes on`, async () => {
  const random = new Random(SEED);
  const wrong: string[] = [];
  const kills = new Map<Kill, number>(KILLS.map((what) => [what, 0]));
  const began = performance.now();
  for (let round = 0; round < RUNS && wrong.length < 10; round += 1) {
    const what = KILLS[round % KILLS.length] ?? 'all';
    if (round % (2 * VARIANTS) === 0 && round > 0) await beginAnew(wrong, round);
    const variant = round % VARIANTS;
    edit(root, variant);
    // What this state folder has seen is built again all the same.
    const again = round % (2 * VARIANTS) < VARIANTS ? [] : ['--no-cache'];
    const run = start(['world', '--ui', 'plain', ...again], { cwd: root, state });
    const ends = random.below(TARGETS);
    const ms = random.below(400);
    const killed = await killAfter(run, what, ends, ms);
    kills.set(what, (kills.get(what) ?? 0) + Math.sign(killed));
    await run.finished;
    const faults = await runOn(variant);
    wrong.push(
      ...faults.map((fault) => `round ${round}, ${what} killed ${ms} ms after ${ends} ends: ${fault}`),
    );
  }
  await beginAnew(wrong, RUNS);
  const seconds = Math.round((performance.now() - began) / 1000);
  const figures = [...kills].map(([what, count]) => `${what} ${count}`).join(', ');
  process.stdout.write(
    `kills: ${RUNS} runs in ${seconds} s (${figures}), ${wrong.length} wrong, seed ${SEED}\n`,
  );
  expect(wrong).toEqual([]);
  expect([...kills.values()].filter((count) => count > 0).length).toBeGreaterThan(KILLS.length / 2);
}, 7_200_000);

/** Kills when so many targets have ended and a moment more has passed. @returns how many processes */
async function killAfter(run: Running, what: Kill, ends: number, ms: number): Promise<number> {
  const over = new AbortController();
  const isOver = run.finished.then(() => over.abort());
  while (!over.signal.aborted && run.text().split(/ (?:built|unchanged)\b/).length <= ends) {
    await Promise.race([run.more(), isOver]).catch(() => {});
  }
  await setTimeout(ms, null, { signal: over.signal }).catch(() => {});
  let killed = 0;
  // What is to be killed may not be there yet.
  while (!over.signal.aborted && killed === 0) {
    killed = await kill(what, run, state);
    if (killed === 0) await setImmediate();
  }
  return killed;
}

/** The next run, and what it leaves. */
async function runOn(variant: number): Promise<string[]> {
  const out = join(root, 'out');
  const faults: string[] = [];
  for (const which of ['next run', 'run after it']) {
    const finished = await stx(['world', '--json'], { cwd: root, state });
    if (finished.code !== 0)
      return [`${which}: exit ${finished.code}: ${finished.stdout} ${finished.stderr}`];
    const document = documentOf<RunDocument>(finished);
    for (const [name, digest] of Object.entries(right[variant] ?? {})) {
      const got = digestsOf(document)[name];
      if (got !== digest) faults.push(`${which}: ${name} is ${got}, not ${digest}`);
      faults.push(...layoutFaults(join(out, name), digest).map((fault) => `${which}: ${name}: ${fault}`));
    }
    if (which === 'run after it' && document.counts.hit !== TARGETS) {
      faults.push(`${which}: ${JSON.stringify(document.counts)}`);
    }
  }
  faults.push(...litterOf(state, out).map((name) => `left: ${name}`));
  faults.push(...(await strangers(state)).map((name) => `left: process ${name}`));
  return faults;
}

test('kill -9 of stx-make in a long step: its buildctl and the step end with it, and who waits goes on at once', async () => {
  const long = join(folder, 'long');
  writeLongTree(long);
  const run = start(['world', '--ui', 'plain'], { cwd: long, state });
  await expect.poll(() => marked().length, { timeout: 60_000 }).toBeGreaterThan(0);
  const second = start(['world', '--ui', 'plain'], { cwd: long, state });
  await second.saw(/waiting for another run/);
  expect(await kill('stx-make', run, state)).toBe(1);
  await run.finished;
  await second.saw(/core-long started/);
  expect(await kill('stx-make', second, state)).toBe(1);
  await second.finished;
  await expect.poll(async () => [...(await strangers(state)), ...marked()], { timeout: 20_000 }).toEqual([]);
});

/** Ends the daemon, after which nothing may be left; then another state folder. */
async function beginAnew(wrong: string[], round: number): Promise<void> {
  await stopManaged(state);
  const look = async (): Promise<string[]> => [...(await strangers(state)), ...mountsOf(state)];
  // It has said goodbye, and is about to end.
  await expect
    .poll(look, { timeout: 10_000 })
    .toEqual([])
    .catch(() => {});
  const left = await look();
  wrong.push(...left.map((what) => `before round ${round}, left by a daemon that ended: ${what}`));
  removeMemory();
  rmSync(state, { recursive: true });
  rmSync(join(root, 'out'), { recursive: true });
  state = join(folder, `state-${round}`);
  mkdirSync(state);
}
