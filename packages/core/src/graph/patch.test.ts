/** A head that was patched is what loading the whole tree gives, and nothing is patched that others can see. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { hashedFolder, memoryLines, RecipeCache } from './cache.ts';
import { copies, folders, packageToml, type TreeText } from './fixture.ts';
import { loadHead } from './load.ts';
import { patchHead } from './patch.ts';
import { treeOf } from './snapshot.ts';

const options = { platform: 'linux/amd64', allowedImages: new Set(['alpine']) };

const TREE: TreeText = {
  'core/a': copies(),
  'core/b': [
    packageToml('b', 'subpackages = ["b", "c"]'),
    'FROM stagex/core-a AS base\nFROM base AS package-b\nFROM base AS package-c\n',
  ],
  'core/d': copies('core-a', 'core-c'),
  'core/e': [packageToml('e', 'unknown = 1'), copies('core-d')],
  'pallet/b': ['[package]\nname = "b"\nversion_from = "core-b"', 'ARG VERSION\nFROM stagex/core-b\n'],
  'user/mesa': [null, 'FROM scratch\n'],
};

/** What a recipe can become: package.toml (null: as it was) and Containerfile. */
const EDITS: readonly (readonly [what: string, id: string, toml: string | null, containerfile: string])[] = [
  ['a comment', 'core/a', null, `# so\n${copies()}`],
  ['a comment in a split recipe', 'core/b', null, `# so\n${(TREE['core/b'] as readonly string[])[1]}`],
  ['another need', 'core/e', null, copies('core-a', 'core-d')],
  ['no need any more', 'core/d', null, copies()],
  ['an unusual spelling', 'core/d', null, copies('core-a:latest', 'core-c')],
  ['an image from outside that may be', 'core/d', null, 'FROM alpine\nCOPY --from=stagex/core-a . /\n'],
  ['a warning more', 'core/d', packageToml('d', 'strange = 1'), copies('core-a')],
  ['a warning less', 'core/e', packageToml('e'), copies('core-d')],
  ['a description', 'core/e', packageToml('e', 'description = "so"'), copies('core-d')],
  [
    'a version that others take',
    'core/b',
    packageToml('b').replace('1.0', '2.0'),
    'FROM scratch AS package-b\n',
  ],
  ['a version', 'core/d', packageToml('d').replace('1.0', '2.0'), copies('core-a')],
  ['a platform', 'core/d', packageToml('d', 'platforms = ["linux/arm64"]'), copies('core-a')],
  ['a cycle', 'core/a', null, copies('core-e')],
  ['itself', 'core/a', null, copies('core-a')],
  ['nobody', 'core/d', null, copies('core-nobody')],
  ['a mistake', 'core/d', null, 'FRM x\n'],
  ['bad toml', 'core/d', '[package', copies('core-a')],
  ['no package.toml', 'core/e', '', copies('core-d')],
  ['an image from outside', 'core/e', null, 'FROM debian\n'],
  ['a taken version', 'pallet/b', null, 'ARG VERSION\nFROM stagex/core-b\n# so\n'],
  ['another name', 'core/e', packageToml('e', 'subpackages = ["f"]'), 'FROM scratch AS package-f\n'],
];

/** Those that others can see, or in which anything is wrong. */
const WHOLE = /version|platform|cycle|itself|nobody|mistake|bad toml|no package|outside$|name/;

const hashed = (tree: TreeText) => folders(tree).map(hashedFolder);

async function patched(before: TreeText, after: TreeText, cache = new RecipeCache(memoryLines())) {
  const old = new Map(hashed(before).map((folder) => [folder.dir, folder]));
  const { head } = await whole(before, cache);
  if (head === null) return 'no head';
  const now = hashed(after);
  const readerOf = cache.readers(now);
  const edited = now.flatMap((folder) => {
    const was = old.get(folder.dir);
    const facts = was === undefined ? null : cache.known(was);
    if (facts === null) throw new Error(`nothing known of ${folder.dir}`);
    const isSame = was?.packageToml === folder.packageToml && was.containerfile === folder.containerfile;
    return isSame ? [] : [{ before: facts, reader: readerOf(folder.dir) }];
  });
  return patchHead(head, treeOf(head, readerOf, options.platform), edited, options);
}

function whole(tree: TreeText, cache = new RecipeCache(memoryLines())) {
  return loadHead(
    hashed(tree).map((folder) => cache.reader(folder)),
    options,
  );
}

function edit(tree: TreeText, id: string, toml: string | null, containerfile: string): TreeText {
  const now = tree[id];
  const own = typeof now === 'string' ? packageToml(id.split('/')[1] ?? '') : (now?.[0] ?? null);
  return { ...tree, [id]: [toml === '' ? null : (toml ?? own), containerfile] };
}

it.each(EDITS)('%s', async (what, ...change) => {
  const after = edit(TREE, ...change);
  const head = await patched(TREE, after);
  const { head: expected } = await whole(after);
  if (WHOLE.test(what)) expect(head).toBeNull();
  else expect(head).toEqual(expected);
});

it('several, one after the other and together', async () => {
  const edits = fc.array(fc.constantFrom(...EDITS), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(edits, edits, async (first, second) => {
      const apply = (tree: TreeText, list: typeof EDITS) =>
        list.reduce((now, [, id, toml, containerfile]) => edit(now, id, toml, containerfile), tree);
      const before = apply(TREE, first);
      const after = apply(before, second);
      const head = await patched(before, after);
      const { head: expected } = await whole(after);
      if (head === 'no head') expect((await whole(before)).head).toBeNull();
      else if (head !== null) expect(head).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});
