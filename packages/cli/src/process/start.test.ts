/** The real process: closed pipes, TERM, HUP, Ctrl-Z. */
import { spawn } from 'node:child_process';
import { afterEach, expect, test, vi } from 'vitest';
import { madeRun } from '../testing/events.ts';
import { program, TestTerminal } from '../testing/terminal.ts';

vi.setConfig({ testTimeout: 30_000 });

const open: TestTerminal[] = [];
afterEach(async () => {
  for (const terminal of open.splice(0)) await terminal.close();
});

async function startTui(jobControl = false): Promise<TestTerminal> {
  const terminal = await TestTerminal.start({ jobControl });
  open.push(terminal);
  const events = madeRun({ targets: 20, jobs: 2 });
  await terminal.play(events.slice(0, events.findIndex(({ type }) => type === 'target-finished') + 1));
  await terminal.shows((text) => text.includes('1 of 20'), 'the sums');
  return terminal;
}

test('a reader that goes away ends a listing quietly, with 0', async () => {
  const child = spawn('sh', ['-c', `${process.execPath} ${await program()} help; echo "code $?" >&2`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.destroy();
  let stderr = '';
  child.stderr.on('data', (piece: Buffer) => {
    stderr += piece.toString();
  });
  await new Promise((resolve) => child.once('close', resolve));
  expect(stderr).toBe('code 0\n');
});

test.each(['help', 'help --json'])(
  '%s: where the answer can not be written it is not done',
  async (words) => {
    const command = `${process.execPath} ${await program()} ${words} > /dev/full; echo "code $?" >&2`;
    const child = spawn('sh', ['-c', command], { stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (piece: Buffer) => {
      stderr += piece.toString();
    });
    await new Promise((resolve) => child.once('close', resolve));
    expect(stderr).toBe('error: stdout can not be written: ENOSPC: no space left on device, write\ncode 3\n');
  },
);

test('TERM ends a run kindly with 143 and gives the terminal back', async () => {
  const terminal = await startTui();
  terminal.signal('SIGTERM');
  await terminal.said('stop');
  terminal.end();
  expect(await terminal.exited()).toBe(143);
  expect(terminal.cursorHidden).toBe(false);
});

test('a terminal that goes away does not stop the run', async () => {
  const terminal = await startTui();
  terminal.signal('SIGHUP');
  // It still takes events in, and ends when the run does.
  await terminal.play(madeRun({ targets: 20, jobs: 2 }).slice(-1));
  terminal.end();
  expect(await terminal.exited()).toBe(0);
});

test('Ctrl-Z gives the terminal back and stops; fg brings the view again', async () => {
  const terminal = await startTui(true);
  terminal.type('\u001a');
  await terminal.stopped();
  expect(terminal.modes()).not.toContain('-icanon');
  await terminal.shows(() => !terminal.cursorHidden, 'the cursor');
  terminal.type('\n');
  await terminal.shows((_text, lines) => lines.at(-1)?.includes('1 of 20') === true, 'the view again');
  // The view is drawn before the terminal is its own again.
  await expect.poll(() => terminal.modes(), { timeout: 10_000 }).toContain('-icanon');
  await terminal.play(madeRun({ targets: 20, jobs: 2 }).slice(-1));
  terminal.end();
  expect(await terminal.exited()).toBe(0);
});

test('Ctrl-Z where no shell could continue us changes nothing', async () => {
  const terminal = await startTui();
  terminal.type('\u001a');
  await terminal.shows(() => terminal.raw.split('1 of 20').length > 2, 'the view drawn again');
  await terminal.play(madeRun({ targets: 20, jobs: 2 }).slice(-1));
  terminal.end();
  expect(await terminal.exited()).toBe(0);
});
