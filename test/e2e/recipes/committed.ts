/** The committed digests of recipes/, read without the code under test. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY, type RunDocument } from '../../rig/cli.ts';

/** Target -> manifest digest, from recipes/digests/*.txt. */
export function committedDigests(): Record<string, string> {
  const folder = join(REPOSITORY, 'recipes/digests');
  const lines = readdirSync(folder).flatMap((file) =>
    readFileSync(join(folder, file), 'utf8').trimEnd().split('\n'),
  );
  return Object.fromEntries(
    lines.map((line) => {
      const [hex = '', target = ''] = line.split(' ');
      return [target, `sha256:${hex}`];
    }),
  );
}

/** Target -> manifest digest, of a run. */
export function digestsOf(run: RunDocument): Record<string, string | null> {
  return Object.fromEntries(run.targets.map(({ name, digest }) => [name, digest]));
}
