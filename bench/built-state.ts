/**
 * A tree with a state folder in which everything was built, in seconds and without BuildKit: the real run with a
 * builder in memory. For measuring what stx-make itself costs; the outputs are real images of a few bytes.
 *
 * Knows nothing of what is measured.
 */
import type { RunSummary } from '../packages/scheduler/src/api.ts';
import { plainOptions } from '../packages/scheduler/src/run/plain-options.ts';
import { openSessionWith, run } from '../packages/scheduler/src/session.ts';
import { FakeBuilder } from '../test/property/fake-builder.ts';

const OPTIONS = plainOptions('world');

/** Builds all of the tree at `root` into `state` and `root/out`, for the engine a managed BuildKit would have.
 * `translate`: for Containerfiles that mini-build.ts does not know. */
export async function buildInMemory(
  root: string,
  state: string,
  translate: (containerfile: string) => string = String,
): Promise<RunSummary> {
  const builder = new FakeBuilder({ workers: 1, jobs: 4, translate });
  const session = await openSessionWith({ cwd: root, env: {}, root, state }, builder.driver);
  try {
    const summary = await run(session, OPTIONS, () => {}, { stop: new AbortController().signal });
    if (!summary.ok) throw new Error(summary.problems.map(({ text }) => text).join('\n'));
    return summary;
  } finally {
    session.close();
  }
}
