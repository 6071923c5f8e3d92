/** What is kept of recipes and trees gives what reading the files gives. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../oci/digest.ts';
import { targetsOf } from '../recipe/targets.ts';
import { type HashedFolder, hashedFolder, type LineStore, memoryLines, RecipeCache } from './cache.ts';
import { copies, folders, packageToml, type TreeText } from './fixture.ts';
import { loadHead, loadTree } from './load.ts';
import type { LoadedTree } from './model.ts';
import { folderReader, type RecipeReader } from './reader.ts';
import { recipesKey, type TreeHead, treeKey, treeOf } from './snapshot.ts';

const options = { platform: 'linux/amd64' };
const HASH = 'a'.repeat(64);

const TREE: TreeText = {
  'core/a': copies(),
  'core/b': [
    packageToml(
      'b',
      `unknown = 1\nsubpackages = ["b", "c"]\n[sources.s]\nhash = "${HASH}"\nmirrors = ["https://e.x/s"]`,
    ),
    'FROM stagex/core-a AS base\nFROM base AS package-b\nFROM base AS package-c\nCOPY --from=stagex/core-a:latest x y\n',
  ],
  'pallet/b': ['[package]\nname = "b"\nversion_from = "core-b"', 'ARG VERSION\nFROM stagex/core-b\n'],
  'user/mesa': [null, 'FROM scratch\n'],
};

/** `log` gets the name of each file that is read. */
function hashed(tree: TreeText, log: string[] = []): HashedFolder[] {
  return folders(tree)
    .map(hashedFolder)
    .map((folder) => ({
      ...folder,
      read: (file) => {
        log.push(`${folder.stage}/${folder.name}/${file}`);
        return folder.read(file);
      },
    }));
}

interface Lines extends LineStore {
  readonly lines: Map<string, string>;
}

/** `from`: the lines of an earlier load. */
function store(from: ReadonlyMap<string, string> = new Map()): Lines {
  const lines = new Map(from);
  return { lines, ...memoryLines(lines) };
}

/** The tree that a cache gives, with all that its targets say. */
async function loadWith(cache: RecipeCache, list: readonly HashedFolder[], platform = 'linux/amd64') {
  const readerOf = cache.readers(list);
  const { head, problems } = await headOf(readerOf, list, platform);
  return { tree: head && plain(treeIn(head, readerOf, platform)), problems };
}

type ReaderOf = (dir: string) => RecipeReader;

function headOf(readerOf: ReaderOf, list: readonly HashedFolder[], platform = 'linux/amd64') {
  return loadHead(
    list.map(({ dir }) => readerOf(dir)),
    { platform },
  );
}

/** From a head as it comes back from where it was kept. */
function treeIn(head: TreeHead, readerOf: ReaderOf, platform = 'linux/amd64') {
  return treeOf(JSON.parse(JSON.stringify(head)) as TreeHead, readerOf, platform);
}

function fail(what: string): never {
  throw new Error(what);
}

async function fresh(tree: TreeText, platform = 'linux/amd64') {
  const { tree: loaded, problems } = await loadTree(folders(tree), { platform });
  return { tree: plain(loaded), problems };
}

