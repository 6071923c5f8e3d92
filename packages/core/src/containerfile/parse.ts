/**
 * `parseContainerfile`: a whole file, syntax only.
 *
 * Unaware of targets, platforms and build args.
 */

import { inputProblem, type Problem, ProblemError } from '../errors.ts';
import type { ArgInstruction, Instruction, ParsedContainerfile, StageInstruction } from './instructions.ts';
import { interpret } from './interpret.ts';
import { parseStatements, type Statement, type Statements } from './statements.ts';
import { PlacedError, ReadingError } from './text.ts';

/**
 * Reads `bytes` as BuildKit's own Dockerfile frontend does; refuses what its parser refuses, whatever would
 * be built of it. `file` is for problems only.
 *
 * @throws ProblemError with code `containerfile-syntax` (the lines can not be told apart: one problem) or
 * `containerfile-instruction` (one for every instruction that is wrong).
 */
export function parseContainerfile(bytes: Uint8Array, file: string): ParsedContainerfile {
  const { statements, escapeToken, syntax, check } = readStatements(bytes, file);
  const problems: Problem[] = [];
  const metaArgs: ArgInstruction[] = [];
  const stages: { from: Extract<Instruction, { kind: 'from' }>; instructions: StageInstruction[] }[] = [];
  const report = (line: number, text: string): void => {
    problems.push(inputProblem({ code: 'containerfile-instruction', file, line, text }));
  };
  for (const statement of statements) {
    const instruction = tryInterpret(statement, report);
    if (instruction === null) continue;
    const stage = stages.at(-1);
    if (instruction.kind === 'from') stages.push({ from: instruction, instructions: [] });
    else if (stage !== undefined) stage.instructions.push(instruction);
    else if (instruction.kind === 'arg') metaArgs.push(instruction);
    else report(instruction.line, `no build stage in current context: ${statement.keyword} before any FROM`);
  }
  if (problems.length === 0 && stages.length === 0) {
    report(statements.at(-1)?.endLine ?? 1, 'dockerfile contains no stages to build: there is no FROM');
  }
  if (problems.length > 0) throw new ProblemError(problems);
  return { file, escapeToken, syntax, check, metaArgs, stages };
}

function readStatements(bytes: Uint8Array, file: string): Statements {
  try {
    return parseStatements(bytes);
  } catch (error) {
    if (!(error instanceof PlacedError)) throw error;
    throw new ProblemError(
      inputProblem({ code: 'containerfile-syntax', file, line: error.line, text: error.message }),
    );
  }
}

function tryInterpret(
  statement: Statement,
  report: (line: number, text: string) => void,
): Instruction | null {
  try {
    return interpret(statement);
  } catch (error) {
    if (!(error instanceof ReadingError)) throw error;
    report(statement.line, error.message);
    return null;
  }
}
