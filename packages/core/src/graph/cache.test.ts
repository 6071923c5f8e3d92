/** Kept facts and frozen trees give what reading the files gives, or nothing. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../oci/digest.ts';
import { FactsCache, type HashedFolder } from './cache.ts';
import { copies, folders, packageToml, type TreeText } from './fixture.ts';
import { loadTree, loadTreeFrom } from './load.ts';
import type { LoadedTree } from './model.ts';
import { freezeTree, recipesKey, thawTree, treeKey } from './snapshot.ts';

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
  return folders(tree).map(({ packageToml: toml, containerfile, ...folder }) => ({
    ...folder,
    packageToml: toml && digestOf(toml),
    containerfile: containerfile && digestOf(containerfile),
    read: (file) => {
      log.push(`${folder.stage}/${folder.name}/${file}`);
      return (file === 'Containerfile' ? containerfile : toml) ?? new Uint8Array();
    },
  }));
}

const bytes = (text: string | null) => new TextEncoder().encode(text ?? '');

const loadWith = (cache: FactsCache, list: readonly HashedFolder[], platform = 'linux/amd64') =>
  loadTreeFrom(
    list.map((folder) => cache.reader(folder)),
    { platform },
  );

describe('kept facts', () => {
  it('give the same tree without reading a file', async () => {
    const first = new FactsCache(null);
    const fresh = await loadWith(first, hashed(TREE));
    expect(fresh).toEqual(await loadTree(folders(TREE), options));
    const log: string[] = [];
    const second = new FactsCache(bytes(first.serialize()));
    expect(await loadWith(second, hashed(TREE, log))).toEqual(fresh);
    expect(log).toEqual([]);
    expect(second.serialize()).toBeNull();
  });

  it('read only what changed, and what depends on its version', async () => {
    const first = new FactsCache(null);
    await loadWith(first, hashed(TREE));
    const [toml, containerfile] = TREE['core/b'] as readonly [string, string];
    const edited = { ...TREE, 'core/b': [toml.replace('1.0', '2.0'), containerfile] as const };
    const log: string[] = [];
    const second = new FactsCache(bytes(first.serialize()));
    const result = await loadWith(second, hashed(edited, log));
    expect(result).toEqual(await loadTree(folders(edited), options));
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
    const first = new FactsCache(null);
    const amd64 = await loadWith(first, hashed(broken));
    const arm64 = await loadWith(first, hashed(broken), 'linux/arm64');
    const log: string[] = [];
    const second = new FactsCache(bytes(first.serialize()));
    expect(await loadWith(second, hashed(broken, log))).toEqual(amd64);
    expect(await loadWith(second, hashed(broken, log), 'linux/arm64')).toEqual(arm64);
    expect(log).toEqual([]);
    expect(amd64.tree).toBeNull();
  });

  it('are not kept for a file that is no longer what its hash said', async () => {
    const cache = new FactsCache(null);
    const list = hashed({ 'core/a': copies() }).map((folder) => ({
      ...folder,
      containerfile: digestOf('other'),
    }));
    expect((await loadWith(cache, list)).tree).not.toBeNull();
    expect(cache.sound).toBe(false);
    expect(cache.serialize()).toBeNull();
  });

  it('outlive a while unused', async () => {
    let text: string | null = null;
    const other = hashed({ 'core/other': copies() });
    const log: string[] = [];
    const step = async (list: readonly HashedFolder[]) => {
      const cache = new FactsCache(bytes(text));
      await loadWith(cache, list);
      text = cache.serialize() ?? text;
    };
    await step(other);
    for (let i = 0; i < 5; i++) await step(hashed({ [`core/n${i}`]: copies() }));
    await step(hashed({ 'core/other': copies() }, log));
    expect(log).toEqual([]);
    for (let i = 0; i < 12; i++) await step(hashed({ [`core/m${i}`]: copies() }));
    await step(hashed({ 'core/other': copies() }, log));
    expect(log).not.toEqual([]);
  });

  it('of another build of the program are read again', async () => {
    const first = new FactsCache(null, 'one');
    await loadWith(first, hashed(TREE));
    const text = first.serialize();
    for (const [program, reads] of [
      ['one', false],
      ['two', true],
    ] as const) {
      const log: string[] = [];
      await loadWith(new FactsCache(bytes(text), program), hashed(TREE, log));
      expect(log.length > 0).toBe(reads);
    }
  });

  it('that are damaged anywhere are read again', async () => {
    const first = new FactsCache(null);
    const fresh = await loadWith(first, hashed(TREE));
    const text = first.serialize() ?? '';
    for (let at = 0; at <= text.length; at += 1 + (text.length >> 6)) {
      const log: string[] = [];
      const other = String.fromCharCode(text.charCodeAt(at) ^ 1);
      const damaged = at === text.length ? '' : text.slice(0, at) + other + text.slice(at + 1);
      expect(await loadWith(new FactsCache(bytes(damaged)), hashed(TREE, log))).toEqual(fresh);
      expect(log.length).toBeGreaterThan(0);
    }
  });

  it('of a file that changed between its two readings are not kept either', async () => {
    const first = new FactsCache(null);
    await loadWith(first, hashed(TREE));
    // The facts are there, what the Containerfile says for another platform is not; by then it is another file.
    const list = hashed(TREE).map((folder) => ({
      ...folder,
      read: () => bytes('FROM scratch AS other\n'),
    }));
    const second = new FactsCache(bytes(first.serialize()));
    await loadWith(second, list, 'linux/arm64');
    expect(second.sound).toBe(false);
    expect(second.serialize()).toBeNull();
  });
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

describe('a frozen tree', () => {
  const keyOf = (
    list: readonly HashedFolder[],
    ...rest: Parameters<typeof treeKey> extends [unknown, ...infer R] ? R : never
  ) => treeKey(recipesKey(list), ...rest);
  const key = keyOf(hashed(TREE), options);

  it('thaws to the same tree', async () => {
    const { tree } = await loadTree(folders(TREE), options);
    expect(tree && plain(thawTree(bytes(freezeTree(tree))))).toEqual(tree && plain(tree));
  });

  it('freezes again as it was, its targets read or not', async () => {
    const { tree } = await loadTree(folders(TREE), options);
    const text = tree ? freezeTree(tree) : '';
    const thawed = thawTree(bytes(text));
    expect(thawed && freezeTree(thawed)).toBe(text);
  });

  it('with one bit turned is none', async () => {
    const { tree } = await loadTree(folders({ 'core/a': copies() }), options);
    const text = tree ? freezeTree(tree) : '';
    for (let at = 0; at < text.length; at++) {
      const other = String.fromCharCode(text.charCodeAt(at) ^ 1);
      expect(thawTree(bytes(text.slice(0, at) + other + text.slice(at + 1)))).toBeNull();
    }
  });

  it('cut off anywhere is none', async () => {
    const { tree } = await loadTree(folders({ 'core/a': copies() }), options);
    const text = tree ? freezeTree(tree) : '';
    for (let length = 0; length < text.length; length++)
      expect(thawTree(bytes(text.slice(0, length)))).toBeNull();
  });

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
