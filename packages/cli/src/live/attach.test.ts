/** A run and those who watch it, each in a real pseudo terminal of its own. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { RunEvent } from '@stx-make/core/events';
import { afterEach, expect, test, vi } from 'vitest';
import { madeRun } from '../testing/events.ts';
import { type TerminalOptions, TestTerminal } from '../testing/terminal.ts';

/** Several real programs on a machine that may be busy. */
vi.setConfig({ testTimeout: 60_000 });

const open: TestTerminal[] = [];
afterEach(async () => {
  for (const terminal of open.splice(0)) await terminal.close();
});

async function start(options?: TerminalOptions): Promise<TestTerminal> {
  const terminal = await TestTerminal.start(options);
  open.push(terminal);
  return terminal;
}

const events = madeRun({ targets: 40, jobs: 3, failing: [3] });
const first = events.slice(0, events.findIndex(({ type }) => type === 'target-failed') + 1);
const busy: RunEvent = { at: 21, type: 'activity', id: 'workers', text: 'connecting', done: true };

/** A run under way that can be found. */
async function running(options?: TerminalOptions): Promise<TestTerminal> {
  const terminal = await start(options);
  await terminal.play([...first.slice(0, 3), busy, ...first.slice(3)]);
  return terminal;
}

const failed = (text: string): boolean => /^✗ \S+-3 exit 2/m.test(text);

test('the same view elsewhere, from the beginning, then live; the same keys; the end with its code', async () => {
  const run = await running();
  await run.shows(failed, 'the failure');
  const one = await start({ words: ['attach'], state: run.state });
  const two = await start({ words: ['attach', '--ui', 'plain'], state: run.state, columns: 200 });
  await one.shows(failed, 'the failure, attached');
  await two.shows((text) => text.includes('failed after'), 'the failure as lines');
  // What was before: verdicts in the scrollback, as where it was started.
  const verdicts = (terminal: TestTerminal): string[] =>
    terminal.scrollback().filter((line) => /^(built|unchanged|FAILED) /.test(line));
  expect(verdicts(one)).toEqual(verdicts(run));
  one.type('p');
  await run.said('paused');
  for (const each of [run, one]) await each.shows((text) => text.includes('paused: nothing new'), 'paused');
  await two.shows((text) => text.includes('paused: nothing new'), 'paused, as a line');
  run.type('p');
  await run.said('resumed');
  for (const each of [run, one]) await each.shows((text) => !text.includes('paused:'), 'going on');
  one.type('r');
  await run.said('retry core-target-3');
  await one.shows((text) => text.includes('core-target-3 is not to be retried'), 'why not');
  await run.play(events.slice(first.length));
  run.end();
  expect(await run.exited()).toBe(1);
  expect([await one.exited(), await two.exited()]).toEqual([1, 1]);
  for (const each of [run, one, two]) expect(each.scrollback().at(-1)).toMatch(/^failed: 40 targets/);
  expect(one.cursorHidden).toBe(false);
});

test('q and a closed terminal leave the run alone; Ctrl-C asks; the second Ctrl-C stops it', async () => {
  const run = await running();
  const left = await start({ words: ['attach'], state: run.state });
  await left.shows(failed);
  left.type('?');
  await left.shows((text) => text.includes('leave the run, which goes on'), 'help');
  left.type('qq');
  expect(await left.exited()).toBe(0);
  expect(left.scrollback().at(-1)).toMatch(/^run \S+ goes on; stx-make stop \S+ ends it$/);
  expect(left.cursorHidden).toBe(false);
  const closed = await start({ words: ['attach'], state: run.state });
  await closed.shows(failed);
  closed.hangUp();
  const lines = await start({ words: ['attach', '--ui', 'plain'], state: run.state });
  await lines.shows((text) => text.includes('failed after'));
  lines.type('\u0003');
  expect(await lines.exited()).toBe(130);
  const stopping = await start({ words: ['attach'], state: run.state });
  await stopping.shows(failed);
  stopping.type('\u0003');
  await stopping.shows((text) => text.includes('leave this view; the run goes on'), 'the question');
  stopping.type('\u001b');
  await stopping.shows(failed, 'the view again');
  // The run was asked for nothing until now.
  await run.play([{ at: 30_000, type: 'activity', id: 'x', text: 'still here', done: true }]);
  stopping.type('\u0003');
  await stopping.shows((text) => text.includes('leave this view'));
  stopping.type('\u0003');
  await run.said('stop');
  run.end();
  expect(await run.exited()).toBe(130);
  expect(await stopping.exited()).toBe(130);
});

test('a run that is killed is noticed at once; status and stop find none', async () => {
  const run = await running();
  const one = await start({ words: ['attach'], state: run.state, columns: 150 });
  await one.shows(failed);
  process.kill(run.pid, 'SIGKILL');
  expect(await one.exited()).toBe(3);
  expect(one.scrollback().join('\n')).toContain('is gone without a word');
  expect(one.cursorHidden).toBe(false);
  const stop = await start({ words: ['stop'], state: run.state });
  expect(await stop.exited()).toBe(0);
  expect(stop.scrollback()).toEqual(['no run is under way']);
  const none = await start({ words: ['attach'], state: run.state });
  expect(await none.exited()).toBe(2);
  expect(readdirSync(join(run.state, 'runs'))).toEqual([]);
});

test('--detach: the run goes on without the terminal; status --follow, attach, stop', async () => {
  const starter = await start({ words: ['world', '--detach', '--keep-going'], columns: 120 });
  await starter.play(first.slice(0, 1));
  expect(await starter.exited()).toBe(0);
  expect(starter.scrollback()[0]).toMatch(/^run \S+ goes on by itself \(pid \d+\)/);
  starter.hangUp();
  await starter.play(first.slice(1));
  const follow = await start({ words: ['status', '--follow'], state: starter.state, columns: 150 });
  await follow.shows((text) => text.includes('building '), 'what runs');
  expect(follow.scrollback()[0]).toMatch(/^run \S+: stx-make world in \/tree$/);
  // What is over is not told again.
  expect(follow.scrollback().join('\n')).not.toContain('failed after');
  const later = events.slice(first.length).map((event) => ({ ...event, at: event.at + 3_600_000 }));
  const next = later.findIndex(({ type }) => type === 'target-finished') + 1;
  await starter.play(later.slice(0, next));
  await follow.shows((text) => /^\[ ?\d+\/40\] \S+ (built|unchanged)/m.test(text), 'what is new');
  const watching = await start({ words: ['attach'], state: starter.state });
  await watching.shows(failed);
  const stop = await start({ words: ['stop'], state: starter.state });
  await starter.said('stop');
  starter.end();
  expect(await stop.exited()).toBe(0);
  expect(await watching.exited()).toBe(130);
  expect(await follow.exited()).toBe(130);
});

test('--detach of what can not begin says why, with its exit code', async () => {
  const starter = await start({ words: ['build', 'nonsense', '--detach'] });
  expect(await starter.exited()).toBe(2);
  expect(starter.scrollback().join('\n')).toContain('there is no target "nonsense"');
});
