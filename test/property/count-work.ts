/**
 * For growth.test.ts, in a process of its own: loads and plans a tree of some copies of StageX and prints how often each
 * block of our sources was run, as JSON. Without the optimising compiler (node --no-opt): what it inlines is not counted.
 *
 *     node --no-opt test/unit/plan/count-work.ts COPIES
 *
 * `square` in the answer is for the test's own sake: each target is compared with each other.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { type Profiler, Session } from 'node:inspector/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { byCodeUnit } from '../../packages/core/src/order.ts';
import { plainOptions } from '../../packages/scheduler/src/run/plain-options.ts';
import { makePlan, openSession } from '../../packages/scheduler/src/session.ts';
import { largeShape, writeLarge } from '../twins/large.ts';

const OPTIONS = plainOptions('plan');

function blocksOf({ url, functions }: Profiler.ScriptCoverage): [string, number][] {
  const file = url.slice(url.indexOf('/packages/') + 1);
  return functions.flatMap(({ functionName, ranges }) =>
    ranges.map(({ startOffset, endOffset, count }): [string, number] => [
      `${file} ${functionName} ${startOffset}-${endOffset}`,
      count,
    ]),
  );
}

/** Read for the first time, known, known as a whole. */
async function loadAndPlan(folder: string): Promise<readonly string[]> {
  const root = join(folder, 'tree');
  let names: readonly string[] = [];
  for (const outline of [false, false, true]) {
    const session = await openSession({ cwd: root, env: {}, root, state: join(folder, 'state'), outline });
    try {
      const { targets } = await makePlan(session, OPTIONS);
      names = targets.map(({ name }) => name);
    } finally {
      session.close();
    }
  }
  return names;
}

/** Since the last time, or since the counting began. */
async function countsOf(inspector: Session): Promise<Record<string, number>> {
  const { result } = await inspector.post('Profiler.takePreciseCoverage');
  return Object.fromEntries(result.filter(({ url }) => /\/packages\/\w+\/src\//.test(url)).flatMap(blocksOf));
}

const folder = mkdtempSync(join(tmpdir(), 'stx-growth-'));
try {
  writeLarge(join(folder, 'tree'), largeShape(Number(process.argv[2])));
  const inspector = new Session();
  inspector.connect();
  await inspector.post('Profiler.enable');
  await inspector.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  const names = await loadAndPlan(folder);
  const work = await countsOf(inspector);
  for (const one of names) for (const other of names) byCodeUnit(one, other);
  process.stdout.write(JSON.stringify({ work, square: await countsOf(inspector) }));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
