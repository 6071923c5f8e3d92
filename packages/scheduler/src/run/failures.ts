/**
 * Makes a Failure, the form views show, out of whatever was thrown around a build.
 */
import { formatProblem, inputProblem, ProblemError, type ProblemTag } from '@stx-make/core/errors';
import type { Failure } from '@stx-make/core/events';
import type { Needs } from './placement.ts';

const KIND: Readonly<Record<ProblemTag, Failure['kind']>> = {
  input: 'input',
  environment: 'infrastructure',
  build: 'build',
  integrity: 'integrity',
  bug: 'infrastructure',
};

/** A ProblemError keeps its place and hint; anything else is a bug of ours and says so. */
export function failureOf(error: unknown, logFile: string | null): Failure {
  if (error instanceof ProblemError) {
    const [first] = error.problems;
    return {
      kind: first === undefined ? 'infrastructure' : KIND[first.tag],
      step: null,
      exitCode: null,
      file: first?.file ?? null,
      line: first?.line ?? null,
      cause: first?.text ?? error.message,
      tail: error.problems.slice(1).map(formatProblem),
      logFile,
      hint: first?.hint,
    };
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const [cause = text, ...tail] = text.split('\n');
  return {
    kind: 'infrastructure',
    step: null,
    exitCode: null,
    file: null,
    line: null,
    cause: `stx-make itself failed: ${cause}`,
    tail,
    logFile,
    hint: 'This is a bug of stx-make; please report it with these lines.',
  };
}

/** A recipe that changes faster than it is built. */
export function editedTooOften(name: string, edits: number): ProblemError {
  return new ProblemError(
    inputProblem({
      code: 'edited-while-building',
      text: `${name} was edited ${edits} times while it was built.`,
      hint: 'Run again when nothing writes to its recipe.',
    }),
  );
}

/** Nobody is left who could build it. @param gone workers that were lost for good, each with why */
export function noWorkerFor(
  { platforms = [], memory = 0 }: Needs,
  gone: readonly string[],
  logFile: string | null,
): Failure {
  const what = platforms.length === 0 ? 'build it' : `run steps for ${platforms.join(' and ')}`;
  const room = memory === 0 ? '' : ` and allow ${memory} bytes of memory`;
  const [first, ...more] = gone;
  return {
    kind: 'infrastructure',
    step: null,
    exitCode: null,
    file: null,
    line: null,
    cause: `no worker that is still there can ${what}${room}${first === undefined ? '' : ` (lost: ${first})`}`,
    tail: more.map((why) => `lost: ${why}`),
    logFile,
    hint:
      gone.length > 0
        ? 'Start the lost worker again: what is built is kept, the next run goes on from there.'
        : 'Name a worker that can with --worker; `stx-make workers` shows what each can.',
  };
}
