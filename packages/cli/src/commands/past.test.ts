/** What looking back prints: history, stats, lineage, the outlook of status; and names of runs that mean none. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { line } from '../testing/line.ts';

test('history: newest first, with how each ended', async () => {
  expect((await line(['history'])).stdout).toBe(
    'r2  2026-11-23 13:00    1h00m  ok           1 built  stx-make world\n' +
      'r1  2026-11-23 11:00    1h00m  FAILED       1 failed  stx-make world\n',
  );
  const { runs } = JSON.parse((await line(['history', '--json', '-n', '1'])).stdout);
  expect(runs).toEqual([
    {
      run: 'r2',
      root: '/tree',
      command: 'stx-make world',
      started: '2026-11-23T13:00:00.000Z',
      seconds: 3_600,
      ok: true,
      interrupted: false,
      stopped: null,
      counts: { targets: 5, hit: 4, built: 1, unchanged: 0, failed: 0, skipped: 0 },
    },
  ]);
});

test('stats: builds over time, times of those that gave something', async () => {
  const { stdout } = await line(['stats', 'musl']);
  expect(stdout).toContain('2026-11-23 14:00  built       3.00 s   2.0 KiB  sha256:r2r2r2r2r2r2  r2');
  expect(stdout).toContain('2026-11-23 12:00  FAILED      0.50 s');
  expect(stdout).toContain('core-musl: 2 builds, 1 failed, 1 output; 3.00 s to 3.00 s, median 3.00 s');
  expect((await line(['stats', 'htop'])).stdout).toBe('user-htop was never built here\n');
  expect(JSON.parse((await line(['stats', 'htop', '--json'])).stdout)).toMatchObject({
    target: 'user-htop',
    builds: [],
    seconds: { least: null, median: null, most: null },
    outputs: 0,
  });
});

test('lineage: from the seed up, each hop with digest and place', async () => {
  const { stdout } = await line(['lineage', 'core-rust']);
  expect(stdout.split('\n').map((text) => text.trim().split(/\s+/).slice(0, 2))).toEqual([
    ['seed', 'bootstrap-seed:'],
    ['0', 'bootstrap-seed'],
    ['1', 'core-musl'],
    ['2', 'core-rust'],
    [''],
  ]);
  const { hops } = JSON.parse((await line(['lineage', 'core-rust', '--json'])).stdout);
  expect(hops[1]).toMatchObject({ target: 'core-musl', needs: { kind: 'copy' } });
});

test('status says what a world would do, and on demand every target', async () => {
  const { stdout } = await line(['status', '--targets']);
  expect(stdout).toContain('a world builds 1 target, in about 1.00 s\n');
  expect(stdout).toContain('build    core-musl  Containerfile changed\n');
  expect(stdout).toContain(`hit      core-rust  sha256:${'0'.repeat(64)}\n`);
  expect(JSON.parse((await line(['status', '--json'])).stdout)).toMatchObject({
    ahead: { least: 1, most: 1, guessed: 0, path: ['core-musl'] },
  });
});

test('report: no run, no such run, several of the name', async () => {
  const state = mkdtempSync(join(tmpdir(), 'stx-past-'));
  try {
    const report = async (...words: string[]) => {
      const { code, stdout } = await line(['report', ...words, '--state', state, '--json']);
      return [code, JSON.parse(stdout).errors[0].code];
    };
    expect(await report()).toEqual([2, 'no-run']);
    for (const run of ['20261123-1', '20261123-2']) {
      mkdirSync(join(state, 'logs', run), { recursive: true });
      writeFileSync(join(state, 'logs', run, 'events.ndjson'), 'no event');
    }
    expect(await report('2026')).toEqual([2, 'ambiguous-run']);
    expect(await report('2027')).toEqual([2, 'unknown-run']);
    expect(await report('20261123-1')).toEqual([2, 'bad-events']);
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
});
