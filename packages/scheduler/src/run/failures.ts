/**
 * Makes a Failure, the form views show, out of whatever was thrown around a build.
 */
import { formatProblem, inputProblem, ProblemError, type ProblemTag } from '@stx-make/core/errors';
import type { Failure } from '@stx-make/core/events';

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

/** Nobody is left who could build for these platforms. */
export function noWorkerFor(platforms: readonly string[], logFile: string): Failure {
  return {
    kind: 'infrastructure',
    step: null,
    exitCode: null,
    file: null,
    line: null,
    cause: `no worker that is still there can build for ${platforms.join(', ')}`,
    tail: [],
    logFile,
    hint: 'Start the worker again, or name one for this platform with --worker.',
  };
}
