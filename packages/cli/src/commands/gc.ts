/**
 * `gc`: frees what nobody needs, and checks the store.
 */
import { EXIT, integrityProblem, type Problem, ProblemError } from '@stx-make/core/errors';
import type { Session } from '@stx-make/scheduler/api';
import type { GcReport } from '@stx-make/scheduler/gc/gc';
import type { Handler } from '../args/model.ts';
import type { CommandContext } from '../context.ts';
import { problemDocuments } from '../report/output.ts';
import { bytes, count } from '../text/format.ts';
import { sanitizeLine } from '../text/sanitize.ts';
import { sessionOptionsOf } from './session.ts';

interface GcValues {
  readonly 'max-size': number | undefined;
  readonly 'max-age': number | undefined;
  readonly sources: boolean;
  readonly all: boolean;
  readonly verify: boolean;
  readonly 'dry-run': boolean;
  readonly 'no-wait': boolean;
}

const DAY = 24 * 60 * 60 * 1_000;

export const gc: Handler<GcValues> = async (context, { options, line }) => {
  const { services, output, io } = context;
  const session = await sessionIfThere(context);
  try {
    const { collect, pathsOf } = await services.gc();
    const root = session?.state.root ?? (await services.stateRoot(context.options.state, io.env, io.cwd));
    const age = options['max-age'];
    const report = await collect(session?.state ?? pathsOf(root), session, {
      maxSize: options['max-size'],
      maxAge: age === undefined ? undefined : age * DAY,
      dryRun: options['dry-run'],
      verify: options.verify,
      all: options.all,
      sources: options.sources,
      wait: !options['no-wait'],
      command: line,
      stop: context.stop,
      now: Date.now,
      onWait: (text) => output.note(text),
    });
    const problems = report.damaged.map((blob) => damagedProblem(blob, report.dryRun));
    if (output.json) output.document(gcDocument(report, problems));
    else for (const text of gcLines(report)) output.print(text);
    output.problems(problems);
    return problems.length === 0 ? EXIT.done : EXIT.integrity;
  } finally {
    session?.close();
  }
};

/** A state folder can be cleaned from anywhere; a tree that is there but broken must be mended first, for nobody could
 * say what it needs. */
async function sessionIfThere(context: CommandContext): Promise<Session | null> {
  try {
    return await context.services.openSession({ ...sessionOptionsOf(context), fallbackRoot: undefined });
  } catch (error) {
    const asked = context.options.root !== undefined;
    if (!asked && error instanceof ProblemError && error.problems.every(({ code }) => code === 'no-tree')) {
      return null;
    }
    throw error;
  }
}

function damagedProblem({ digest, why, targets }: GcReport['damaged'][number], dryRun: boolean): Problem {
  const users = targets.length === 0 ? 'nothing' : targets.join(', ');
  return integrityProblem({
    code: 'bad-blob',
    text: `Of blob ${digest}, ${why}; needed by ${users}.`,
    hint: dryRun
      ? 'Run gc --verify to take it out.'
      : 'It was taken out; the next run builds again what needs it.',
  });
}

function gcDocument(report: GcReport, problems: readonly Problem[]): Record<string, unknown> {
  const errors = problemDocuments(problems);
  return { ok: errors.length === 0, ...report, ...(errors.length > 0 ? { errors } : {}) };
}

function gcLines(report: GcReport): string[] {
  const { records, blobs, sources, runs, logs, trees, freed, kept, foreign, checked, dryRun } = report;
  const lines: string[] = [];
  if (checked !== null) lines.push(`${count(checked, 'blob')} read, ${report.damaged.length} damaged`);
  for (const tree of trees) lines.push(`this tree is gone: ${sanitizeLine(tree)}`);
  const parts = [
    count(records.removed, 'record'),
    count(blobs.length, 'blob'),
    ...(sources.length > 0 ? [count(sources.length, 'source')] : []),
    ...(runs > 0 ? [count(runs, 'run')] : []),
    ...(logs.length > 0 ? [count(logs.length, 'folder of logs', 'folders of logs')] : []),
  ];
  lines.push(`${dryRun ? 'would remove' : 'removed'} ${parts.join(', ')}: ${bytes(freed)} freed`);
  const held = blobs.filter(({ frees }) => !frees).reduce((sum, { size }) => sum + size, 0);
  if (held > 0) lines.push(`${bytes(held)} more come free when the outputs that show them go`);
  lines.push(`${bytes(kept)} stay, with ${count(records.kept, 'record')}`);
  if (foreign.length > 0) {
    lines.push(`left alone in the store, not ours: ${foreign.map(sanitizeLine).join(', ')}`);
  }
  return lines;
}
