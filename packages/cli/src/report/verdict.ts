/**
 * One finished target in one line, and a failure as a block: shared by plain output, TUI and summary.
 */
import type { Failure } from '@stx-make/core/events';
import { bytes, digestHead, duration } from '../text/format.ts';
import type { Tone } from '../text/paint.ts';
import { sanitizeLine } from '../text/sanitize.ts';
import type { TargetView } from '../view/model.ts';

export interface Verdict {
  readonly word: string;
  readonly tone: Tone;
  /** How long it was built; empty where it was not. */
  readonly time: string;
  /** Digest's head and size; or the cause. */
  readonly rest: string;
  /** Both. */
  readonly facts: string;
}

export function verdictOf(target: TargetView): Verdict {
  const digest = target.digest === null ? '' : digestHead(target.digest);
  switch (target.state) {
    case 'built':
    case 'unchanged':
      return verdict(target.state, 'good', duration(target.duration), join(digest, bytes(target.size)));
    case 'hit':
      return verdict('hit', 'quiet', '', digest);
    case 'failed':
      return verdict('FAILED', 'bad', duration(target.duration), sanitizeLine(target.failure?.cause ?? ''));
    case 'skipped':
      return verdict('skipped', 'warn', '', sanitizeLine(target.text ?? ''));
    case 'waiting':
    case 'ready':
    case 'running':
      return verdict(target.state, 'plain', '', '');
    default:
      return target.state satisfies never;
  }
}

function verdict(word: string, tone: Tone, time: string, rest: string): Verdict {
  return { word, tone, time, rest, facts: join(time, rest) };
}

function join(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('  ');
}

/** The most lines of a failing step's output that a summary shows. */
const TAIL = 20;

/** A failure for people: step, exit code, place, cause, the last lines, where the log is. */
export function failureBlock(
  target: string,
  failure: Failure,
  took: number,
): { head: string; lines: string[] } {
  const lines: string[] = [];
  if (failure.step !== null) lines.push(`step:  ${sanitizeLine(failure.step)}`);
  if (failure.exitCode !== null) lines.push(`exit code: ${failure.exitCode}`);
  const place = failurePlace(failure);
  if (place !== null) lines.push(`at:    ${place}`);
  lines.push(`cause: ${sanitizeLine(failure.cause)}`);
  if (failure.hint !== undefined) lines.push(`hint:  ${sanitizeLine(failure.hint)}`);
  for (const line of failure.tail.slice(-TAIL)) lines.push(`| ${sanitizeLine(line)}`);
  if (failure.logFile !== null) lines.push(`log:   ${sanitizeLine(failure.logFile)}`);
  const kind = failure.kind === 'build' ? '' : ` (${failure.kind})`;
  return { head: `${target} failed after ${duration(took)}${kind}`, lines };
}

/** `Containerfile:line`, null where it is not known. */
export function failurePlace(failure: Failure): string | null {
  if (failure.file === null) return null;
  const file = sanitizeLine(failure.file);
  return failure.line === null ? file : `${file}:${failure.line}`;
}

/** Why nothing more is started. After a Ctrl-C (the scheduler says `interrupted`), what a second one does. */
export function stoppingText(text: string): string {
  const more =
    text === 'interrupted' ? ': running builds are cancelled, finished ones kept; Ctrl-C again kills' : '';
  return `stopping: ${sanitizeLine(text)}${more}`;
}
