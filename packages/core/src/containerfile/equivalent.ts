/**
 * Whether two Containerfiles say the same to BuildKit, apart from comments, blank lines and where things stand.
 *
 * Statements as written are compared, nothing is expanded.
 */
import { parseStatements } from './statements.ts';
import { PlacedError } from './text.ts';

/** False also where one of them can not be read. */
export function sayTheSame(a: Uint8Array, b: Uint8Array): boolean {
  const one = essence(a);
  return one !== null && one === essence(b);
}

function essence(bytes: Uint8Array): string | null {
  try {
    const { statements, escapeToken, syntax, check } = parseStatements(bytes);
    return JSON.stringify([
      escapeToken,
      syntax?.image ?? null,
      check?.value ?? null,
      statements.map(({ keyword, flags, original, heredocs }) => [
        keyword.toLowerCase(),
        flags,
        original,
        heredocs,
      ]),
    ]);
  } catch (error) {
    if (error instanceof PlacedError) return null;
    throw error;
  }
}
