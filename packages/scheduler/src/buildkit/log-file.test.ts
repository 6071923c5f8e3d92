/** A build's log on disk: all of it and in order, however it comes. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { LogFile } from './log-file.ts';

test('what is added is there after a moment, all of it after the end', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'stx-log-'));
  try {
    const path = join(folder, 'deep', 'x.log');
    const log = await LogFile.open(path);
    log.add('first\n');
    await vi.waitFor(() => expect(readFileSync(path, 'utf8')).toBe('first\n'));
    let all = 'first\n';
    for (let line = 0; line < 20_000; line += 1) {
      const text = `line ${line}\n`;
      log.add(line % 2 === 0 ? text : Buffer.from(text));
      all += text;
      if (line % 100 === 0) await log.flush();
    }
    expect(await log.close()).toBeNull();
    expect(readFileSync(path, 'utf8') === all).toBe(true);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a log that can not be written is no reason to stop', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'stx-log-'));
  try {
    writeFileSync(join(folder, 'file'), '');
    const log = await LogFile.open(join(folder, 'file', 'x.log'));
    log.add('x'.repeat(100_000));
    await log.flush();
    expect(await log.close()).toBeInstanceOf(Error);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
