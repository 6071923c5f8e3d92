/**
 * What a process that died left of a download that had come to its end: its lock, and the note beside it. An unfinished
 * one is kept, for a later run to go on from.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readFolder, unlinkIfThere } from '../../files/index.ts';
import { partContent } from '../fetch/part.ts';

/** Once the content is in the store nobody needs them: whoever waits for the lock finds the content. */
export function removeSpentParts(sources: string): void {
  const partial = join(sources, 'partial');
  for (const name of readFolder(partial)) {
    const content = partContent(name);
    if (content !== null && existsSync(join(sources, 'sha256', content))) unlinkIfThere(join(partial, name));
  }
}
