/**
 * Every point at which a small world can be cut off: its system calls are recorded, each prefix of them is played
 * again into an empty folder with what was not synced lost, and the world is run on. It must end with the right
 * digests, every byte of out/ right, nothing left behind; what was reported as done before must not be built again;
 * and one more run has nothing to do.
 *
 * All prefixes with all losses: STX_CRASH=all. Else a sample, spread evenly over them.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Random } from '../../property/random.ts';
import { memoryFolder } from '../../property/world.ts';
import { differences, everythingSafe, type FolderNode, LOSSES, type Loss, writeOut } from './disk-model.ts';
import { type Call, record } from './record.ts';
import { Replay } from './replay.ts';
import { fitStamps } from './stamps.ts';
import { CrashWorld, digestsOf, TARGETS } from './world.ts';

const ALL = process.env['STX_CRASH'] === 'all';
/** How many cases without STX_CRASH=all. */
const SAMPLE = 500;
/** Findings after which nothing more is to be learnt. */
const ENOUGH = 20;

let home: string;
let folder: string;
let calls: Call[];
const right = new Map<string, ReadonlyMap<string, string | null>>();

beforeAll(async () => {
  home = memoryFolder('stx-power-');
  folder = join(home, 'disk');
  mkdirSync(folder);
  calls = record(join(import.meta.dirname, 'world-main.ts'), [folder]);
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

test('what was recorded is all that happened', () => {
  const replay = new Replay(folder);
  for (const call of calls) replay.apply(call);
  expect(differences(replay.root, folder)).toEqual([]);
  expect(calls.filter(({ name }) => /^fsync|^fdatasync/.test(name)).length).toBeGreaterThan(20);
});

describe('power', () => {
  beforeAll(async () => {
    rmSync(folder, { recursive: true });
    for (const text of ['one\n', 'two\n']) {
      const world = new CrashWorld(join(home, 'right'));
      world.writeTree(text);
      right.set(text, digestsOf(await world.run()));
      rmSync(join(home, 'right'), { recursive: true });
    }
    expect(right.get('one\n')).not.toEqual(right.get('two\n'));
  });

  test('wherever it is cut off, the next run goes on', async () => {
    const places = placesOf(calls);
    const cases = places.length * LOSSES.length;
    const step = ALL ? 1 : Math.max(1, Math.floor(cases / SAMPLE));
    // Not a multiple of the losses, or only some of them would be tried.
    const stride = step > 1 && step % 2 === 0 ? step + 1 : step;
    const began = performance.now();
    const replay = new Replay(folder);
    const wrong: string[] = [];
    let tried = 0;
    let rebuilt = 0;
    let at = 0;
    for (const [number, place] of places.entries()) {
      for (; at <= place; at += 1) {
        const call = calls[at];
        if (call !== undefined) replay.apply(call);
      }
      keepTree(replay.root);
      for (const [kind, loss] of LOSSES.entries()) {
        if ((number * LOSSES.length + kind) % stride !== 0) continue;
        const { faults, built } = await cutOff(replay, loss, place);
        wrong.push(...faults.map((fault) => `${loss} after call ${place} (${calls[place]?.name}): ${fault}`));
        tried += 1;
        rebuilt += built;
      }
      if (wrong.length > ENOUGH) break;
    }
    const seconds = Math.round((performance.now() - began) / 1000);
    process.stdout.write(
      `power cuts: ${places.length} places of ${LOSSES.length} losses, ${tried} tried in ${seconds} s, ${rebuilt} builds afterwards, ${wrong.length} wrong\n`,
    );
    expect(wrong).toEqual([]);
    expect(tried).toBeGreaterThan(ALL ? 3_000 : 400);
  }, 3_600_000);

  /** The judge of the judge: a program that forgot a sync must be found out. */
  test.each<[string, Loss, RegExp, RegExp]>([
    ['blobs', 'zeroed', /\/pool\/blobs\/sha256\/[0-9a-f]+$/, /damaged|built again|Error/],
    ['names of blobs', 'lost', /\/pool\/blobs\/sha256$/, /built again/],
    ['the database', 'lost', /\/state\.db(-wal)?$/, /built again/],
  ])('without the syncs of %s it is found out', async (_, loss, deaf, finding) => {
    const replay = new Replay(folder, (path) => deaf.test(path));
    for (const call of calls) replay.apply(call);
    keepTree(replay.root);
    const { faults } = await cutOff(replay, loss, calls.length);
    expect(faults.join('\n')).toMatch(finding);
  });
});

/** Indexes of the calls that change something once the state folder is there. */
function placesOf(all: readonly Call[]): number[] {
  const replay = new Replay(folder);
  return [...all.entries()].flatMap(([place, call]) =>
    replay.apply(call) && replay.root.names.has('state') ? [place] : [],
  );
}

/** The tree is the user's: what is written there counts as safe at once. */
function keepTree(root: FolderNode): void {
  root.safe = new Map(root.names);
  const tree = root.names.get('tree');
  if (tree?.kind !== 'folder') return;
  const outIsSafe = tree.safe.has('out');
  for (const [name, child] of tree.names) {
    if (name !== 'out' && child.kind === 'folder') everythingSafe(child);
  }
  tree.safe = new Map([...tree.names].filter(([name]) => name !== 'out' || outIsSafe));
}

/** Ends there, and runs on with what is left. */
async function cutOff(
  replay: Replay,
  loss: Loss,
  place: number,
): Promise<{ readonly faults: string[]; readonly built: number }> {
  rmSync(folder, { recursive: true, force: true });
  const random = new Random(place);
  writeOut(replay.root, folder, loss, () => random.below(1 << 20) / (1 << 20));
  const world = new CrashWorld(folder);
  fitStamps(world.state);
  const marks = replay.root.names.get('marks');
  const done = marks?.kind === 'folder' ? [...marks.names.keys()] : [];
  try {
    return await runOn(world, new Set(done.map((name) => name.replace(/^\d+-/, ''))));
  } catch (error) {
    return { faults: [error instanceof Error ? `${error.stack}` : String(error)], built: 0 };
  }
}

async function runOn(
  world: CrashWorld,
  done: ReadonlySet<string>,
): Promise<{ readonly faults: string[]; readonly built: number }> {
  const text = readFileSync(world.edited, 'utf8');
  const round = text === 'one\n' ? 'one' : 'two';
  const summary = await world.run();
  const built = [...world.builder.built];
  const faults: string[] = [];
  const digests = digestsOf(summary);
  if (!summary.ok || digests.size !== TARGETS) faults.push(`not ok: ${JSON.stringify(summary.problems)}`);
  for (const [target, digest] of right.get(text) ?? []) {
    if (digests.get(target) !== digest) faults.push(`${target} is ${digests.get(target)}, not ${digest}`);
  }
  for (const target of built) {
    // What the edit does not touch was done in the first round.
    if (done.has(`${round}-${target}`) || (target === 'core-b' && done.has('one-core-b'))) {
      faults.push(`${target} was done and is built again`);
    }
  }
  faults.push(...world.faults(digests));
  const again = await world.run();
  if (again.counts.hit !== TARGETS) faults.push(`one more run: ${JSON.stringify(again.counts)}`);
  faults.push(...world.faults(digests).map((fault) => `after one more run: ${fault}`));
  return { faults, built: built.length };
}
