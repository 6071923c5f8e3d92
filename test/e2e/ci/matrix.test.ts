/** `matrix` as a user runs it, on this repository's own tree: what it says, what it writes, and that what is kept here is that. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { documentOf, stx } from '../../rig/cli.ts';

const REPOSITORY = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));

let folder: string;
const here = () => ({ cwd: REPOSITORY, state: join(folder, 'state') });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'stx-matrix-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface MatrixDocument {
  readonly shards: number;
  readonly targets: number;
  readonly durations: { readonly from: string; readonly known: number };
  readonly expected: number;
  readonly bound: number;
  readonly work: number;
  readonly criticalPath: { readonly targets: readonly string[]; readonly expected: number };
  readonly choices: readonly { readonly shards: number; readonly expected: number }[];
  readonly plan: readonly {
    readonly shard: number;
    readonly of: number;
    readonly targets: readonly string[];
    readonly expected: number;
    readonly platforms: readonly string[];
  }[];
  readonly include: readonly { readonly shard: number; readonly of: number }[];
}

async function document(...words: string[]): Promise<MatrixDocument> {
  return documentOf<MatrixDocument>(await stx(['matrix', '--json', ...words], here()));
}

test('every target is given to one shard; times add up; the same again', async () => {
  const graph = documentOf<{ targets: { name: string }[] }>(await stx(['graph', '--format', 'json'], here()));
  const names = graph.targets.map(({ name }) => name);
  const durations = join(folder, 'durations.json');
  const given = Object.fromEntries(
    names.slice(1).map((name, index) => [name, 60_000 * (1 + (index % 7) ** 2)]),
  );
  writeFileSync(durations, JSON.stringify({ ...given, 'no-such-target': 5 }));
  const told = await document('--shards', '3', '--durations', durations);
  expect(told).toMatchObject({ shards: 3, durations: { from: 'file', known: names.length - 1 } });
  expect(told.plan.flatMap(({ targets }) => targets).sort()).toEqual(names);
  expect(told.plan.reduce((sum, { expected }) => sum + expected, 0)).toBe(told.work);
  expect(told.expected).toBeGreaterThanOrEqual(told.bound);
  expect(told.criticalPath.expected).toBeLessThanOrEqual(told.bound);
  expect(told.include.map(({ shard, of }) => `${shard}/${of}`)).toEqual(['1/3', '2/3', '3/3']);
  expect(await document('--shards', '3', '--durations', durations)).toEqual(told);
  const chosen = await document('--durations', durations);
  const best = Math.min(...chosen.choices.map(({ expected }) => expected));
  expect(chosen.expected * 0.95).toBeLessThanOrEqual(best);
  const line = await stx(['matrix', '--format', 'github', '--durations', durations, '--shards', '2'], here());
  expect(line.stdout.trim().split('\n')).toHaveLength(1);
  expect(JSON.parse(line.stdout)).toMatchObject({
    include: [
      { shard: 1, of: 2 },
      { shard: 2, of: 2 },
    ],
  });
});

test('a table for people, also where nothing is known', async () => {
  const { code, stdout } = await stx(['matrix'], here());
  expect(code).toBe(0);
  expect(stdout).toContain('no durations are known');
  expect(stdout).toMatch(/longest chain: .*bootstrap-hex0/);
  expect(stdout).toMatch(/shard +targets +builds +ends after +platforms/);
});

test('what can not be is said, with exit 2', async () => {
  const bad = join(folder, 'bad.json');
  writeFileSync(bad, '{ "core-musl": "long" }');
  for (const [words, text] of [
    [['--shards', '257'], 'at most 256'],
    [['--write', 'gitlab', '--shards', '201'], 'at most 200'],
    [['--write'], 'github, forgejo, gitlab'],
    [['github'], 'only with --write'],
    [['--write', 'jenkins'], 'jenkins'],
    [['--write', 'github', '--shards', '2', '--for', 'ever'], '--for is given "ever"'],
    [['--durations', bad], '"core-musl"'],
    [['--durations', join(folder, 'none.json')], 'can not be read'],
  ] as const) {
    const { code, stderr } = await stx(['matrix', ...words], here());
    expect([code, stderr]).toEqual([2, expect.stringContaining(text)]);
  }
});

test('the workflows kept in this repository are what the command in their heads writes', async () => {
  const kept = join(REPOSITORY, '.github', 'workflows');
  const files = readdirSync(kept).filter((name) => name.startsWith('stx-make-'));
  expect(files.sort()).toEqual(['stx-make-nightly.yml', 'stx-make-pull-request.yml']);
  for (const name of files) {
    const text = readFileSync(join(kept, name), 'utf8');
    const [, words = ''] = /^# Written by: stx-make (.*)$/m.exec(text) ?? [];
    const out = join(folder, 'out');
    const { code } = await stx([...words.split(' '), '--output', out], here());
    expect(code).toBe(0);
    expect(readFileSync(join(out, '.github', 'workflows', name), 'utf8')).toBe(text);
  }
});
