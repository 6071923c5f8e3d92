/**
 * Three processes, three buildkitds with state of their own, one registry: they share the work of the plain twin without a
 * coordinator, and give the digests of one machine. Again with a shard killed half-way, with the registry killed and
 * started again, and after an edit.
 *
 * The whole twin (513 targets) once; the others on its first stages, or all with STX_SHARDS=all.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { builds, said } from '../../rig/builds.ts';
import { documentOf, type Finished, type RunDocument, type Running, start, stx } from '../../rig/cli.ts';
import { fastFolder } from '../../rig/fast-folder.ts';
import { TestRegistry } from '../../rig/registry.ts';
import { expectedBuilds, stagexShape, type TwinRecipe, writeTwin } from '../../twins/generate.ts';

const COUNT = 3;

/** Figures for whoever reads the log. */
const say = (text: string): void => void process.stderr.write(`${text}\n`);

const ALL = process.env['STX_SHARDS'] === 'all';

interface ShardDocument extends RunDocument {
  readonly shard: {
    readonly index: number;
    readonly own: readonly string[];
    readonly tookOver: readonly string[];
  };
}
interface CollectDocument {
  readonly ok: boolean;
  readonly counts: RunDocument['counts'];
  readonly targets: readonly {
    readonly name: string;
    readonly digest: string | null;
    readonly builtBy: readonly number[];
  }[];
  readonly twice: readonly string[];
  readonly shards: readonly { readonly shard: number; readonly result: unknown }[];
}

let folder: string;
let registry: TestRegistry;
const states = new Set<string>();

