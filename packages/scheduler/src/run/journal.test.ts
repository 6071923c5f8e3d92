/** What is kept of a run: nothing of a no-op, everything of a build, and a full disk harms nobody. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunEvent } from '@stx-make/core/events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openJournal } from './journal.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stx-journal-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const event = (at: number): RunEvent => ({ at, type: 'target-ready', target: `core-${at}` });

test('nothing is written before the run is worth keeping, then everything in order', async () => {
  const path = join(folder, 'logs', 'r1', 'events.ndjson');
  const journal = openJournal(path);
  journal.sink(event(1));
  expect(existsSync(join(folder, 'logs'))).toBe(false);
  journal.keep();
  journal.keep();
  for (let at = 2; at <= 5_000; at++) journal.sink(event(at));
  expect(await journal.close()).toBeNull();
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line).at)).toEqual(Array.from({ length: 5_000 }, (_, i) => i + 1));
});

test('a run that built nothing leaves nothing', async () => {
  const journal = openJournal(join(folder, 'logs', 'r1', 'events.ndjson'));
  journal.sink(event(1));
  expect(await journal.close()).toBeNull();
  expect(existsSync(join(folder, 'logs'))).toBe(false);
});

test.each(['ENOTDIR', 'EISDIR'])(
  'what can not be written (%s) is told at the end and throws nothing',
  async (code) => {
    const path = code === 'EISDIR' ? folder : join(folder, 'file', 'events.ndjson');
    if (code === 'ENOTDIR') writeFileSync(join(folder, 'file'), '');
    const journal = openJournal(path);
    journal.keep();
    journal.sink(event(1));
    expect(await journal.close()).toMatchObject({ code: 'events-not-kept', level: 'warning' });
  },
);
