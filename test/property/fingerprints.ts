/**
 * For environment.test.ts, in a process of its own: builds all of a tree in memory and prints the fingerprint of each
 * target, as JSON.
 *
 *     node test/property/fingerprints.ts ROOT STATE
 */
import { FakeBuilder } from './fake-builder.ts';
import { Tree } from './world.ts';

const [root = '', state = ''] = process.argv.slice(2);
const tree = new Tree(root, state, new FakeBuilder());
await tree.run({}, false);
const workspace = await tree.open(false);
const current = workspace.openState().records.current(workspace.treeKey);
process.stdout.write(
  JSON.stringify([...current.values()].map((row) => [row.target, row.fingerprint]).sort()),
);
tree.close();
