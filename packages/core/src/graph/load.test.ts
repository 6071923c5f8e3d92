/** Loading a tree from bytes: order does not matter, all problems are told, each once. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatProblem } from '../errors.ts';
import { copies, folders, load, loaded, packageToml, type TreeText } from './fixture.ts';
import { loadTree } from './load.ts';

const shown = async (...args: Parameters<typeof load>) =>
  (await load(...args)).problems.map(
    ({ code, level, file, line }) => `${level} ${code} ${file}${line === undefined ? '' : `:${line}`}`,
  );

const HASH = 'a'.repeat(64);

describe('targets', () => {
  it('have build args, tag, platforms and build target of the recipe', async () => {
    const sources = `[sources.a-b]\nhash = "${HASH}"\nversion = "2.1-rc1"\nfile = "ab-{version}.tgz"\nmirrors = ["https://e.x/{file}"]\ngit_sha = "abcdef"\n`;
    const { graph } = await loaded({
      'core/a': [
        `[package]\nname = "a"\nversion = "1.2.3-rc.1"\nplatforms = ["linux/386"]\nsubpackages = ["a", "b"]\n${sources}`,
        'FROM scratch AS package-a\nFROM scratch AS package-b\n',
      ],
    });
    expect([...graph.targets.keys()]).toEqual(['core-a', 'core-b']);
    const target = graph.targets.get('core-b');
    expect(target).toMatchObject({
      stage: 'core',
      buildTarget: 'package-b',
      platforms: ['linux/386'],
      tag: 'stagex/core-b:1.2.3-rc.1',
    });
    expect(Object.entries(target?.buildArgs ?? {})).toEqual([
      ['A-B_GIT_SHA', 'abcdef'],
      ['A-B_SOURCE', 'ab-2.1-rc1.tgz'],
      ['A-B_VERSION', '2.1-rc1'],
      ['BUILDKIT_DOCKERFILE_CHECK', 'skip=FromPlatformFlagConstDisallowed;error=true'],
      ['BUILDKIT_MULTI_PLATFORM', '1'],
      ['SOURCE_DATE_EPOCH', '1'],
      ['VERSION', '1.2.3-rc.1'],
      ['VERSION_DASH', '1-2-3-rc-1'],
      ['VERSION_MAJOR', '1'],
      ['VERSION_MAJOR_MINOR', '1.2'],
      ['VERSION_STRIP_SUFFIX', '1.2.3'],
      ['VERSION_UNDER', '1_2_3-rc_1'],
    ]);
  });

  it('without a version are tagged latest and get no version', async () => {
    const { graph } = await loaded({ 'core/a': ['[package]\nname = "a"', 'FROM scratch\n'] });
    const target = graph.targets.get('core-a');
    expect(target?.tag).toBe('stagex/core-a:latest');
    expect(Object.keys(target?.buildArgs ?? {}).filter((name) => name.startsWith('VERSION'))).toEqual([]);
  });

  it('of a version without a dot have no VERSION_MAJOR_MINOR', async () => {
    const { graph } = await loaded({ 'core/a': ['[package]\nname = "a"\nversion = "21"', 'FROM scratch\n'] });
    expect(graph.targets.get('core-a')?.buildArgs).not.toHaveProperty('VERSION_MAJOR_MINOR');
  });

  it('given twice are an error that names both places', async () => {
    const { problems } = await load({
      'a-b/c': 'FROM scratch\n',
      'a/b-c': 'FROM scratch\n',
      'a/x': [
        packageToml('x', 'subpackages = ["y",\n"b-c"]'),
        'FROM scratch AS package-y\nFROM scratch AS package-b-c\n',
      ],
    });
    expect(problems.map(formatProblem)).toEqual([
      'packages/a/b-c/package.toml: target a-b-c is given here and by packages/a-b/c/package.toml',
      'packages/a/x/package.toml:5:1: target a-b-c is given here and by packages/a-b/c/package.toml',
    ]);
  });

  it('need their build stage', async () => {
    expect(
      await shown({ 'core/a': [packageToml('a', 'subpackages = ["b"]'), 'FROM scratch AS package-c\n'] }),
    ).toEqual([expect.stringMatching(/^error \S+ packages\/core\/a\/Containerfile/)]);
  });
});

describe('version_from', () => {
  const from = (name: string, target: string, rest = '') =>
    [`[package]\nname = "${name}"\nversion_from = "${target}"\n${rest}`, 'FROM scratch\n'] as const;

  it('takes the version of a target, through subpackages and chains, also for sources', async () => {
    const source = `[sources.s]\nhash = "${HASH}"\nfile = "s-{version}"\nmirrors = ["https://e.x/{file}"]\n`;
    const { graph, recipes } = await loaded({
      'core/llvm': [packageToml('llvm', 'subpackages = ["clang"]'), 'FROM scratch AS package-clang\n'],
      'pallet/a': from('a', 'pallet-b', source),
      'pallet/b': from('b', 'core-clang'),
    });
    expect(graph.targets.get('pallet-a')).toMatchObject({
      tag: 'stagex/pallet-a:1.0',
      buildArgs: { VERSION: '1.0', VERSION_MAJOR: '1' },
      recipe: {
        version: '1.0',
        versionFrom: 'pallet-b',
        sources: [{ file: 's-1.0', mirrors: ['https://e.x/s-1.0'] }],
      },
    });
    expect(recipes.map(({ id, version }) => [id, version])).toEqual([
      ['core/llvm', '1.0'],
      ['pallet/a', '1.0'],
      ['pallet/b', '1.0'],
    ]);
  });

  it('reaches edges that depend on it', async () => {
    const { graph } = await loaded({
      'core/a': copies(),
      'core/one': copies(),
      'pallet/b': [
        '[package]\nname = "b"\nversion_from = "core-a"',
        'ARG VERSION_MAJOR\nARG N=o${VERSION_MAJOR:+ne}\nFROM stagex/core-${N}\n',
      ],
    });
    expect(graph.targets.get('pallet-b')?.dependencies).toEqual(['core-one']);
  });

  it('of an unknown target names the nearest', async () => {
    const { problems } = await load({
      'core/rust': 'FROM scratch\n',
      'pallet/rust': from('rust', 'core-rsut'),
    });
    expect(problems).toMatchObject([
      {
        code: 'unknown-version-from',
        file: 'packages/pallet/rust/package.toml',
        line: 3,
        column: 1,
        hint: 'did you mean core-rust?',
      },
    ]);
  });

  it('of a recipe that is split lists what it gives', async () => {
    const { problems } = await load({
      'core/llvm': [
        packageToml('llvm', 'subpackages = ["clang", "lld"]'),
        'FROM scratch AS package-clang\nFROM scratch AS package-lld\n',
      ],
      'pallet/a': from('a', 'core-llvm'),
    });
    expect(problems).toMatchObject([
      { code: 'unknown-version-from', hint: 'core/llvm gives core-clang and core-lld' },
    ]);
  });

  it('in a circle is one error with every step', async () => {
    const { problems } = await load({
      'core/a': from('a', 'core-b'),
      'core/b': from('b', 'core-c'),
      'core/c': from('c', 'core-b'),
    });
    expect(problems.map(formatProblem)).toEqual([
      'packages/core/b/package.toml:3:1: no version can be told: core/b takes it from core-c (packages/core/b/package.toml:3), core/c takes it from core-b (packages/core/c/package.toml:3)',
    ]);
  });

  it('of a recipe without a version gives none', async () => {
    const { graph } = await loaded({
      'core/a': ['[package]\nname = "a"', 'FROM scratch\n'],
      'core/b': from('b', 'core-a'),
    });
    expect(graph.targets.get('core-b')?.tag).toBe('stagex/core-b:latest');
  });
});

describe('broken recipes', () => {
  it('are not blamed on those who need them', async () => {
    expect(
      await shown({
        'core/a': ['[package', 'FROM scratch AS package-one\nFROM scratch\n'],
        'core/b': [
          '[package]\nname = "b"\nversion = 1\nsubpackages = ["two"]',
          'FROM scratch AS package-two\n',
        ],
        'core/c': [packageToml('c'), null],
        'core/d': [packageToml('d'), 'FRM scratch\n'],
        'core/x': copies('core-a', 'core-one', 'core-two', 'core-c', 'core-d', 'core-none'),
        'pallet/a': ['[package]\nname = "a"\nversion_from = "core-two"', 'FROM scratch\n'],
        'pallet/b': ['[package]\nname = "b"\nversion_from = "core-none"', copies('pallet-a')],
      }),
    ).toEqual([
      'error toml-syntax packages/core/a/package.toml:1',
      'error wrong-type packages/core/b/package.toml:3',
      'error recipe-without-containerfile packages/core/c/package.toml',
      expect.stringMatching(/^error \S+ packages\/core\/d\/Containerfile:1$/),
      'error unknown-dependency packages/core/x/Containerfile:7',
      'error unknown-version-from packages/pallet/b/package.toml:3',
    ]);
  });

  it('give no tree', async () => {
    expect((await load({ 'core/a': ['x', 'FROM scratch\n'] })).tree).toBeNull();
  });
});

describe('cycles', () => {
  it('show the whole path, each step with its place, one for each knot', async () => {
    const { problems } = await load({
      'core/a': copies('core-b'),
      'core/b': copies('core-leaf', 'core-c'),
      'core/c': copies('core-d', 'core-a'),
      'core/d': copies('core-b'),
      'core/leaf': copies(),
      'core/self': copies('core-leaf', 'core-self'),
      'core/above': copies('core-a', 'core-self'),
      'user/p': copies('user-q'),
      'user/q': copies('user-p'),
    });
    expect(problems.map(formatProblem)).toEqual([
      'packages/core/a/Containerfile:2: these targets need each other: core-a needs core-b (packages/core/a/Containerfile:2), core-b needs core-c (packages/core/b/Containerfile:3), core-c needs core-a (packages/core/c/Containerfile:3)',
      'packages/core/self/Containerfile:3: these targets need each other: core-self needs core-self (packages/core/self/Containerfile:3)',
      'packages/user/p/Containerfile:2: these targets need each other: user-p needs user-q (packages/user/p/Containerfile:2), user-q needs user-p (packages/user/q/Containerfile:2)',
    ]);
    expect(problems.every(({ code }) => code === 'dependency-cycle')).toBe(true);
  });
});

describe('order', () => {
  it('is by level, then by code unit', async () => {
    const { graph } = await loaded({
      'core/b': copies(),
      'core/a': copies('core-z'),
      'core/z': copies(),
      'core/y': copies('core-a', 'core-b'),
    });
    expect(graph.order).toEqual(['core-b', 'core-z', 'core-a', 'core-y']);
  });

  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  const dag = fc
    .array(fc.subarray(names), { minLength: names.length, maxLength: names.length })
    .map((needs) =>
      Object.fromEntries(
        names.map((name, index) => [
          `core/${name}`,
          copies(...(needs[index] ?? []).filter((other) => other < name).map((other) => `core-${other}`)),
        ]),
      ),
    );

  it('puts dependencies first', async () => {
    await fc.assert(
      fc.asyncProperty(dag, async (tree: TreeText) => {
        const { graph } = await loaded(tree);
        const position = new Map(graph.order.map((name, index) => [name, index]));
        expect([...graph.order].sort()).toEqual([...graph.targets.keys()]);
        for (const { name, dependencies } of graph.targets.values()) {
          for (const needed of dependencies) {
            expect(position.get(needed)).toBeLessThan(position.get(name) ?? -1);
            expect(graph.dependents.get(needed)).toContain(name);
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  it('of the folders does not matter, to trees and to problems', async () => {
    const broken: TreeText = {
      'core/x': copies('core-a', 'core-nowhere', 'core-y'),
      'core/y': copies('core-x'),
      'core/z': ['[package', 'FROM scratch\n'],
      'core-a/b': 'FROM scratch\n',
      'core/a-b': 'FROM scratch\n',
    };
    await fc.assert(
      fc.asyncProperty(dag, fc.boolean(), fc.infiniteStream(fc.nat()), async (tree, isBroken, keys) => {
        const list = folders(isBroken ? { ...tree, ...broken } : tree);
        const shuffled = list
          .map((folder) => ({ folder, key: keys.next().value }))
          .sort((a, b) => a.key - b.key)
          .map(({ folder }) => folder);
        const options = { platform: 'linux/amd64' };
        expect(await loadTree(shuffled, options)).toEqual(await loadTree(list, options));
      }),
      { numRuns: 50 },
    );
  });
});

it('a platform that is none is refused', async () => {
  expect((await load({}, { platform: 'linux/amd64,linux/arm64' })).problems).toMatchObject([
    { code: 'bad-platform', level: 'error' },
  ]);
});
