/** Two targets that share a source check it at the same time. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { memorySourceLedger, SourceStore } from './store.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'stx-sources-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a file that two check at once is good for both and stays', async () => {
  const bytes = 'x'.repeat(4_000_000);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  mkdirSync(join(folder, 'sha256'));
  writeFileSync(join(folder, 'sha256', sha256), bytes);
  const store = new SourceStore(folder, memorySourceLedger());
  const { signal } = new AbortController();
  const standings = await Promise.all([1, 2, 3].map(() => store.check(sha256, signal)));
  expect(standings).toEqual(['good', 'good', 'good']);
  expect(await store.glance(sha256)).toEqual({ size: bytes.length, verified: true });
});
