/** A recipe file larger than Node reads at once (2 GiB) is hashed, and not held in memory. Here because it takes a while. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestOfFile } from '../../packages/scheduler/src/files/index.ts';

const SIZE = 3 * 1024 ** 3;

test('holds no large file in memory', () => {
  const folder = mkdtempSync(join(tmpdir(), 'stx-large-'));
  try {
    const path = join(folder, 'sparse');
    writeFileSync(path, '');
    truncateSync(path, SIZE);
    const before = process.memoryUsage().rss;
    expect(digestOfFile(path, SIZE)).toMatch(/^sha256:/);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
