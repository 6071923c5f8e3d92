/**
 * Loading and planning do no work that grows with the square of anything: of a tree twice the size no block of ours runs
 * much more than twice as often. Runs are counted, no time is taken.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const COUNT_WORK = fileURLToPath(new URL('./count-work.ts', import.meta.url));
/** Twice the size: linear is 2, sorting 2.3, the square 4. */
const MOST = 3;
/** What runs less often can not cost much. */
const OFTEN = 3_000;

type Counts = Readonly<Record<string, number>>;

async function counted(copies: number): Promise<{ readonly work: Counts; readonly square: Counts }> {
  const args = ['--no-opt', COUNT_WORK, `${copies}`];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 1 << 26 });
  return JSON.parse(stdout) as { work: Counts; square: Counts };
}

/** Blocks that were run more often than the tree is larger. */
function steep(small: Counts, large: Counts): string[] {
  return Object.entries(large)
    .filter(([block, count]) => count > OFTEN && count > MOST * Math.max(small[block] ?? 0, OFTEN / MOST))
    .map(([block, count]) => `${block}: ${small[block] ?? 0} became ${count}`);
}

test('twice the targets is twice the work, and the square would be seen', { timeout: 300_000 }, async () => {
  const one = await counted(1);
  const two = await counted(2);
  expect(Object.values(one.work).filter((count) => count > 513).length).toBeGreaterThan(200);
  expect(steep(one.work, two.work)).toEqual([]);
  // The test can fail.
  const squares = steep(one.square, two.square);
  expect(squares.length).toBeGreaterThan(0);
  expect(squares.filter((block) => !block.includes('byCodeUnit'))).toEqual([]);
});
