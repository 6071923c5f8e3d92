/** The TUI in a real pseudo terminal, read by a terminal emulator. */
import type { RunEvent } from '@stx-make/core/events';
import { afterEach, expect, test, vi } from 'vitest';
import { type MadeRun, madeRun } from '../testing/events.ts';
import { type TerminalOptions, TestTerminal } from '../testing/terminal.ts';

/** A real program on a machine that may be busy. */
vi.setConfig({ testTimeout: 30_000 });

const open: TestTerminal[] = [];
afterEach(async () => {
  for (const terminal of open.splice(0)) await terminal.close();
});

async function start(options?: TerminalOptions): Promise<TestTerminal> {
  const terminal = await TestTerminal.start(options);
  open.push(terminal);
  return terminal;
}

/** The events up to (without) the n-th target that ends. */
function upTo(events: readonly RunEvent[], ends: number): RunEvent[] {
  let seen = 0;
  const at = events.findIndex(
    ({ type }) => (type === 'target-finished' || type === 'target-failed') && ++seen > ends,
  );
  return events.slice(0, at < 0 ? undefined : at);
}

const run = (options: Partial<MadeRun> = {}): RunEvent[] => madeRun({ targets: 60, jobs: 4, ...options });

test('lanes, running builds and sums; finished targets in the scrollback; the summary at the end', async () => {
  const terminal = await start();
  const events = run();
  const first = upTo(events, 10);
  await terminal.play(first);
  await terminal.shows((text) => text.includes('10 of 60') && /RUN make/.test(text), '10 of 60');
  const screen = terminal.screen().join('\n');
  expect(screen).toMatch(/^core +[█▏▎▍▌▋▊▉]+░+ +\d+\/\d+/m);
  expect(screen).toMatch(/^• \S+ +\[build \d\/\d\] RUN make +step \d.* \d+s/m);
  expect(screen).toMatch(/10 of 60 · \d+s/);
  expect(screen).toMatch(/^(built|unchanged) +\S+ +\d+\.\d+ s {2}sha256:[0-9a-f]{12}/m);
  await terminal.play(events.slice(first.length));
  terminal.end();
  expect(await terminal.exited()).toBe(0);
  const all = terminal.scrollback();
  expect(all.filter((line) => /^(built|unchanged) /.test(line))).toHaveLength(60);
  expect(all.at(-1)).toMatch(/^done: 60 targets: /);
  // Nothing of the live part stays.
  expect(all.join('\n')).not.toContain('░');
  expect(terminal.cursorHidden).toBe(false);
});

