/**
 * What GitHub Actions and Forgejo Actions read out of a log: folded groups, annotations at file and line, a job
 * summary in Markdown. Both know the same workflow commands.
 *
 * Build output must not be able to give such commands: they are recognised at the beginning of a line (`::`)
 * and, in the old form, anywhere in it (`##[`), so the latter is broken up.
 */
import { appendFileSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import type { Failure } from '@stx-make/core/events';
import { variable } from '../io.ts';
import { duration } from '../text/format.ts';
import { sanitizeLine } from '../text/sanitize.ts';
import type { RunView } from '../view/model.ts';
import { failureBlock, failurePlace } from './verdict.ts';

export interface Ci {
  /** A failed target's lines, folded, with an annotation. */
  readonly failure: (target: string, failure: Failure, took: number, root: string) => string[];
  /** A line that the system does not take for a command. */
  readonly neutral: (line: string) => string;
  /** Writes the job's summary page, where there is one. */
  readonly summary: (view: RunView) => void;
}

/** Null outside of such systems. */
export function detectCi(env: NodeJS.ProcessEnv): Ci | null {
  const names = ['GITHUB_ACTIONS', 'FORGEJO_ACTIONS', 'GITEA_ACTIONS'];
  if (!names.some((name) => variable(env, name) === 'true')) return null;
  const workspace = variable(env, 'GITHUB_WORKSPACE');
  const page = variable(env, 'GITHUB_STEP_SUMMARY');
  return {
    neutral,
    failure: (target, failure, took, root) => {
      const block = failureBlock(target, failure, took);
      return [
        `::group::${data(block.head)}`,
        ...block.lines.map((line) => `  ${neutral(line)}`),
        '::endgroup::',
        annotation(target, failure, root, workspace),
      ];
    },
    summary: (view) => {
      if (page === undefined || view.end === null) return;
      try {
        appendFileSync(page, summaryMarkdown(view));
      } catch {
        // The page is an extra: a run does not fail for it.
      }
    },
  };
}

function neutral(line: string): string {
  const safe = line.replaceAll('##[', '## [');
  return safe.trimStart().startsWith('::') ? `| ${safe}` : safe;
}

/** The message of a workflow command (actions/toolkit, command.ts: escapeData). */
function data(text: string): string {
  return neutral(text).replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

/** A property of a workflow command (escapeProperty). */
function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

function annotation(target: string, failure: Failure, root: string, workspace: string | undefined): string {
  const properties = [`title=${property(`${target} failed`)}`];
  if (failure.file !== null) {
    const path = join(root, failure.file);
    const inside = workspace === undefined ? failure.file : relative(workspace, path);
    const file = inside.startsWith('..') || isAbsolute(inside) ? failure.file : inside;
    properties.push(`file=${property(sanitizeLine(file))}`);
    if (failure.line !== null) properties.push(`line=${failure.line}`);
  }
  return `::error ${properties.join(',')}::${data(sanitizeLine(failure.cause))}`;
}

/** Most failures that a summary page shows with their output. */
const SHOWN = 20;

/** The run as a page. */
export function summaryMarkdown(view: RunView): string {
  const { end } = view;
  if (end === null) return '';
  const { counts } = end;
  const timeUp = end.stopped === 'time' && counts.failed === 0 ? 'its time was up' : 'failed';
  const word = end.interrupted ? 'interrupted' : end.ok ? 'done' : timeUp;
  const lines = [
    `### ${text(view.command)}: ${word} in ${duration(end.duration)}`,
    '',
    '| targets | up to date | built | unchanged | failed | skipped |',
    '|---:|---:|---:|---:|---:|---:|',
    `| ${counts.targets} | ${counts.hit} | ${counts.built} | ${counts.unchanged} | ${counts.failed} | ${counts.skipped} |`,
    '',
  ];
  for (const name of view.failures.slice(0, SHOWN)) {
    const target = view.targets.get(name);
    if (target === undefined || target.failure === null) continue;
    const { failure } = target;
    const place = failurePlace(failure);
    lines.push(
      `<details><summary><b>${text(name)}</b> ${text(sanitizeLine(failure.cause))}${place === null ? '' : ` (${text(place)})`}</summary>`,
      '',
      '<pre>',
      ...failure.tail.map((line) => text(sanitizeLine(line))),
      '</pre>',
      '',
      '</details>',
      '',
    );
  }
  if (view.failures.length > SHOWN) lines.push(`and ${view.failures.length - SHOWN} more`, '');
  return `${lines.join('\n')}\n`;
}

/** Text that is nothing but text in Markdown and HTML. */
function text(from: string): string {
  return from
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/[\\`*_[\]|~#]/g, (character) => `&#${character.charCodeAt(0)};`);
}
