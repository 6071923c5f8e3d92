/**
 * The digests that a tree has committed: its `digests/<stage>.txt` files, read and written.
 *
 * The form of the files is core's; unaware of outputs and git.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type DigestChange, type DigestLine, parseDigests, updateDigests } from '@stx-make/core/digests/file';
import { inputProblem, type Problem, ProblemError } from '@stx-make/core/errors';
import type { Digest } from '@stx-make/core/oci/model';
import { byCodeUnit } from '@stx-make/core/order';
import { fsyncDir, removeDeadTemporaries, withFileProblems, writeFileDurable } from '../files/index.ts';

/** Where they are, relative to the tree's root. */
export const DIGESTS = 'digests';

export interface CommittedLine extends DigestLine {
  readonly stage: string;
  /** Relative to the tree's root. */
  readonly file: string;
}

export interface Committed {
  /** By target. */
  readonly lines: ReadonlyMap<string, CommittedLine>;
  /** By stage. */
  readonly texts: ReadonlyMap<string, string>;
  readonly warnings: readonly Problem[];
}

/** The files of the work tree; none is fine. @throws ProblemError with every line that can not be read */
export function readCommitted(root: string): Committed {
  const folder = join(root, DIGESTS);
  const texts = withFileProblems('read the committed digests', folder, () => {
    if (!existsSync(folder)) return new Map<string, string>();
    const stages = readdirSync(folder)
      .filter((name) => /^[^.].*\.txt$/.test(name))
      .map((name) => name.slice(0, -'.txt'.length));
    return new Map(
      stages.sort(byCodeUnit).map((stage) => [stage, readFileSync(join(root, fileOf(stage)), 'utf8')]),
    );
  });
  return parseCommitted(texts);
}

/** The same from texts by stage, as another commit had them. */
export function parseCommitted(texts: ReadonlyMap<string, string>): Committed {
  const lines = new Map<string, CommittedLine>();
  const problems: Problem[] = [];
  for (const [stage, text] of texts) {
    const file = fileOf(stage);
    const parsed = parseDigests(text, stage, file);
    problems.push(...parsed.problems);
    for (const line of parsed.lines.values()) lines.set(line.target, { ...line, stage, file });
  }
  const errors = problems.filter(({ level }) => level === 'error');
  if (errors.length > 0) throw new ProblemError(errors);
  return { lines, texts, warnings: problems };
}

/** `digests/core.txt` */
export function fileOf(stage: string): string {
  return `${DIGESTS}/${stage}.txt`;
}

/** What a stage's lines shall be: a new digest, or null to take the line out. */
export type WantedDigests = ReadonlyMap<string, Digest | null>;

/** Writes the files that change, each at once and durably; one without lines goes away. Nothing is touched where nothing
 * changed. @returns the changes, by file and target */
export function writeCommitted(
  root: string,
  committed: Committed,
  wanted: ReadonlyMap<string, WantedDigests>,
): DigestChange[] {
  const changes: DigestChange[] = [];
  for (const stage of [...wanted.keys()].sort(byCodeUnit)) {
    if (!/^[^./][^/]*$/.test(stage)) throw badStage(stage);
    const before = committed.texts.get(stage) ?? '';
    const update = updateDigests(before, stage, wanted.get(stage) ?? new Map());
    if (update.changes.length === 0) continue;
    changes.push(...update.changes);
    const path = join(root, fileOf(stage));
    withFileProblems('write the digests', path, () => {
      mkdirSync(join(root, DIGESTS), { recursive: true });
      removeDeadTemporaries(join(root, DIGESTS));
      if (update.text !== '') {
        writeFileDurable(path, update.text);
        return;
      }
      rmSync(path, { force: true });
      fsyncDir(join(root, DIGESTS));
    });
  }
  return changes;
}

function badStage(stage: string): ProblemError {
  return new ProblemError(inputProblem({ code: 'bad-stage', text: `${stage} can not be a file's name.` }));
}
