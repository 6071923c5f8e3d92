/** The end of a growing log: only what is new is read, memory stays flat. */
import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { LogTail } from './log-tail.ts';

const folder = mkdtempSync(join(tmpdir(), 'stx-tail-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let number = 0;
const file = (): string => join(folder, `${number++}.log`);

test('a file that is not there, then grows, in the middle of lines and of characters', () => {
  const path = file();
  const tail = new LogTail(path);
  expect([tail.read(), tail.lines]).toEqual([false, []]);
  writeFileSync(path, 'one\ntw');
  expect([tail.read(), tail.lines]).toEqual([true, ['one', 'tw']]);
  const wide = Buffer.from('ö\n');
  appendFileSync(path, Buffer.concat([Buffer.from('o\n'), wide.subarray(0, 1)]));
  tail.read();
  appendFileSync(path, wide.subarray(1));
  tail.read();
  expect(tail.lines).toEqual(['one', 'two', 'ö']);
  expect(tail.read()).toBe(false);
});

test('nothing but text; a log that begins anew is read anew', () => {
  const path = file();
  writeFileSync(path, '\u001b[31mred\u001b]0;t\u0007\n10%\r99%\n');
  const tail = new LogTail(path);
  tail.read();
  expect(tail.lines).toEqual(['red', '99%']);
  truncateSync(path, 0);
  writeFileSync(path, 'new\n');
  tail.read();
  expect(tail.lines).toEqual(['new']);
});

test('two gigabytes and a line of 50 MB cost little', () => {
  const path = file();
  // Sparse: zeros take no disk, and are removed as control characters.
  const handle = openSync(path, 'w');
  writeSync(handle, '\nlast\n', 2 ** 31);
  const tail = new LogTail(path);
  tail.read();
  expect(tail.lines).toEqual(['last']);
  for (let i = 0; i < 50; i++) {
    appendFileSync(path, 'x'.repeat(1 << 20));
    tail.read();
  }
  expect(tail.lines.at(-1)?.length).toBeLessThanOrEqual(16_384);
  appendFileSync(path, `\n${'line\n'.repeat(100_000)}`);
  closeSync(handle);
  tail.read();
  expect(tail.lines.length).toBeLessThanOrEqual(5_000);
  expect(tail.lines.at(-1)).toBe('line');
});
