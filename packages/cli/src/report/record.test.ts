/** Recorded runs: written, replayed in every view, damaged ones told; traces; CI systems. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunEvent } from '@stx-make/core/events';
import { afterAll, expect, test } from 'vitest';
import { madeRun } from '../testing/events.ts';
import { testIo } from '../testing/io.ts';
import { line } from '../testing/line.ts';
import { testServices } from '../testing/services.ts';
import { emptyView } from '../view/model.ts';
import { fold } from '../view/state.ts';
import { detectCi, summaryMarkdown } from './ci.ts';
import { Trace } from './trace.ts';

const folder = mkdtempSync(join(tmpdir(), 'stx-record-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const events = madeRun({ targets: 12, jobs: 3, failing: [5] });

test('what --events writes is what happened, and replays to the same lines and document', async () => {
  const file = join(folder, 'run.ndjson');
  const first = await line(['world', '--events', file], testServices(events));
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  expect(lines.map((text) => JSON.parse(text) as RunEvent)).toEqual(events);
  const again = await line(['replay', file]);
  expect([again.code, again.stdout]).toEqual([0, first.stdout]);
  const document = JSON.parse((await line(['replay', file, '--json'])).stdout) as Record<string, unknown>;
  expect(document).toMatchObject({ schema: 1, ok: false, counts: { targets: 12, failed: 1 } });
  expect(document['targets']).toHaveLength(12);
  expect((await line(['replay', file, '--ui', 'quiet'])).stdout).toMatch(/^user-target-5 failed/);
});

test('--events - gives stdout to the events, the lines go to stderr; not together with --json', async () => {
  const { stdout, stderr } = await line(['world', '--events', '-'], testServices(events));
  expect(stdout.trimEnd().split('\n')).toHaveLength(events.length);
  expect(stderr).toContain('failed: 12 targets');
  expect((await line(['world', '--events', '-', '--json'])).code).toBe(2);
});

test('damaged recordings: the place is told; a cut last line and unknown events are forgiven', async () => {
  const file = join(folder, 'bad.ndjson');
  const text = events.map((event) => JSON.stringify(event));
  const replay = async (lines: readonly string[]) => {
    writeFileSync(file, lines.join('\n'));
    return await line(['replay', file]);
  };
  expect((await replay(text.slice(1))).stderr).toContain(
    ':1: not a recorded run: the first event is not run-started',
  );
  const broken = await replay([...text.slice(0, 3), '{"at":', ...text.slice(3)]);
  expect([broken.code, broken.stderr]).toEqual([
    2,
    expect.stringContaining('bad.ndjson:4: not a recorded run: this line is no JSON'),
  ]);
  expect((await replay([...text.slice(0, 5), '{"at":1,"ty'])).code).toBe(0);
  expect(
    (await replay([...text.slice(0, 2), '{"at":1,"type":"from-the-future"}', ...text.slice(2)])).code,
  ).toBe(0);
  expect((await replay([])).code).toBe(2);
  expect((await replay([text[0]?.replace('"schema":1', '"schema":9') ?? ''])).code).toBe(2);
  expect((await line(['replay', join(folder, 'nothing')])).code).toBe(2);
  expect((await line(['world', '--events', '/proc/nothing'])).code).toBe(3);
});

test('a trace: every build one bar, bars of one lane never overlap, steps end', () => {
  const trace = new Trace();
  for (const event of events) trace.take(event);
  const bars = trace.events.filter(({ ph }) => ph === 'X') as {
    name: string;
    ts: number;
    dur: number;
    tid: number;
  }[];
  expect(new Set(bars.map(({ name }) => name)).size).toBe(bars.length);
  expect(bars).toHaveLength(events.filter(({ type }) => type === 'target-started').length);
  for (const tid of new Set(bars.map((bar) => bar.tid))) {
    const lane = bars.filter((bar) => bar.tid === tid).sort((a, b) => a.ts - b.ts);
    for (const [i, bar] of lane.entries())
      expect(bar.ts).toBeGreaterThanOrEqual((lane[i - 1]?.ts ?? 0) + (lane[i - 1]?.dur ?? 0));
  }
  expect(Math.max(...bars.map(({ tid }) => tid))).toBe(3);
  const count = (ph: string): number => trace.events.filter((event) => event['ph'] === ph).length;
  expect(count('b')).toBe(count('e'));
  expect(count('C')).toBeGreaterThan(0);
});

test('a trace is in the format that viewers read: every event has the fields of its kind', () => {
  const trace = new Trace();
  for (const event of events) trace.take(event);
  // Trace Event Format: what each phase must have beside pid and tid.
  const fields = new Map<string, (event: Record<string, unknown>) => boolean>([
    ['X', ({ ts, dur, name }) => Number(ts) >= 0 && Number(dur) >= 0 && typeof name === 'string'],
    ['b', ({ ts, id, cat, name }) => Number(ts) >= 0 && Boolean(id) && Boolean(cat) && Boolean(name)],
    ['e', ({ ts, id, cat, name }) => Number(ts) >= 0 && Boolean(id) && Boolean(cat) && Boolean(name)],
    ['C', ({ ts, args }) => Number(ts) >= 0 && Object.values(Object(args)).every(Number.isFinite)],
    ['i', ({ ts, s }) => Number(ts) >= 0 && s === 'g'],
    ['M', ({ name, args }) => /^(process|thread)_name$/.test(String(name)) && 'name' in Object(args)],
  ]);
  const read = JSON.parse(JSON.stringify(trace.events)) as Record<string, unknown>[];
  const wrong = read.filter(
    (event) =>
      !Number.isInteger(event['pid']) ||
      !Number.isInteger(event['tid']) ||
      fields.get(String(event['ph']))?.(event) !== true,
  );
  expect(wrong).toEqual([]);
  const named = (name: string) =>
    read.filter((event) => event['name'] === name).map(({ pid, tid }) => `${pid} ${tid}`);
  const lanes = read.filter(({ ph }) => ph === 'X').map(({ pid, tid }) => `${pid} ${tid}`);
  expect(named('thread_name').sort()).toEqual([...new Set(lanes)].sort());
});

test('in Actions a failure is a group and an annotation; build output can give no commands', async () => {
  const page = join(folder, 'summary.md');
  const noise = '##[add-mask]x ::set-output name=a::b';
  const noisy = madeRun({ targets: 6, jobs: 1, failing: [2], noise });
  const env = { GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: '/', GITHUB_STEP_SUMMARY: page };
  const { stdout } = await line(['world'], testServices(noisy), testIo(env));
  const commands = stdout
    .split('\n')
    .filter((text) => text.trimStart().startsWith('::') || text.includes('##['));
  expect(commands).toEqual([
    expect.stringMatching(/^::group::core-target-2 failed after/),
    '::endgroup::',
    '::error title=core-target-2 failed,file=tree/packages/core/x/Containerfile,line=12::make: *** [all] Error 2 ## [add-mask]x ::set-output name=a::b',
  ]);
  const summary = readFileSync(page, 'utf8');
  expect(summary).toContain('| 6 | 0 | 4 |');
  expect(summary).toContain('<b>core-target-2</b>');
  expect(detectCi({ GITHUB_ACTIONS: '' })).toBeNull();
});

test('a summary page holds text, not markup', () => {
  const view = emptyView();
  for (const event of madeRun({
    targets: 4,
    jobs: 1,
    failing: [1],
    noise: '</pre><script>alert(1)</script> `x` [l](u)',
  }))
    fold(view, event);
  const text = summaryMarkdown(view);
  expect(text).not.toMatch(/<script|\[l\]\(u\)|`/);
});
