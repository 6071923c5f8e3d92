/**
 * What a change rebuilds, as Markdown for a pull request. Pure text; GitHub, Forgejo and GitLab show it alike.
 */
import type { AffectedReport } from '@stx-make/scheduler/affected/affected';
import { count, duration } from '../text/format.ts';
import { sanitizeLine } from '../text/sanitize.ts';

/** Longer lists are cut: a comment has at most 65,536 characters on GitHub. */
const MOST_ROWS = 100;
const MOST_NAMES = 600;

export function affectedMarkdown(report: AffectedReport): string {
  const parts = [head(report), cost(report), changed(report), removed(report), digests(report), rest(report)];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function head({ since, sinceCommit, until, untilCommit, affected, targets }: AffectedReport): string {
  const title =
    affected.length === 0
      ? '## Nothing has to be rebuilt'
      : `## ${affected.length} of ${count(targets, 'target')} may have to be rebuilt`;
  const later = until === null ? 'the working tree' : named(until, untilCommit ?? '');
  return `${title}\n\nFrom ${named(since, sinceCommit)} to ${later}.`;
}

function named(ref: string, commit: string): string {
  return commit.startsWith(ref) ? code(commit.slice(0, 12)) : `${code(ref)} (${code(commit.slice(0, 12))})`;
}

function cost({ outlook, changed: own, added, removed: gone, affected }: AffectedReport): string {
  if (affected.length === 0 && gone.length === 0) return '';
  const { most, least, likely, cutoffs } = outlook;
  const hours = (value: typeof most): string =>
    value === null || value.targets === 0
      ? '–'
      : `${duration(value.work)} (longest chain ${duration(value.chain)})`;
  const rows = [
    '| | targets | expected, one worker |',
    '|---|---:|---|',
    `| changed (${added.length} new) | ${own.length} | |`,
    `| removed | ${gone.length} | |`,
    `| affected | ${affected.length} | ${hours(most)} |`,
  ];
  if (likely.length < affected.length) {
    rows.push(`| probably built | ${likely.length} | ${hours(least)} |`);
  }
  const notes: string[] = [];
  if (most === null) notes.push('No history of builds on this machine: no hours.');
  else if (most.known < most.targets) {
    notes.push(`History knows ${most.known} of them; the others are taken for the median.`);
  }
  const stops = cutoffs
    .slice(0, MOST_ROWS)
    .map(({ target, text }) => `- probably stops at ${code(target)}: ${plain(text)}`);
  return [rows.join('\n'), ...notes, ...(stops.length > 0 ? [stops.join('\n')] : [])].join('\n\n');
}

function changed({ changed: own, reasons }: AffectedReport): string {
  if (own.length === 0) return '';
  const rows = own.slice(0, MOST_ROWS).map((name) => {
    const texts = (reasons.get(name) ?? []).map(({ text }) => plain(text));
    const more = texts.length > 3 ? `; and ${texts.length - 3} more` : '';
    return `- ${code(name)}: ${texts.slice(0, 3).join('; ')}${more}`;
  });
  if (own.length > MOST_ROWS) rows.push(`- and ${own.length - MOST_ROWS} more`);
  return folded('Changed', own.length, rows.join('\n'));
}

function removed({ removed: gone }: AffectedReport): string {
  return gone.length === 0 ? '' : `### Removed\n\n${names(gone)}`;
}

function digests({ digests: list }: AffectedReport): string {
  if (list.length === 0) return '';
  const short = (digest: string | null): string =>
    digest === null ? '–' : code(digest.slice('sha256:'.length, 'sha256:'.length + 12));
  const rows = list
    .slice(0, MOST_ROWS)
    .map(({ target, before, after }) => `| ${code(target)} | ${short(before)} | ${short(after)} |`);
  const more = list.length > MOST_ROWS ? `\n\nand ${list.length - MOST_ROWS} more` : '';
  const table = ['| target | before | after |', '|---|---|---|', ...rows].join('\n');
  return folded('Committed digests that changed', list.length, `${table}${more}`);
}

function rest({ affected, changed: own }: AffectedReport): string {
  const known = new Set(own);
  const others = affected.filter((name) => !known.has(name));
  return others.length === 0 ? '' : folded('Affected through what they need', others.length, names(others));
}

/** Open while it is short. */
function folded(title: string, length: number, body: string): string {
  if (length <= 10) return `### ${title}\n\n${body}`;
  return `<details><summary><b>${title}</b> (${length})</summary>\n\n${body}\n\n</details>`;
}

function names(list: readonly string[]): string {
  const shown = list.slice(0, MOST_NAMES).map(code).join(' ');
  return list.length > MOST_NAMES ? `${shown} and ${list.length - MOST_NAMES} more` : shown;
}

/** In a span of code; a name with a backtick gets a longer fence. */
function code(text: string): string {
  const clean = sanitizeLine(text).replaceAll('|', '\\|');
  const longest = Math.max(0, ...(clean.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  return longest === 0 ? `${fence}${clean}${fence}` : `${fence} ${clean} ${fence}`;
}

/** What recipes say must not become markup, mentions or links in somebody's pull request. */
function plain(text: string): string {
  return sanitizeLine(text)
    .replace(/[\\`*_{}[\]<>#|!~]/g, '\\$&')
    .replaceAll('@', '@\u200b')
    .replace(/:\/\//g, ':\u200b//');
}
