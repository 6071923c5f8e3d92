/**
 * A written night played from its own file: every job in a checkout and with a home of its own, its scripts run by bash as
 * a runner does it, shards at once, a registry that wants a login between them. The actions of others are left out: caches
 * only save time, and artifacts are looked at where they lie.
 */
import { spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { REPOSITORY, stx } from '../../rig/cli.ts';
import { PASSWORD, TestRegistry, USER } from '../../rig/registry.ts';
import { writeBusybox, writeRecipes } from '../../rig/tree.ts';

interface Job {
  readonly steps: readonly {
    readonly name: string;
    readonly run?: string;
    readonly env?: Readonly<Record<string, string>>;
  }[];
}
interface Workflow {
  readonly env: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

let folder: string;
let registry: TestRegistry;
const machines: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stx-night-'));
  registry = await TestRegistry.start({ login: true });
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const bundle = join(REPOSITORY, 'packages/cli/dist/stx-make.js');
  writeFileSync(join(bin, 'stx-make'), `#!/bin/sh\nexec "${process.execPath}" "${bundle}" "$@"\n`);
  writeFileSync(join(bin, 'sudo'), '#!/bin/sh\n[ "$1" != -E ] || shift\nexec "$@"\n');
  for (const name of ['stx-make', 'sudo']) chmodSync(join(bin, name), 0o755);
  const tree = join(folder, 'tree');
  writeBusybox(tree);
  const step = (name: string, needs: readonly string[]) =>
    [
      'FROM stagex/core-busybox AS build',
      ...needs.map((each) => `COPY --from=stagex/core-${each} . /`),
      `RUN --network=none ["/bin/busybox", "sh", "-c", "echo ${name} > /${name}"]`,
      'FROM scratch AS package',
      `COPY --from=build /${name} /${name}`,
      '',
    ].join('\n');
  writeRecipes(tree, {
    'core/a': step('a', []),
    'core/b': step('b', []),
    'core/c': step('c', ['a']),
    'core/d': step('d', ['b']),
    'core/e': step('e', ['c', 'd']),
  });
  mkdirSync(join(tree, '.git'));
});
afterAll(async () => {
  for (const cwd of machines) await stx(['daemon', 'stop'], { cwd, state: join(cwd, 'stx-make-state') });
  await registry[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** A fresh checkout on a fresh machine. */
function machine(name: string): string {
  const root = join(folder, 'machines', name);
  cpSync(join(folder, 'tree'), root, { recursive: true });
  machines.push(root);
  return root;
}

const filled = (value: string, expressions: Readonly<Record<string, string>>): string =>
  value.replaceAll(/\$\{\{ (.*?) \}\}/g, (_, expression: string) => {
    const known = expressions[expression];
    if (known === undefined) throw new Error(`what is ${expression}?`);
    return known;
  });

/** Runs a job's scripts one after the other. @returns the last one's exit code, and all that was printed */
async function play(
  workflow: Workflow,
  name: string,
  cwd: string,
  more: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number | null; readonly text: string }> {
  const expressions = {
    'github.run_id': '41',
    'github.run_attempt': '1',
    'github.actor': USER,
    'secrets.GITHUB_TOKEN': PASSWORD,
    ...more,
  };
  const fill = (env: Readonly<Record<string, string>> = {}) =>
    Object.fromEntries(Object.entries(env).map(([key, value]) => [key, filled(value, expressions)]));
  const home = `${cwd}.home`;
  mkdirSync(home, { recursive: true });
  const files = { GITHUB_ENV: join(home, 'env'), GITHUB_STEP_SUMMARY: join(home, 'summary.md') };
  let text = '';
  let code: number | null = 0;
  for (const step of workflow.jobs[name]?.steps ?? []) {
    if (step.run === undefined || code !== 0) continue;
    const kept = existsSync(files.GITHUB_ENV) ? readFileSync(files.GITHUB_ENV, 'utf8') : '';
    const child = spawn('bash', ['-e', '-c', step.run], {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        BUILDKIT_HOST: '',
        CI: 'true',
        PATH: [join(folder, 'bin'), process.env['PATH']].join(delimiter),
        HOME: home,
        RUNNER_TEMP: home,
        ...files,
        ...fill(workflow.env),
        ...Object.fromEntries(
          kept.split('\n').flatMap((line) => (line === '' ? [] : [line.split(/=(.*)/).slice(0, 2)])),
        ),
        ...fill(step.env),
      },
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
    }
    code = await new Promise((resolve) => child.once('close', resolve));
  }
  return { code, text };
}

/** The night's workflow, as the command writes it. */
async function night(shards: number, time: string): Promise<Workflow> {
  const words = ['--shards', String(shards), '--for', time, '--remote', `${registry.host}/night`];
  const written = await stx(['matrix', '--write', 'github', ...words, '--output', folder], {
    cwd: join(folder, 'tree'),
    state: join(folder, 'state'),
  });
  expect([written.code, written.stderr]).toEqual([0, '']);
  return parse(readFileSync(join(folder, '.github/workflows/stx-make-nightly.yml'), 'utf8')) as Workflow;
}

test('sources, two shards at once, collect: every target once, one report', async () => {
  const workflow = await night(2, '20m');
  expect(await play(workflow, 'sources', machine('sources'))).toMatchObject({ code: 0 });
  const shards = await Promise.all(
    ['1', '2'].map((shard) => play(workflow, 'shard', machine(`shard-${shard}`), { 'matrix.shard': shard })),
  );
  for (const { code, text } of shards) expect(code, text).toBe(0);
  const collector = machine('collect');
  const collected = await play(workflow, 'collect', collector);
  expect(collected.code, collected.text).toBe(0);

  const events = readFileSync(join(collector, 'events.ndjson'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; target?: string; result?: string });
  const built = events.filter(({ type, result }) => type === 'target-finished' && result === 'built');
  expect(built.map(({ target }) => target).sort()).toEqual(
    ['a', 'b', 'busybox', 'c', 'd', 'e'].map((name) => `core-${name}`),
  );
  expect(readFileSync(join(collector, 'report.html'), 'utf8')).toContain('core-busybox');
  expect(readFileSync(join(`${collector}.home`, 'summary.md'), 'utf8')).toContain('| shard | end |');
  for (const shard of ['1', '2'])
    expect(existsSync(join(folder, 'machines', `shard-${shard}`, 'events.ndjson'))).toBe(true);
});

test('a night whose time was up is no failure, and says so; the next one finds what is done', async () => {
  writeRecipes(join(folder, 'tree'), {
    'core/long': 'FROM stagex/core-busybox AS package\nRUN --network=none ["/bin/busybox", "sleep", "473"]\n',
  });
  const workflow = await night(1, '1s');
  const run = { 'github.run_id': '42', 'matrix.shard': '1' };
  const shard = await play(workflow, 'shard', machine('short'), run);
  expect(shard.code, shard.text).toBe(0);
  expect(shard.text).toContain('::notice::The time was up');
  expect(shard.text).not.toContain('core-long built');
  const collected = await play(workflow, 'collect', machine('collect-short'), run);
  expect(collected.code, collected.text).toBe(0);
  expect(collected.text).toMatch(/left: the time of shard 1 was up.*::notice::The time was up/s);
  writeRecipes(join(folder, 'tree'), { 'core/long': 'FROM stagex/core-busybox AS package\n' });
  const next = await play(await night(1, '20m'), 'shard', machine('next'), { ...run, 'github.run_id': '43' });
  expect(next.code, next.text).toBe(0);
  expect(next.text).toMatch(/done: 7 targets: 1 built, 6 up to date/);
});
