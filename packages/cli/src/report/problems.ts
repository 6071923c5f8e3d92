/**
 * Problems as lines for people: place, text, hint; errors last and counted where there are several.
 */
import type { Problem } from '@stx-make/core/errors';
import { count } from '../text/format.ts';
import type { Paint } from '../text/paint.ts';
import { sanitizeText } from '../text/sanitize.ts';

/** Without a newline at the end. */
export function formatProblems(problems: readonly Problem[], paint: Paint): string {
  const warnings = problems.filter(({ level }) => level === 'warning');
  const errors = problems.filter(({ level }) => level === 'error');
  const lines = [...warnings, ...errors].map((problem) => formatOne(problem, paint));
  if (errors.length > 1) {
    const others = warnings.length > 0 ? `, ${count(warnings.length, 'warning')}` : '';
    lines.push(paint('strong', `${count(errors.length, 'error')}${others}`));
  }
  return lines.join('\n');
}

function formatOne(problem: Problem, paint: Paint): string {
  const head = problem.level === 'error' ? paint('bad', 'error:') : paint('warn', 'warning:');
  const place = placeOf(problem);
  const where = place === '' ? '' : `${paint('strong', place)}: `;
  const text = sanitizeText(problem.text).replaceAll('\n', '\n  ');
  const hint =
    problem.hint === undefined
      ? ''
      : `\n  ${paint('accent', 'hint:')} ${sanitizeText(problem.hint).replaceAll('\n', '\n  ')}`;
  return `${head} ${where}${text}${hint}`;
}

/** `file:line:column` as far as known; empty without a file. */
export function placeOf(problem: Pick<Problem, 'file' | 'line' | 'column'>): string {
  if (problem.file === undefined || problem.file === null) return '';
  const parts = [sanitizeText(problem.file), problem.line, problem.column];
  return parts.filter((part) => part !== undefined && part !== null).join(':');
}
