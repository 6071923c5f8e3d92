/** What each worker has, across runs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDatabase } from './database.ts';
import { Holdings } from './holdings.ts';

const DAY = 24 * 60 * 60 * 1_000;

test('noted things are there at once, in the next run after a flush, and gone after two months', () => {
  const folder = mkdtempSync(join(tmpdir(), 'stx-holdings-'));
  const { database } = openDatabase(join(folder, 'state.db'), Date.now);
  let now = 1_000 * DAY;
  const open = () => new Holdings(database, () => now);
  const first = open();
  const has = first.of('w');
  first.note('w', ['sha256:a', 'sha256:b']);
  first.note('v', ['sha256:a']);
  expect([...has]).toEqual(['sha256:a', 'sha256:b']);
  expect([...open().of('w')]).toEqual([]);
  first.flush();
  expect([...open().of('w')].sort()).toEqual(['sha256:a', 'sha256:b']);
  now += 50 * DAY;
  const later = open();
  later.note('w', ['sha256:b']);
  later.flush();
  now += 20 * DAY;
  expect([...open().of('w')]).toEqual(['sha256:b']);
  const last = open();
  last.note('v', ['sha256:c']);
  last.flush();
  expect(database.all('SELECT worker, manifest FROM worker_has ORDER BY worker')).toEqual([
    { worker: 'v', manifest: 'sha256:c' },
    { worker: 'w', manifest: 'sha256:b' },
  ]);
  // Many are written without being asked.
  const many = open();
  for (let index = 0; index < 64; index += 1) many.note('x', [`sha256:${index}`]);
  expect(open().of('x').size).toBe(64);
  database.close();
  rmSync(folder, { recursive: true, force: true });
});
