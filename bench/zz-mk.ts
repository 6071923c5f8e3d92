import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inMiniWords, largeShape, sha256, sourceOf, writeLarge } from '../test/twins/large.ts';
import { buildInMemory } from './built-state.ts';

const [copies, folder] = process.argv.slice(2) as [string, string];
const root = join(folder, 'tree');
const state = join(folder, 'state');
const shape = largeShape(Number(copies));
writeLarge(root, shape);
mkdirSync(join(state, 'sources/sha256'), { recursive: true });
for (const recipe of shape) {
  const text = sourceOf(recipe);
  writeFileSync(join(state, 'sources/sha256', sha256(text)), text, { mode: 0o444 });
}
await buildInMemory(root, state, inMiniWords);