beforeAll(async () => {
  folder = fastFolder('stx-shards-');
  registry = await TestRegistry.start();
});
afterEach(async () => {
  await Promise.all([...states].map((state) => stx(['daemon', 'stop'], { cwd: folder, state })));
  states.clear();
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** The recipes of the twin up to core: nothing of it needs what is left out. */
function fewRecipes(): TwinRecipe[] {
  const names = new Set(
    stagexShape().flatMap(({ stage, targets }) =>
      stage === 'bootstrap' || stage === 'core' ? Object.keys(targets).map((name) => `${stage}-${name}`) : [],
    ),
  );
  for (let before = -1; before !== names.size; ) {
    before = names.size;
    for (const { stage, targets } of stagexShape()) {
      for (const [name, { deps }] of Object.entries(targets)) {
        if (names.has(`${stage}-${name}`) && !deps.every((needed) => names.has(needed)))
          names.delete(`${stage}-${name}`);
      }
    }
  }
  return stagexShape().filter(({ stage, targets }) =>
    Object.keys(targets).every((name) => names.has(`${stage}-${name}`)),
  );
}

/** A tree, and what one machine makes of it. */
async function tree(name: string, recipes: readonly TwinRecipe[]) {
  const root = join(folder, name);
  writeTwin(root, 'plain', recipes);
  const state = join(folder, `${name}-single`);
  states.add(state);
  const single = documentOf<RunDocument>(await stx(['world', '--json'], { cwd: root, state }));
  expect(single.ok).toBe(true);
  return { root, name, digests: digestsOf(single.targets) };
}

const digestsOf = (targets: readonly { readonly name: string; readonly digest: string | null }[]) =>
  Object.fromEntries(targets.map(({ name, digest }) => [name, digest]));

interface Session {
  readonly root: string;
  readonly name: string;
  readonly session: string;
  /** Of the remote; another one each, so that nothing is found from before. */
  readonly place: string;
  /** Seconds; long where nothing may be taken over. */
  readonly silence: string;
}

function startShard(
  { root, name, session, place, silence }: Session,
  index: number,
  ...more: string[]
): Running {
  const state = join(folder, `${name}-state${index}`);
  states.add(state);
  const remote = ['--remote', `${registry.host}/${place}`, '--remote-write'];
  const shard = ['--shard', `${index}/${COUNT}`, '--session', session, '--shard-silence', silence];
  const out = ['--out', join(folder, `${name}-out${index}`)];
  return start(['world', '--json', ...remote, ...shard, ...out, ...more], { cwd: root, state });
}

async function collected({ root, session, place }: Session, code = 0): Promise<CollectDocument> {
  const args = [
    'collect',
    '--json',
    '--remote',
    `${registry.host}/${place}`,
    '--shards',
    String(COUNT),
    '--session',
    session,
  ];
  const finished = await stx([...args, '--report', join(folder, `${session}.html`)], {
    cwd: root,
    state: join(folder, 'collector'),
  });
  expect(finished.code, finished.stderr).toBe(code);
  return documentOf<CollectDocument>(finished);
}

function shardDocument(finished: Finished): ShardDocument {
  expect(finished.code, finished.stderr.slice(-2_000)).toBe(0);
  return documentOf<ShardDocument>(finished);
}

const numbers = Array.from({ length: COUNT }, (_, index) => index + 1);

test('the whole twin: every digest is the single machine’s, every target built once; an edit builds what it needs', async () => {
  const { root, name, digests } = await tree('whole', stagexShape());
  const session = { root, name, session: 'first', place: 'whole', silence: '120' };
  const ends = await Promise.all(numbers.map((index) => startShard(session, index).finished));
  const documents = ends.map(shardDocument);
  for (const document of documents) expect(digestsOf(document.targets)).toEqual(digests);
  const whole = await collected(session);
  expect(whole.ok).toBe(true);
  expect(digestsOf(whole.targets)).toEqual(digests);
  const builds = documents.map(({ counts }) => counts.built);
  say(
    `whole twin on ${COUNT} shards: ${builds.join(' + ')} built, twice: ${whole.twice.join(', ') || 'none'}`,
  );
  expect(whole.twice).toEqual([]);
  expect(whole.counts.built).toBe(Object.keys(digests).length);
  for (const { shard } of documents) expect(shard.own.length).toBeGreaterThan(50);

  writeFileSync(join(root, 'packages/core/zlib/payload'), 'edited\n');
  const expected = expectedBuilds('core/zlib', 'plain');
  const edited = { ...session, session: 'edited' };
  const after = (await Promise.all(numbers.map((index) => startShard(edited, index).finished))).map(
    shardDocument,
  );
  const again = await collected(edited);
  const built = again.targets.filter(({ builtBy }) => builtBy.length > 0).map(({ name: target }) => target);
  say(
    `edit of core-zlib: ${built.length} built on shards ${after.map(({ counts }) => counts.built + counts.unchanged).join(' + ')}`,
  );
  expect(new Set(built)).toEqual(expected);
  expect(again.twice).toEqual([]);
}, 900_000);

test('a shard killed half-way: the others do its work', async () => {
  const { root, name, digests } = await tree('killed', ALL ? stagexShape() : fewRecipes());
  const session = { root, name, session: 'killed', place: 'killed', silence: '10' };
  const shards = numbers.map((index) =>
    startShard(session, index, '--events', join(folder, `killed-${index}.ndjson`)),
  );
  const [victim, ...others] = shards;
  // Half of what is its own: told by the number of verdicts it wrote.
  await builds(join(folder, 'killed-1.ndjson'), Math.floor(Object.keys(digests).length / COUNT / 2));
  victim?.interrupt('SIGKILL');
  await victim?.finished;
  const documents = (await Promise.all(others.map(({ finished }) => finished))).map(shardDocument);
  for (const document of documents) expect(digestsOf(document.targets)).toEqual(digests);
  expect(documents.flatMap(({ shard }) => shard.tookOver).length).toBeGreaterThan(0);
  const whole = await collected(session);
  expect(whole.shards.map(({ result }) => result === null)).toEqual([true, false, false]);
  expect(digestsOf(whole.targets)).toEqual(digests);
  say(
    `one of ${COUNT} shards killed: taken over ${documents.map(({ shard }) => shard.tookOver.length).join(' + ')}, twice: ${whole.twice.join(', ') || 'none'}`,
  );
}, 900_000);

test('the registry killed and started again: it costs time, nothing else', async () => {
  const { root, name, digests } = await tree('registry', ALL ? stagexShape() : fewRecipes());
  const session = { root, name, session: 'registry', place: 'registry', silence: '60' };
  const shards = numbers.map((index) =>
    startShard(session, index, '--events', join(folder, `registry-${index}.ndjson`)),
  );
  await builds(join(folder, 'registry-1.ndjson'), 10);
  await registry.kill();
  await said(join(folder, 'registry-1.ndjson'), /remote-away/);
  await registry.restart();
  const documents = (await Promise.all(shards.map(({ finished }) => finished))).map(shardDocument);
  for (const document of documents) expect(digestsOf(document.targets)).toEqual(digests);
  const whole = await collected(session);
  expect(digestsOf(whole.targets)).toEqual(digests);
  say(`registry restarted: twice: ${whole.twice.join(', ') || 'none'}`);
}, 900_000);
