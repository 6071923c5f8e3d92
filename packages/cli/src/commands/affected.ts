/**
 * `affected`: what a change may rebuild, for people, for scripts, or as a comment for a pull request.
 */
import { EXIT, inputProblem, ProblemError } from '@stx-make/core/errors';
import type { AffectedReport } from '@stx-make/scheduler/affected/affected';
import type { Handler } from '../args/model.ts';
import type { CommandContext } from '../context.ts';
import { affectedMarkdown } from '../report/affected-markdown.ts';
import { count, duration } from '../text/format.ts';
import { sanitizeLine } from '../text/sanitize.ts';
import { sessionOptionsOf } from './session.ts';

interface AffectedValues {
  readonly since: string | undefined;
  readonly until: string | undefined;
  readonly markdown: boolean;
}

export const affected: Handler<AffectedValues> = async (context, { options }) => {
  const { output, services, stop } = context;
  const { since, until, markdown } = options;
  if (since === undefined) {
    throw new ProblemError(
      inputProblem({
        code: 'bad-arguments',
        text: 'affected needs a commit to compare with: --since REF',
        hint: 'for a branch: stx-make affected --since origin/main',
      }),
    );
  }
  const report = await services.affected({ ...sessionOptionsOf(context), since, until, stop });
  if (output.json) {
    output.document({
      ...affectedDocument(report),
      ...(markdown ? { markdown: affectedMarkdown(report) } : {}),
    });
  } else if (markdown) output.raw(affectedMarkdown(report));
  else showAffected(report, context);
  output.problems(report.warnings);
  return EXIT.done;
};

/** What INTERFACE.md promises, and what else is known. */
function affectedDocument(report: AffectedReport): Record<string, unknown> {
  const { since, until, sinceCommit, untilCommit, added, removed, changed, affected: all } = report;
  const { likely, cutoffs, most, least } = report.outlook;
  return {
    since,
    until,
    sinceCommit,
    untilCommit,
    added,
    removed,
    changed,
    affected: all,
    reasons: Object.fromEntries(report.reasons),
    digests: report.digests,
    likely: [...likely].sort(),
    cutoffs,
    expected: { most, least },
  };
}

function showAffected(report: AffectedReport, { output }: CommandContext): void {
  const { paint } = output;
  const until = report.until ?? 'the working tree';
  const added = new Set(report.added);
  for (const name of report.changed) {
    const texts = (report.reasons.get(name) ?? []).map(({ text }) => sanitizeLine(text));
    const more = texts.length > 3 ? `; and ${texts.length - 3} more` : '';
    const mark = added.has(name) ? paint('good', 'added   ') : paint('strong', 'changed ');
    output.print(`${mark} ${name}  ${texts.slice(0, 3).join('; ')}${more}`);
  }
  for (const name of report.removed) output.print(`${paint('bad', 'removed ')} ${name}`);
  const own = new Set(report.changed);
  for (const name of report.affected) if (!own.has(name)) output.print(`affected ${name}`);
  for (const { target, text } of report.outlook.cutoffs) {
    output.print(`probably stops at ${target}: ${text}`);
  }
  const { most, least, likely } = report.outlook;
  const hours =
    most === null || most.targets === 0
      ? ''
      : `; building them takes about ${duration(most.work)} of one worker's time, at least ${duration(most.chain)}`;
  const fewer =
    likely.length === report.affected.length
      ? ''
      : ` (probably ${likely.length}${least === null ? '' : `, ${duration(least.work)}`})`;
  output.print(
    `from ${report.since} to ${until}: ${count(report.changed.length, 'target')} changed, ${added.size} of them new, ` +
      `${report.removed.length} removed; ${report.affected.length} of ${report.targets} affected${fewer}${hours}`,
  );
}
