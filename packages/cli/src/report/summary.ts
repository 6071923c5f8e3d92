/**
 * The end of a run in a few lines: failures last but one, the counts last, so that the final screen answers
 * "did it work, and if not, why".
 */
import { count, digestHead, duration } from '../text/format.ts';
import type { Paint } from '../text/paint.ts';
import { sanitizeLine } from '../text/sanitize.ts';
import type { RunView } from '../view/model.ts';
import { failureBlock } from './verdict.ts';

/** Roots of skipped targets named one by one. */
const SKIPS_NAMED = 5;

/** Lines without newlines; empty where the run never got so far as to have a plan and an end. */
export function summaryLines(view: RunView, paint: Paint): string[] {
  const { end } = view;
  if (end === null) return [];
  const lines: string[] = [];
  for (const finding of view.findings) {
    lines.push(
      `${paint('warn', 'not reproducible:')} ${finding.target}: ${sanitizeLine(finding.text)} ` +
        `(${digestHead(finding.before)} before, ${digestHead(finding.now)} now)`,
    );
  }
  for (const name of view.failures) {
    const target = view.targets.get(name);
    if (target?.failure === null || target === undefined) continue;
    const block = failureBlock(name, target.failure, target.duration);
    lines.push(paint('bad', block.head), ...block.lines.map((line) => `  ${line}`));
  }
  if (end.counts.skipped > 0 && view.failures.length > 0) lines.push(...skipLines(view));
  lines.push(closing(view, paint));
  return lines;
}

function skipLines(view: RunView): string[] {
  const skipped = [...view.targets.values()].filter(
    ({ state, because }) => state === 'skipped' && because.length > 0,
  );
  if (skipped.length === 0) return [];
  const named = skipped.slice(0, SKIPS_NAMED).map(({ name }) => name);
  const more = skipped.length > named.length ? ` and ${skipped.length - named.length} more` : '';
  return [`skipped because of it: ${named.join(', ')}${more}`];
}

/** The last line: verdict, counts, time. */
function closing(view: RunView, paint: Paint): string {
  const { end } = view;
  if (end === null) return '';
  const { counts } = end;
  const time = `(${duration(end.duration)})`;
  const ran = counts.built + counts.unchanged + counts.failed;
  if (end.ok && ran === 0) {
    const daemon = view.workers.size === 0 ? ', no daemon contacted' : '';
    return `${paint('good', 'up to date:')} ${count(counts.targets, 'target')}, nothing built${daemon} ${time}`;
  }
  const parts = [
    `${counts.built} built`,
    counts.unchanged > 0 ? `${counts.unchanged} unchanged` : '',
    `${counts.hit} up to date`,
    counts.failed > 0 ? paint('bad', `${counts.failed} failed`) : '',
    counts.skipped > 0 ? paint('warn', `${counts.skipped} skipped`) : '',
  ].filter((part) => part !== '');
  const timeUp = end.stopped === 'time';
  const verdict = end.interrupted
    ? paint('warn', 'interrupted:')
    : end.ok
      ? paint('good', 'done:')
      : timeUp && counts.failed === 0
        ? paint('warn', 'time is up:')
        : paint('bad', 'failed:');
  const left = timeUp ? `; ${leftText(view)}` : '';
  return `${verdict} ${count(counts.targets, 'target')}: ${parts.join(', ')} ${time}${left}`;
}

/** What a run whose time was up leaves to the next one: at most that, some of it may turn out to need no build. */
function leftText(view: RunView): string {
  const left = [...view.targets.values()].filter(
    ({ state, because }) => state === 'skipped' && because.length === 0,
  );
  const known = left.map(({ expected }) => expected).filter((value) => value !== null);
  const work = known.reduce((sum, each) => sum + each, 0);
  const guess =
    known.length === 0
      ? ''
      : `, ${known.length < left.length ? 'more than' : 'about'} ${duration(work)} of builds`;
  return `the next run goes on with what is left: ${count(left.length, 'target')}${guess}`;
}
