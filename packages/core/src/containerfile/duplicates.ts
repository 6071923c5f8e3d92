/**
 * The same `COPY --from` written twice in one build stage: the second copies what is there already.
 *
 * Words as written are compared, nothing is resolved.
 */

import type { CopyInstruction, ParsedContainerfile } from './instructions.ts';

export interface DuplicateCopy {
  /** `--from` as written. */
  readonly from: string;
  /** Of the repeated instruction and of the first of its kind, 1-based. */
  readonly line: number;
  readonly firstLine: number;
}

/** Every repetition of a `COPY --from` with the same source, destination and options within its stage. */
export function duplicateCopies(parsed: ParsedContainerfile): readonly DuplicateCopy[] {
  const duplicates: DuplicateCopy[] = [];
  for (const { instructions } of parsed.stages) {
    const seen = new Map<string, number>();
    for (const instruction of instructions) {
      if (instruction.kind !== 'copy' || instruction.from === '') continue;
      const key = keyOf(instruction);
      const firstLine = seen.get(key);
      if (firstLine === undefined) seen.set(key, instruction.line);
      else duplicates.push({ from: instruction.from, line: instruction.line, firstLine });
    }
  }
  return duplicates;
}

function keyOf(copy: CopyInstruction): string {
  const { sources, inline, destination, chown, chmod, excludes, parents, link } = copy;
  return JSON.stringify([
    copy.from.toLowerCase(),
    sources,
    inline,
    destination,
    chown,
    chmod,
    excludes,
    parents,
    link,
  ]);
}
