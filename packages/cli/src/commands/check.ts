/**
 * `check`, and `world --check`: BuildKit's lint, as lines or one document.
 */
import { EXIT, exitCodeOf } from '@stx-make/core/errors';
import type { RunOptions, Session } from '@stx-make/scheduler/api';
import type { Handler, OptionValues } from '../args/model.ts';
import type { selectionOptions, workerOptions } from '../args/options.ts';
import type { CommandContext } from '../context.ts';
import { problemDocuments } from '../report/output.ts';
import { count } from '../text/format.ts';
import { sanitizeLine } from '../text/sanitize.ts';
import { planOptionsOf, selectionOf, warnOf, withSession } from './session.ts';

type CheckValues = OptionValues<typeof workerOptions> & OptionValues<typeof selectionOptions>;

export const check: Handler<CheckValues> = (context, { args, options, line }) =>
  withSession(context, async (session) => {
    const selection = await selectionOf(context, session, args, options.except);
    warnOf(context, session.tree.warnings);
    const values = { ...options, 'no-cache': false, 'strict-engine': false };
    return await checkSelection(
      context,
      session,
      selection === null ? null : await planOptionsOf(context, session, values, selection, line),
    );
  });

/** @param options null: nothing is selected */
export async function checkSelection(
  context: CommandContext,
  session: Session,
  options: RunOptions | null,
): Promise<number> {
  const { output, services, stop } = context;
  if (options === null) {
    if (output.json) output.document({ ok: true, recipes: 0, findings: [] });
    output.print('nothing selected, nothing to do');
    return EXIT.done;
  }
  const report = await services.check(session, options, { stop, onActivity: (text) => output.note(text) });
  if (stop.aborted) return EXIT.interrupted;
  const { findings, problems, warnings, recipes } = report;
  const errors = problemDocuments(problems);
  if (output.json) {
    output.document({
      ok: findings.length === 0 && errors.length === 0,
      recipes,
      findings: findings.map(({ rule, file, line, text, url }) => ({
        code: rule,
        level: 'warning',
        file,
        line,
        text,
        url,
      })),
      ...(errors.length > 0 ? { errors } : {}),
    });
  } else {
    for (const { rule, file, line, text } of findings) {
      const place = line === null ? file : `${file}:${line}`;
      output.print(`${sanitizeLine(place)}: ${sanitizeLine(text)} [${rule}]`);
    }
  }
  output.problems([...warnings, ...problems]);
  const said =
    findings.length === 0 ? output.paint('good', 'no findings') : count(findings.length, 'finding');
  output.print(`${said} in ${count(recipes, 'recipe')}`);
  const code = exitCodeOf(problems);
  return code === EXIT.done && findings.length > 0 ? EXIT.no : code;
}
