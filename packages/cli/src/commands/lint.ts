/**
 * `lint`: findings of our own policies, as lines or one document.
 */
import { EXIT, exitCodeOf } from '@stx-make/core/errors';
import type { Handler } from '../args/model.ts';
import { problemDocuments } from '../report/output.ts';
import { placeOf } from '../report/problems.ts';
import { count } from '../text/format.ts';
import { sanitizeLine } from '../text/sanitize.ts';
import { readTerms, sessionOptionsOf } from './session.ts';

export const lint: Handler<{ readonly except: readonly string[] }> = async (context, { args, options }) => {
  const { services, output } = context;
  const graph = await services.graph();
  const terms = args.length === 0 && options.except.length > 0 ? ['all'] : args;
  const { findings, problems, root, fellBack } = await services.lint({
    ...sessionOptionsOf(context),
    terms,
    select: (tree, words) =>
      graph.select(tree, {
        terms: words,
        except: options.except,
        readFile: (path) => readTerms(context, path),
      }),
  });
  if (fellBack) output.note(`no tree here or above; using ${root}`);
  const errors = findings.filter(({ level }) => level === 'error').length;
  const failures = problemDocuments(problems);
  if (output.json) {
    output.document({
      ok: errors === 0 && failures.length === 0,
      findings,
      ...(failures.length > 0 ? { errors: failures } : {}),
    });
  }
  for (const { code, level, file, line, text } of findings) {
    const place = placeOf({ file, line: line ?? undefined });
    const tone = level === 'error' ? 'bad' : 'warn';
    if (!output.json) output.print(`${place}: ${output.paint(tone, level)}: ${sanitizeLine(text)} [${code}]`);
  }
  output.problems(problems);
  const warnings = findings.length - errors;
  output.print(
    findings.length === 0
      ? output.paint('good', 'no findings')
      : `${count(errors, 'error')}, ${count(warnings, 'warning')}; each rule has a page in docs/lint/`,
  );
  const code = exitCodeOf(problems);
  if (code !== EXIT.done) return code;
  return errors > 0 ? EXIT.no : EXIT.done;
};
