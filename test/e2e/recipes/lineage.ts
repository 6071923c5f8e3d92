/** docs/bootstrap.md and its lineage table, as data. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../../rig/cli.ts';

/** The page. */
export const PAGE = readFileSync(join(REPOSITORY, 'docs/bootstrap.md'), 'utf8');

/** A row of the table. */
export interface Ancestor {
  readonly target: string;
  /** Its place in the image. */
  readonly program: string;
  /** Below recipes/. */
  readonly sources: readonly string[];
  /** Of the sources. */
  readonly lines: number;
  /** Of the program. */
  readonly bytes: number;
  /** The first 12 digits. */
  readonly digest: string;
}

/** The rows, in the order of the page. */
export function lineage(): readonly Ancestor[] {
  const [, table = ''] = PAGE.split('\n## Lineage\n');
  const rows = table.split('\n').filter((line) => /^\| (bootstrap|core|pallet|user)-/.test(line));
  return rows.map((row) => {
    const [, target = '', program = '', , , source = '', lines, bytes, digest = ''] = row
      .split('|')
      .map((cell) => cell.trim());
    // Further files of a row are beside the first.
    const [first = '', ...more] = source.split(' ');
    const folder = first.slice(0, first.lastIndexOf('/') + 1);
    const sources = [first, ...more.map((name) => folder + name)];
    return { target, program, sources, lines: Number(lines), bytes: Number(bytes), digest };
  });
}