test('an update never clears the screen and is inside synchronized output', async () => {
  const terminal = await start();
  const events = run({ failing: [20] });
  for (let i = 0; i < events.length; i += 25) await terminal.play(events.slice(i, i + 25));
  terminal.end();
  await terminal.exited();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are looked for
  expect(terminal.raw).not.toMatch(/\u001b\[[0-3]?J|\u001b\[H|\u001bc|\u001b\[\?1049h/);
  expect(terminal.raw).toContain('\u001b[?2026h');
  expect(terminal.raw.split('\u001b[?2026h')).toHaveLength(terminal.raw.split('\u001b[?2026l').length);
});

test('no line is wider than the terminal and the live part never fills it, at any size', async () => {
  const terminal = await start({ columns: 40, rows: 10 });
  const events = run({ targets: 500, jobs: 30, failing: [7, 40, 41, 42, 43] });
  await terminal.play(upTo(events, 30));
  await terminal.shows((text) => text.includes('of 500'), 'the sums');
  for (const [columns, rows] of [
    [80, 24],
    [30, 6],
    [200, 50],
    [20, 4],
    [100, 12],
  ] as const) {
    terminal.resize(columns, rows);
    await terminal.play([{ at: 999_999, type: 'activity', id: 'x', text: 'tick', done: true }]);
    await terminal.shows(
      (_text, lines) => (lines.at(-1) ?? '').includes(' of 500'),
      `sums at ${columns}x${rows}`,
    );
    for (const line of terminal.screen()) expect(line.length).toBeLessThanOrEqual(columns);
  }
});

test('failures stay in sight, and builds beside them', async () => {
  const terminal = await start();
  const events = run({ failing: [2, 9] });
  await terminal.play(upTo(events, 14));
  await terminal.shows(
    (text) =>
      /^✗ core-target-\d+ exit 2 packages\/core\/x\/Containerfile:12 \[build 2\/3\] RUN make.*\n {2}make: \*\*\* \[all\] Error 2/m.test(
        text,
      ),
    'a failure with its step and cause',
  );
  expect(terminal.screen().join('\n')).toMatch(/^• /m);
});

test('build output can not write the terminal, in any view', async () => {
  const terminal = await start();
  const noise = '\u001b]0;owned\u0007\u001b[2J\u001b[31m\u009b5A\rX';
  const events = run({ failing: [3], noise });
  await terminal.play(upTo(events, 10));
  await terminal.shows((text) => text.includes('of 60'), 'the sums');
  terminal.type('b');
  await terminal.shows((text) => text.includes('all 60 of 60'), 'the list');
  await terminal.play(events.slice(upTo(events, 10).length));
  terminal.end();
  await terminal.exited();
  expect(terminal.raw).not.toContain('owned');
  expect(terminal.raw).not.toContain('\u001b]');
  expect(terminal.raw).not.toContain('\u001b[2J');
  expect(terminal.raw).not.toContain('\u009b');
});

test('Ctrl-C asks once and kills twice; the terminal is as before', async () => {
  const terminal = await start();
  await terminal.play(upTo(run(), 3));
  await terminal.shows((text) => text.includes('3 of 60'), 'the sums');
  expect(terminal.modes()).toContain('-icanon');
  terminal.type('\u0003');
  await terminal.said('stop');
  await terminal.play([{ at: 9999, type: 'stopping', text: 'interrupted' }]);
  await terminal.shows((text) => text.includes('stopping: interrupted'), 'stopping');
  terminal.type('\u0003');
  expect(await terminal.exited()).toBe(130);
  expect(terminal.raw).toContain('killed children');
  expect(terminal.cursorHidden).toBe(false);
});

test('q ends kindly', async () => {
  const terminal = await start();
  await terminal.play(upTo(run(), 3));
  await terminal.shows((text) => text.includes('3 of 60'), 'the sums');
  terminal.type('q');
  await terminal.said('stop');
  terminal.end();
  expect(await terminal.exited()).toBe(130);
  expect(terminal.cursorHidden).toBe(false);
});

test('keys: help, the list with filter, a target and why it waits, back', async () => {
  const terminal = await start();
  await terminal.play(upTo(run(), 8));
  await terminal.shows((text) => text.includes('8 of 60'), 'the sums');
  terminal.type('?');
  await terminal.shows((text) => text.includes('end the run kindly'), 'help');
  expect(terminal.screen().at(-1)).toMatch(/^8 of 60 · \d+s · \d running/);
  terminal.type('?');
  await terminal.shows((text) => text.includes('? help'), 'the sums again');
  terminal.type('/');
  await terminal.shows((text) => text.includes('/_'), 'the filter');
  terminal.type('target-5');
  await terminal.shows((text) => text.includes('all 11 of 60'), 'the filtered list');
  terminal.type('\r');
  await terminal.shows((text) => !text.includes('target-5_'), 'the filter taken');
  terminal.type('\t\t');
  await terminal.shows((text) => text.includes('waiting 10 of 60'), 'the waiting ones');
  terminal.type('\u001b[B\u001b[B');
  await terminal.shows((text) => /^▶ waiting/m.test(text), 'a selection');
  terminal.type('\r');
  await terminal.shows((text) => text.includes('needs') && text.includes('waits'), 'why it waits');
  terminal.type('qq');
  await terminal.shows((text) => text.includes('8 of 60 ·'), 'the first view');
});

test('NO_COLOR and a locale that is not UTF-8: no colours, ASCII only', async () => {
  const terminal = await start({ env: { NO_COLOR: '1', LANG: 'C', LC_ALL: '' } });
  const events = run({ failing: [5] });
  await terminal.play(upTo(events, 12));
  await terminal.shows((text) => text.includes('12 of 60'), 'the sums');
  const screen = terminal.screen().join('\n');
  expect(screen).toMatch(/^core +#+\.+ /m);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: everything that is not ASCII is looked for
  expect(screen).not.toMatch(/[^\u0000-\u007f]/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are looked for
  expect(terminal.raw).not.toMatch(/\u001b\[[0-9;]*m/);
});

test('TERM=dumb, CI and --ui plain get lines', async () => {
  for (const options of [
    { env: { TERM: 'dumb' } },
    { env: { CI: 'true' } },
    { words: ['world', '--ui', 'plain'] },
  ]) {
    const terminal = await start(options);
    await terminal.play(madeRun({ targets: 3, jobs: 1 }));
    terminal.end();
    expect(await terminal.exited()).toBe(0);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: cursor movements are looked for
    expect(terminal.raw).not.toMatch(/\u001b\[[0-9?]*[A-Hhl]/);
    expect(terminal.raw).toContain('[1/3] bootstrap-target-0');
  }
});

/** What was written since, in frames: synchronized output begins and ends each. */
function framesIn(raw: string): string[] {
  return raw.split('\u001b[?2026h').slice(1);
}

test('while builds run idle: one frame a second, under 5 % of a core', async () => {
  const terminal = await start();
  const events = upTo(run({ targets: 500, jobs: 8, hitEvery: 2 }), 1_000);
  // The first second of it: the view's clock does not run behind the events.
  await terminal.play(events.filter(({ at }) => at < 1_000));
  await terminal.shows((text) => / of 500 · \d+s/.test(text) && text.includes('RUN make'), 'the sums');
  const clock = (): number => Number(/ of 500 · (\d+)s/.exec(terminal.screen().join('\n'))?.[1]);
  const first = clock();
  const later = (by: number) => () => clock() - first >= by;
  // What came before has settled.
  await terminal.shows(later(1), 'a second more');
  const [cpu, raw, began] = [terminal.cpu(), terminal.raw.length, performance.now()];
  await terminal.shows(later(4), 'three seconds more');
  const seconds = (performance.now() - began) / 1_000;
  expect(framesIn(terminal.raw.slice(raw)).length).toBeLessThanOrEqual(2 * seconds + 1);
  expect((terminal.cpu() - cpu) / 1_000 / seconds).toBeLessThan(0.05);
});

test('a storm of events: ten frames a second, each of which rewrites the live part alone', async () => {
  const terminal = await start();
  const events = run({ targets: 500, jobs: 20, failing: [30, 60] });
  const began = performance.now();
  let before: string[] = [];
  const verdicts = (): string[] =>
    terminal.scrollback().filter((line) => /^(built|unchanged|FAILED) /.test(line));
  for (let i = 0; i < events.length; i += 150) {
    await terminal.play(events.slice(i, i + 150));
    const now = verdicts();
    // What is in the scrollback stays as it was.
    expect(now.slice(0, before.length)).toEqual(before);
    // The last one may just be being written.
    before = now.slice(0, -1);
  }
  const seconds = (performance.now() - began) / 1_000;
  const frames = framesIn(terminal.raw);
  expect(frames.length).toBeLessThanOrEqual(10 * seconds + 5);
  for (const frame of frames) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: cursor movements are looked for
    const up = [...frame.matchAll(/\u001b\[(\d*)A/g)].reduce(
      (sum, [, n]) => sum + Number(n === '' ? 1 : n),
      0,
    );
    expect(up).toBeLessThanOrEqual(20);
  }
  terminal.end();
  await terminal.exited();
});

test('a view that fails gives the terminal back, and lines go on in its place', async () => {
  const terminal = await start({ columns: 100 });
  const events = run();
  const first = upTo(events, 5);
  await terminal.play(first);
  await terminal.shows((text) => text.includes('5 of 60'), 'the sums');
  const running = first.findLast((event) => event.type === 'target-started');
  if (running?.type !== 'target-started') throw new Error('nothing runs');
  // What no version of us writes: text that is none.
  const broken = {
    at: 1,
    type: 'step-started',
    target: running.target,
    step: 'x',
    name: 7,
  } as unknown as RunEvent;
  await terminal.play([broken]);
  await terminal.shows((text) => text.includes('the view failed'), 'the failure of the view');
  expect(terminal.modes()).not.toContain('-icanon');
  await terminal.play(events.slice(first.length));
  terminal.end();
  expect(await terminal.exited()).toBe(0);
  expect(terminal.cursorHidden).toBe(false);
  const all = terminal.scrollback().join('\n');
  expect(all).toMatch(/^\[60\/60\] \S+ (built|unchanged)|^done: 60 targets/m);
});

test('keys: pause, go on, retry; a retried target comes again', async () => {
  const terminal = await start();
  const events = run({ failing: [5] });
  const first = upTo(events, 12);
  await terminal.play(first);
  await terminal.shows((text) => /^✗ \S+-5 exit 2/m.test(text), 'the failure');
  terminal.type('p');
  await terminal.said('paused');
  await terminal.shows((text) => text.includes('paused: nothing new is started; p goes on'), 'paused');
  terminal.type('p');
  await terminal.said('resumed');
  await terminal.shows((text) => !text.includes('paused:'), 'going on');
  terminal.type('r');
  await terminal.said('retry core-target-5');
  const at = 60_000;
  const target = 'core-target-5';
  await terminal.play([{ at, type: 'target-retry', target, attempt: 2, text: 'asked for' }]);
  await terminal.shows((text) => !text.includes('✗'), 'no failure any more');
  const result = {
    duration: 5,
    digest: `sha256:${'a'.repeat(64)}`,
    origin: 'built',
    size: 1,
    reasons: [],
  } as const;
  await terminal.play([{ at, type: 'target-finished', target, result: 'built', ...result }]);
  await terminal.shows(
    (_text, lines) => lines.some((line) => /^built +core-target-5 /.test(line)),
    'its verdict',
  );
  terminal.type('w');
  await terminal.shows((text) => /^waiting \d+ of 60/m.test(text), 'what waits');
});
