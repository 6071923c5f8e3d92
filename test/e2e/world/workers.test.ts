/**
 * `world` on daemons of one's own: digests do not depend on the state folder, the snapshotter, -j or on which daemon
 * built what; one killed midway costs only its builds in flight; the script of `plan --commands` gives the same.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { documentOf, type RunDocument, start, stx } from '../../rig/cli.ts';
import { startDaemon, type TestDaemon } from '../../rig/daemon.ts';
import { writeBusybox, writeRecipes } from '../../rig/tree.ts';

const WIDTH = 8;

let folder: string;
let root: string;
let daemons: TestDaemon[];
let digests: Record<string, string | null>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stx-workers-'));
  root = join(folder, 'tree');
  writeBusybox(root);
  const step = (name: string, seconds: number) =>
    `RUN --network=none ["/bin/busybox", "sh", "-c", "sleep ${seconds}; echo ${name} > /${name}"]`;
  for (let index = 0; index < WIDTH; index += 1) {
    writeRecipes(root, {
      [`core/low${index}`]: `FROM stagex/core-busybox AS build\n${step(`low${index}`, 0.4)}\nFROM scratch AS package\nCOPY --from=build /low${index} /\n`,
      [`core/high${index}`]: `FROM stagex/core-busybox AS build\nCOPY --from=stagex/core-low${index} . /\nCOPY --from=stagex/core-low${(index + 1) % WIDTH} . /\n${step(`high${index}`, 0.2)}\nFROM stagex/core-low${index} AS package\nCOPY --from=build /high${index} /\n`,
    });
  }
  daemons = await Promise.all([startDaemon(), startDaemon({ snapshotter: 'native' })]);
  const first = await world('one', addressOf(0));
  digests = digestsOf(first);
});
afterAll(async () => {
  await Promise.all(daemons.map((daemon) => daemon.stop()));
  rmSync(folder, { recursive: true, force: true });
});

const addressOf = (index: number) => daemons[index]?.address ?? '';
const digestsOf = (run: RunDocument) =>
  Object.fromEntries(run.targets.map(({ name, digest }) => [name, digest]));

/** A cold run: a state folder and outputs of its own. */
async function world(name: string, ...args: string[]): Promise<RunDocument> {
  const workers = args.filter((arg) => arg.startsWith('unix://')).flatMap((address) => ['--worker', address]);
  const rest = args.filter((arg) => !arg.startsWith('unix://'));
  const finished = await stx(['world', '--json', '--out', join(folder, `out-${name}`), ...workers, ...rest], {
    cwd: root,
    state: join(folder, name),
  });
  const document = documentOf<RunDocument>(finished);
  expect(document.errors).toBeUndefined();
  return document;
}

test('the native snapshotter, another state folder and -j 8 give the same digests', async () => {
  const second = await world('two', addressOf(1), '-j', '8');
  expect(second.counts.built).toBe(2 * WIDTH + 1);
  expect(digestsOf(second)).toEqual(digests);
});

test('the script of plan --commands gives the same digest on a fresh daemon', async () => {
  const daemon = await startDaemon();
  try {
    const target = 'core-high3';
    const plan = await stx(['plan', '--commands', target], { cwd: root, state: join(folder, 'three') });
    const script = join(folder, 'commands.sh');
    writeFileSync(script, plan.stdout);
    const printed = execFileSync('sh', [script, join(folder, 'script-work')], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, BUILDKIT_HOST: daemon.address, BUILDCTL: daemon.buildctl },
    });
    const lines = printed.split('\n').filter((line) => /^sha256:\S+ \S+$/.test(line));
    const built = Object.fromEntries(lines.map((line) => line.split(' ').reverse()));
    expect(Object.keys(built).sort()).toEqual(['core-busybox', target, 'core-low3', 'core-low4'].sort());
    for (const [name, digest] of Object.entries(built))
      expect(`${name} ${digest}`).toBe(`${name} ${digests[name]}`);
  } finally {
    await daemon.stop();
  }
});

test('a second run on the same state waits for the first, or with --no-wait fails at once with exit 3', async () => {
  const options = { cwd: root, state: join(folder, 'locked') };
  const args = ['world', '--ui', 'plain', '--worker', addressOf(0), '--out', join(folder, 'out-locked')];
  const first = start([...args, '--no-cache'], options);
  await first.saw(/started/);
  const refused = await stx([...args, '--no-wait'], options);
  expect(refused.code).toBe(3);
  expect(refused.stderr).toContain(`pid ${first.child.pid}`);
  const second = start(args, options);
  await second.saw(/waiting for another run/);
  expect((await first.finished).code).toBe(0);
  const waited = await second.finished;
  expect(waited.code).toBe(0);
  expect(waited.stdout + waited.stderr).toMatch(/nothing built/);
});

test('one of two daemons killed midway: its builds go to the other, digests equal, exit 0', async () => {
  const pair = await Promise.all([startDaemon(), startDaemon()]);
  const [keeps, dies] = pair;
  try {
    const running = start(
      ['world', '--ui', 'plain', '--no-cache', '-j', '2', '--out', join(folder, 'out-killed')].concat(
        pair.flatMap(({ address }) => ['--worker', address]),
      ),
      { cwd: root, state: join(folder, 'killed') },
    );
    await running.saw(/core-low\d built/);
    await dies?.kill();
    const finished = await running.finished;
    expect(`${finished.stdout}${finished.stderr}`).toMatch(/lost/);
    expect(finished.code).toBe(0);
    const again = await stx(
      ['world', '--json', '--worker', keeps?.address ?? '', '--out', join(folder, 'out-killed')],
      { cwd: root, state: join(folder, 'killed') },
    );
    const document = documentOf<RunDocument>(again);
    expect(document.counts.hit).toBe(2 * WIDTH + 1);
    expect(digestsOf(document)).toEqual(digests);
  } finally {
    await Promise.all(pair.map((daemon) => daemon.stop()));
  }
});

test('across runs a build goes to the worker that took what it needs before', async () => {
  const options = { cwd: root, state: join(folder, 'where') };
  const build = (target: string, ...workers: string[]) =>
    stx(['build', target, '--ui', 'plain', '--out', join(folder, 'out-where'), ...workers], options);
  const [near, far] = [`${addressOf(0)},name=near`, `${addressOf(1)},name=far`];
  expect((await build('core-low0', '--worker', far)).code).toBe(0);
  const second = await build('core-low1', '--worker', near, '--worker', far);
  // The first one named gets it where both are as good.
  expect(second.stdout).toMatch(/core-low1 started on far/);
});

test('a dead daemon is a clear error of the environment; nothing is lost', async () => {
  const finished = await stx(['world', '--json', '--worker', `unix://${folder}/nobody.sock`], {
    cwd: root,
    state: join(folder, 'dead'),
  });
  expect(finished.code).toBe(3);
  const { errors } = documentOf<{ errors: { code: string; tag: string; hint: string | null }[] }>(finished);
  expect(errors.map(({ tag }) => tag)).toEqual(['environment']);
  expect(errors[0]?.hint).toBeTruthy();
});