describe('kept lines', () => {
  it('give the same tree without reading a file', async () => {
    const { lines } = await first();
    const log: string[] = [];
    const again = store(lines);
    expect(await loadWith(new RecipeCache(again), hashed(TREE, log))).toEqual(await fresh(TREE));
    expect(log).toEqual([]);
    expect(again.lines).toEqual(lines);
  });

  it('are of one recipe each: only what changed is read, and what depends on its version', async () => {
    const { lines } = await first();
    const [toml, containerfile] = TREE['core/b'] as readonly [string, string];
    const edited = { ...TREE, 'core/b': [toml.replace('1.0', '2.0'), containerfile] as const };
    const log: string[] = [];
    const result = await loadWith(new RecipeCache(store(lines)), hashed(edited, log));
    expect(result).toEqual(await fresh(edited));
    expect(log.sort()).toEqual([
      'core/b/Containerfile',
      'core/b/package.toml',
      'pallet/b/Containerfile',
      'pallet/b/package.toml',
    ]);
  });

  it('are kept by platform, and errors are kept too', async () => {
    const broken = {
      ...TREE,
      'core/x': 'FROM stagex/nowhere\nFRM x\n',
      'core/y': ['[package', 'FROM scratch\n'] as const,
    };
    const kept = store();
    const amd64 = await loadWith(new RecipeCache(kept), hashed(broken));
    const arm64 = await loadWith(new RecipeCache(kept), hashed(broken), 'linux/arm64');
    const log: string[] = [];
    const second = new RecipeCache(kept);
    expect(await loadWith(second, hashed(broken, log))).toEqual(amd64);
    expect(await loadWith(second, hashed(broken, log), 'linux/arm64')).toEqual(arm64);
    expect(log).toEqual([]);
    expect(amd64.tree).toBeNull();
  });

  it('are not kept for a file that is no longer what its hash said', async () => {
    const kept = store();
    const cache = new RecipeCache(kept);
    const list = hashed({ 'core/a': copies() }).map((folder) => ({
      ...folder,
      containerfile: digestOf('other'),
    }));
    expect((await loadWith(cache, list)).tree).not.toBeNull();
    expect(cache.sound).toBe(false);
    expect(kept.lines.size).toBe(0);
  });

  it('of another build of the program are read again', async () => {
    const kept = store();
    await loadWith(new RecipeCache(kept, 'one'), hashed(TREE));
    for (const [program, reads] of [
      ['one', false],
      ['two', true],
    ] as const) {
      const log: string[] = [];
      await loadWith(new RecipeCache(store(kept.lines), program), hashed(TREE, log));
      expect(log.length > 0).toBe(reads);
    }
  });

  it('of a file that changed between its two readings are not kept either', async () => {
    const { lines } = await first();
    // What package.toml says is there, what the Containerfile says for another platform is not; by then it is another.
    const list = hashed(TREE).map((folder) => ({
      ...folder,
      read: () => new TextEncoder().encode('FROM scratch AS other\n'),
    }));
    const again = store(lines);
    const cache = new RecipeCache(again);
    await loadWith(cache, list, 'linux/arm64');
    expect(cache.sound).toBe(false);
    expect(again.lines).toEqual(lines);
  });

  it('that are lost while the tree is in use are read again, from the same files or not at all', async () => {
    const log: string[] = [];
    const kept = store();
    const cache = new RecipeCache(kept);
    let containerfile = new TextEncoder().encode(copies());
    const list = hashed({ 'core/a': copies() }, log).map((folder) => ({
      ...folder,
      read: (file: 'package.toml' | 'Containerfile') =>
        file === 'Containerfile' ? containerfile : folder.read(file),
    }));
    const readerOf = cache.readers(list);
    const { head } = await headOf(readerOf, list);
    const resolved = (of: ReaderOf) =>
      treeIn(head ?? fail('no head'), of).graph.targets.get('core-a')?.resolved;
    cache.loaded();
    const before = resolved(readerOf);
    expect(before).toHaveLength(1);
    kept.lines.clear();
    expect(resolved(cache.readers(list))).toEqual(before);
    kept.lines.clear();
    containerfile = new TextEncoder().encode('FROM scratch AS other\n');
    expect(() => resolved(cache.readers(list))).toThrow('It was changed after the tree had been read');
  });

  async function first() {
    const kept = store();
    await loadWith(new RecipeCache(kept), hashed(TREE));
    return kept;
  }
});

/** A tree with everything that its targets say when they are asked. */
function plain(tree: LoadedTree | null) {
  if (tree === null) return null;
  const { recipes, graph, warnings } = tree;
  const targets = [...graph.targets].map(([key, target]) => {
    const { name, stage, recipe, buildTarget, platforms, tag, buildArgs } = target;
    const { resolved, edges, dependencies, contextNames } = target;
    const own = { name, stage, recipe: recipes.indexOf(recipe), buildTarget, platforms, tag, buildArgs };
    return [key, { ...own, resolved, edges, dependencies, contextNames }];
  });
  return { recipes, targets, order: graph.order, dependents: graph.dependents, warnings };
}

describe('the head of a tree', () => {
  it('with its readers says of every target what reading its recipe says', async () => {
    const { tree } = await loadTree(folders(TREE), options);
    let count = 0;
    for (const folder of folders(TREE)) {
      const reader = folderReader(folder);
      const { recipe } = reader.facts();
      // What takes its version from elsewhere is not told by its own folder.
      if (recipe === null || recipe.versionFrom !== null) continue;
      for (const target of targetsOf(recipe, options.platform)) {
        const held = tree?.graph.targets.get(target.name);
        const { name, stage, buildTarget, platforms, tag, buildArgs } = held ?? fail(target.name);
        const own = { name, stage, recipe: held?.recipe, buildTarget, platforms, tag, buildArgs };
        expect(own).toEqual(target);
        const request = {
          target: buildTarget,
          platform: options.platform,
          version: recipe.version,
          buildArgs,
        };
        expect(held?.resolved).toEqual([reader.resolve(request).resolved]);
        count += 1;
      }
    }
    expect(count).toBe(3);
  });

  const keyOf = (
    list: readonly HashedFolder[],
    ...rest: Parameters<typeof treeKey> extends [unknown, ...infer R] ? R : never
  ) => treeKey(recipesKey(list), ...rest);
  const key = keyOf(hashed(TREE), options);

  it('has a key that every input changes, and order does not', () => {
    const list = hashed(TREE);
    const keys = [
      key,
      keyOf(list, { platform: 'linux/arm64' }),
      keyOf(list, { ...options, allowedImages: new Set(['a']) }),
      keyOf(list, options, 'another build'),
      keyOf(list.slice(1), options),
      keyOf(hashed({ ...TREE, 'core/a': copies('core-b') }), options),
      keyOf(
        list.map((folder) => ({ ...folder, dir: folder.dir.replace('packages/', '') })),
        options,
      ),
    ];
    expect(new Set(keys).size).toBe(keys.length);
    fc.assert(
      fc.property(fc.shuffledSubarray(list, { minLength: list.length }), (shuffled) => {
        expect(keyOf(shuffled, options)).toBe(key);
      }),
    );
  });
});
