/**
 * Problems: everything that can go wrong, as data.
 *
 * A problem says what, where, why and what to do. Its tag decides the exit code.
 * This file does not know how problems are shown.
 */

/** Who has to act: input (the user's files or options), environment (the machine), build (a build said
 * no), integrity (bytes are not what they must be), bug (we are wrong). After Buck2's error tags. */
export type ProblemTag = 'input' | 'environment' | 'build' | 'integrity' | 'bug';

export type ProblemLevel = 'error' | 'warning';

export interface Problem {
  /** Stable, kebab-case; scripts match on it. */
  readonly code: string;
  readonly tag: ProblemTag;
  readonly level: ProblemLevel;
  /** One or more sentences for people: what and why. */
  readonly text: string;
  /** Path relative to the tree's root where possible. */
  readonly file?: string | undefined;
  /** 1-based. */
  readonly line?: number | undefined;
  /** 1-based, in characters. */
  readonly column?: number | undefined;
  /** What to do about it. */
  readonly hint?: string | undefined;
}

/** An expected failure. A bare `Error` means a bug of ours. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problems: readonly Problem[];

  constructor(problems: Problem | readonly Problem[], options?: ErrorOptions) {
    const list: readonly Problem[] = isList(problems) ? problems : [problems];
    super(list.map(formatProblem).join('\n'), options);
    this.problems = list;
  }
}

function isList(problems: Problem | readonly Problem[]): problems is readonly Problem[] {
  return Array.isArray(problems);
}

/** The parts of a problem that its maker chooses; level defaults to error. */
export type ProblemInit = Omit<Problem, 'level' | 'tag'> & { readonly level?: ProblemLevel };

const make =
  (tag: ProblemTag) =>
  (init: ProblemInit): Problem => ({ level: 'error', ...init, tag });

export const inputProblem = make('input');
export const environmentProblem = make('environment');
export const buildProblem = make('build');
export const integrityProblem = make('integrity');

/** `file:line:column: text (hint)`, without colour. */
export function formatProblem(problem: Problem): string {
  let place = problem.file ?? '';
  if (problem.file !== undefined && problem.line !== undefined) {
    place += `:${problem.line}`;
    if (problem.column !== undefined) place += `:${problem.column}`;
  }
  const head = place === '' ? problem.text : `${place}: ${problem.text}`;
  return problem.hint === undefined ? head : `${head}\n  hint: ${problem.hint}`;
}

/** Exit codes of shared interface: 0 done, 1 build said no, 2 input, 3 environment, 4 integrity, 70 bug,
 * 130 interrupted, 143 terminated. */
export const EXIT = {
  done: 0,
  no: 1,
  input: 2,
  environment: 3,
  integrity: 4,
  bug: 70,
  interrupted: 130,
  terminated: 143,
} as const;

const EXIT_OF_TAG: Record<ProblemTag, number> = {
  input: EXIT.input,
  environment: EXIT.environment,
  build: EXIT.no,
  integrity: EXIT.integrity,
  bug: EXIT.bug,
};

/** The exit code for a set of problems: the gravest error decides (bug, integrity, environment, input,
 * build); warnings do not count. */
export function exitCodeOf(problems: readonly Problem[]): number {
  const gravity: readonly ProblemTag[] = ['bug', 'integrity', 'environment', 'input', 'build'];
  for (const tag of gravity) {
    if (problems.some((problem) => problem.level === 'error' && problem.tag === tag)) return EXIT_OF_TAG[tag];
  }
  return EXIT.done;
}
