/**
 * `digests/<stage>.txt`: the manifest digests a tree has committed, one line a target, in upstream's format.
 *
 * A line is `<64 hex> <stage>-<name>`, lines are sorted by name and end with a newline. Pure text; unaware of outputs
 * and of where the file lies.
 */
import { inputProblem, type Problem } from '../errors.ts';
import { hexOf, isDigest } from '../oci/digest.ts';
import type { Digest } from '../oci/model.ts';
import { byCodeUnit } from '../order.ts';

export interface DigestLine {
  /** `<stage>-<name>`. */
  readonly target: string;
  readonly digest: Digest;
  /** 1-based. */
  readonly line: number;
}

export interface DigestFile {
  readonly stage: string;
  /** By target, in the order of the file; of a target that is there twice, the first line. */
  readonly lines: ReadonlyMap<string, DigestLine>;
  /** Errors: lines that can not be read. Warnings: order, end of file, which upstream's script would change. */
  readonly problems: readonly Problem[];
}

const LINE = /^([0-9a-f]{64}) (\S+)$/;

/**
 * Reads a file, telling every line that is not exactly right.
 * @param file the path, for problems
 */
export function parseDigests(text: string, stage: string, file: string): DigestFile {
  const lines = new Map<string, DigestLine>();
  const problems: Problem[] = [];
  const tell = (code: string, line: number, what: string, level: 'error' | 'warning' = 'error'): void => {
    problems.push(inputProblem({ code, level, text: what, file, line }));
  };
  const rows = text.split('\n');
  if (rows.at(-1) === '') rows.pop();
  else tell('digests-no-newline', rows.length, 'The last line does not end with a newline.', 'warning');
  let before = '';
  for (const [place, row] of rows.entries()) {
    const line = place + 1;
    const [, hex, target] = LINE.exec(row) ?? [];
    const digest = `sha256:${hex ?? ''}`;
    if (target === undefined || !isDigest(digest)) {
      const shown = JSON.stringify(row.length > 120 ? `${row.slice(0, 120)}...` : row);
      tell('digests-bad-line', line, `${shown} is not a line of the form "<64 hex digits> ${stage}-<name>".`);
      continue;
    }
    if (!target.startsWith(`${stage}-`) || target.length === stage.length + 1) {
      tell('digests-other-stage', line, `${target} is no target of the stage ${stage}.`);
      continue;
    }
    const first = lines.get(target);
    if (first !== undefined) {
      tell('digests-twice', line, `${target} is in line ${first.line} already.`);
      continue;
    }
    if (byCodeUnit(before, target) > 0) {
      tell(
        'digests-order',
        line,
        `${target} comes after ${before}: the lines are not sorted by name.`,
        'warning',
      );
    }
    before = target;
    lines.set(target, { target, digest, line });
  }
  return { stage, lines, problems };
}

/**
 * The text of a stage's file, byte for byte as upstream's script writes it.
 * @param digests by target; all of the stage
 */
export function formatDigests(stage: string, digests: ReadonlyMap<string, Digest>): string {
  const rows: string[] = [];
  // Upstream sorts by the name alone; behind one and the same prefix that is the same order.
  for (const target of [...digests.keys()].sort(byCodeUnit)) {
    const digest = digests.get(target);
    if (digest === undefined || !isDigest(digest) || !target.startsWith(`${stage}-`)) {
      throw new Error(`${target}: ${digest} is no line of digests/${stage}.txt`);
    }
    rows.push(`${hexOf(digest)} ${target}\n`);
  }
  return rows.join('');
}

export interface DigestUpdate {
  /** The whole new text; the old one, untouched, where nothing changed. */
  readonly text: string;
  /** Sorted by target. */
  readonly changes: readonly DigestChange[];
}

export interface DigestChange {
  readonly target: string;
  readonly before: Digest | null;
  /** null: the line goes away. */
  readonly after: Digest | null;
}

/**
 * Changes what is given and leaves every other line as it is.
 * @param text of the file, empty where there is none; without errors as `parseDigests` sees them
 * @param wanted new digests by target, null to take a line out; targets of other stages are a bug of the caller
 */
export function updateDigests(
  text: string,
  stage: string,
  wanted: ReadonlyMap<string, Digest | null>,
): DigestUpdate {
  const file = parseDigests(text, stage, `digests/${stage}.txt`);
  if (file.problems.some(({ level }) => level === 'error')) {
    throw new Error(`digests/${stage}.txt has errors: rewriting it would lose lines`);
  }
  const digests = new Map([...file.lines].map(([target, { digest }]) => [target, digest]));
  const changes: DigestChange[] = [];
  for (const target of [...wanted.keys()].sort(byCodeUnit)) {
    const before = digests.get(target) ?? null;
    const after = wanted.get(target) ?? null;
    if (before === after) continue;
    changes.push({ target, before, after });
    if (after === null) digests.delete(target);
    else digests.set(target, after);
  }
  return { text: changes.length === 0 ? text : formatDigests(stage, digests), changes };
}
