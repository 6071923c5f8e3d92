/**
 * The small world whose calls are recorded: everything is built, then one file is edited and what follows is built.
 * After each target that is done a folder is made in `marks`, so that the recording tells what was promised by when.
 *
 * usage: node world-main.ts FOLDER
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CrashWorld } from './world.ts';

const [, , folder = ''] = process.argv;
const world = new CrashWorld(folder);
mkdirSync(join(folder, 'marks'));
world.writeTree();
let marks = 0;
const mark = (name: string): void => {
  marks += 1;
  mkdirSync(join(folder, 'marks', `${marks}-${name}`));
};
await world.run((target) => mark(`one-${target}`));
mark('edit');
// Not beside it: there it would be one more file of the recipe.
const draft = join(world.tree, 'draft');
writeFileSync(draft, 'two\n');
renameSync(draft, world.edited);
await world.run((target) => mark(`two-${target}`));
