/**
 * `history` and `stats`: what runs did, and one target over time. Only runs that built something are kept.
 */
import { EXIT } from '@stx-make/core/errors';
import type { Handler } from '../args/model.ts';
import { bytes, count, digestHead, duration } from '../text/format.ts';
import { sanitizeLine } from '../text/sanitize.ts';
import { withSession } from './session.ts';

const RUNS = 20;
const BUILDS = 50;

interface RunSummaryText {
  readonly counts?: Readonly<Record<'built' | 'unchanged' | 'failed' | 'skipped', number>>;
  readonly interrupted?: boolean;
  readonly stopped?: 'time' | null;
}

export const history: Handler<{ readonly limit: number | undefined; readonly all: boolean }> = async (
  context,
  { options },
) => {
  const { output, services, io } = context;
  const where = options.all
    ? { state: await services.stateRoot(context.options.state, io.env, io.cwd), tree: undefined }
    : await withSession(context, (session) =>
        Promise.resolve({ state: session.state.root, tree: session.root }),
      );
  const past = await services.past(where.state);
  try {
    const runs = (past?.runs(options.limit ?? RUNS, where.tree) ?? []).map((row) => {
      const { counts = null, interrupted = null, stopped = null } = summaryOf(row.summary);
      return {
        run: row.id,
        root: row.tree,
        command: row.command,
        started: new Date(row.started).toISOString(),
        seconds: row.finished === null ? null : (row.finished - row.started) / 1000,
        // Null: it never said how it ended, or goes on.
        ok: row.ok === null ? null : row.ok === 1,
        interrupted,
        stopped,
        counts,
      };
    });
    if (output.json) output.document({ runs });
    else if (runs.length === 0) output.print('no run has built anything yet');
    for (const { run, started, seconds, ok, interrupted, stopped, counts, command } of output.json
      ? []
      : runs) {
      const failed = (counts?.failed ?? 0) > 0 ? 'FAILED' : null;
      const halted = interrupted === true ? 'interrupted' : stopped === 'time' ? (failed ?? 'time up') : null;
      const end = ok === null ? 'unfinished' : (halted ?? (ok ? 'ok' : 'FAILED'));
      const what =
        counts === null
          ? ''
          : (['built', 'unchanged', 'failed', 'skipped'] as const)
              .filter((name) => counts[name] > 0)
              .map((name) => `${counts[name]} ${name}`)
              .join(', ');
      const took = seconds === null ? '' : duration(seconds * 1000);
      output.print(
        `${run}  ${minute(started)}  ${took.padStart(7)}  ${end.padEnd(11)}  ${what}  ${sanitizeLine(command)}`,
      );
    }
    return EXIT.done;
  } finally {
    past?.close();
  }
};

export const stats: Handler<{ readonly limit: number | undefined }> = (context, { args, options }) =>
  withSession(context, async (session) => {
    const { output, services } = context;
    const [target = ''] = (await services.graph()).resolve(session.tree.graph, args);
    const past = await services.past(session.state.root);
    try {
      const builds = past?.of(target, options.limit ?? BUILDS) ?? [];
      const times = builds.filter(({ result }) => result !== 'failed').map((build) => build.duration);
      times.sort((a, b) => a - b);
      const outputs = new Set(builds.flatMap(({ manifest }) => manifest ?? []));
      const seconds = (ms: number | undefined): number | null => (ms === undefined ? null : ms / 1000);
      if (output.json) {
        output.document({
          target,
          builds: builds.map((build) => ({
            run: build.run,
            finished: new Date(build.finished).toISOString(),
            result: build.result,
            seconds: build.duration / 1000,
            digest: build.manifest,
            bytes: build.size,
            fingerprint: build.fingerprint,
            worker: build.worker,
          })),
          seconds: {
            least: seconds(times[0]),
            median: seconds(times[times.length >> 1]),
            most: seconds(times.at(-1)),
          },
          outputs: outputs.size,
        });
        return EXIT.done;
      }
      for (const { run, finished, result, duration: took, size, manifest } of builds) {
        const facts = [
          minute(new Date(finished).toISOString()),
          (result === 'failed' ? 'FAILED' : result).padEnd(9),
          duration(took).padStart(7),
          (size === null ? '' : bytes(size)).padStart(8),
          (manifest === null ? '' : digestHead(manifest)).padEnd(19),
          run,
        ];
        output.print(facts.join('  '));
      }
      const failed = builds.length - times.length;
      output.print(
        builds.length === 0
          ? `${target} was never built here`
          : `${target}: ${count(builds.length, 'build')}${failed > 0 ? `, ${failed} failed` : ''}, ${count(outputs.size, 'output')}` +
              (times.length === 0
                ? ''
                : `; ${duration(times[0] ?? 0)} to ${duration(times.at(-1) ?? 0)}, median ${duration(times[times.length >> 1] ?? 0)}`),
      );
      return EXIT.done;
    } finally {
      past?.close();
    }
  });

/** Of some version of us. */
function summaryOf(text: string | null): RunSummaryText {
  if (text === null) return {};
  try {
    return JSON.parse(text) as RunSummaryText;
  } catch {
    return {};
  }
}

/** `2026-11-23 22:45`, UTC: what scripts and logs say, too. */
function minute(iso: string): string {
  return iso.slice(0, 16).replace('T', ' ');
}
