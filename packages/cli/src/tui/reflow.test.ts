/** A window made narrower, as a terminal that breaks lines anew shows it. */
import xterm from '@xterm/headless';
import { expect, test } from 'vitest';
import { afterReflow, reflows } from './reflow.ts';

test('no litter of the live part, and nothing of the scrollback taken away, however often', async () => {
  const terminal = new xterm.Terminal({ cols: 110, rows: 30, scrollback: 1_000, allowProposedApi: true });
  const write = (text: string): Promise<void> => new Promise((resolve) => terminal.write(text, resolve));
  const lines = (): string[] => {
    const { active } = terminal.buffer;
    return Array.from({ length: active.length }, (_, y) => active.getLine(y)?.translateToString(true) ?? '');
  };
  for (let i = 0; i < 12; i++) await write(`built ${i} ${'v'.repeat(65)}\r\n`);
  let widths = [40, 70, 40, 40, 77, 20, 109, 50, 75, 109];
  const draw = (): Promise<void> =>
    write(widths.map((width, i) => `${`row ${i} `.padEnd(width, 'y')}\r\n`).join(''));
  await draw();
  for (const columns of [90, 60, 45, 100, 70]) {
    terminal.resize(columns, 30);
    await write(afterReflow(widths, columns));
    // As Ink clears what it wrote.
    await write(`\u001b[2K${'\u001b[1A\u001b[2K'.repeat(widths.length)}\u001b[G`);
    widths = widths.map((width) => Math.min(width, columns - 1));
    await draw();
    const all = lines();
    expect(all.filter((line) => line.startsWith('built '))).toHaveLength(12);
    expect(all.filter((line) => line.startsWith('row '))).toHaveLength(10);
  }
});

test('only terminals that are known to break lines anew', () => {
  expect(reflows({ TERM: 'xterm-256color' })).toBe(false);
  expect(reflows({ TERM: 'linux' })).toBe(false);
  for (const env of [
    { TMUX: '/tmp/x' },
    { VTE_VERSION: '7600' },
    { TERM: 'tmux-256color' },
    { TERM_PROGRAM: 'vscode' },
  ])
    expect(reflows(env), JSON.stringify(env)).toBe(true);
});
