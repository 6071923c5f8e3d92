/** From image references to edges, and every way in which a reference is no target. */
import { describe, expect, it } from 'vitest';
import type { ResolvedContainerfile } from '../containerfile/model.ts';
import type { Target } from '../recipe/model.ts';
import { edgesOf } from './edges.ts';
import { copies, load, loaded, packageToml } from './fixture.ts';

const shown = async (...args: Parameters<typeof load>) =>
  (await load(...args)).problems.map(
    ({ code, level, file, line }) => `${level} ${code} ${file}${line === undefined ? '' : `:${line}`}`,
  );

const HASH = 'a'.repeat(64);

describe('edges', () => {
  it('are one a place, in order, with every spelling BuildKit asks for', async () => {
    const { graph } = await loaded({
      'core/a': copies(),
      'core/b': copies(),
      'core/c': [
        packageToml('c'),
        `FROM docker.io/stagex/core-b:latest AS base
FROM scratch AS unused
COPY --from=stagex/core-nowhere . /
FROM base
COPY --from=stagex/core-a:latest . /
copy --chown=0 --from=stagex/core-a . /
RUN --mount=type=bind,from=stagex/core-b,target=/b --network=none true
ADD fetch/x .
COPY --from=fetch x .
`,
      ],
    });
    const file = 'packages/core/c/Containerfile';
    expect(graph.targets.get('core-c')).toMatchObject({
      edges: [
        { from: 'core-c', to: 'core-b', kind: 'from', file, line: 1 },
        { from: 'core-c', to: 'core-a', kind: 'copy', file, line: 5 },
        { from: 'core-c', to: 'core-a', kind: 'copy', file, line: 6 },
        { from: 'core-c', to: 'core-b', kind: 'mount', file, line: 7 },
      ],
      dependencies: ['core-a', 'core-b'],
      // As written, and as BuildKit looks for them.
      contextNames: new Map([
        ['docker.io/stagex/core-b:latest', 'core-b'],
        ['stagex/core-a', 'core-a'],
        ['stagex/core-a:latest', 'core-a'],
        ['stagex/core-b', 'core-b'],
      ]),
    });
    expect(graph.dependents.get('core-a')).toEqual(['core-c']);
    expect(graph.dependents.get('core-c')).toEqual([]);
  });

  it('are those of the platform', async () => {
    const tree = {
      'core/a-amd64': copies(),
      'core/a-arm64': copies(),
      'core/b': 'ARG TARGETARCH\nFROM stagex/core-a-$TARGETARCH\n',
      'core/c': [
        packageToml('c', 'platforms = ["linux/arm64", "linux/amd64"]'),
        'ARG TARGETARCH\nFROM stagex/core-a-$TARGETARCH\n',
      ],
    } as const;
    const { graph } = await loaded(tree, { platform: 'linux/arm64' });
    expect(graph.targets.get('core-b')?.dependencies).toEqual(['core-a-arm64']);
    expect(graph.targets.get('core-c')?.dependencies).toEqual(['core-a-amd64', 'core-a-arm64']);
    expect(graph.targets.get('core-c')?.resolved).toHaveLength(2);
  });

  it('to another platform than is built are an error', async () => {
    const old = [packageToml('old', 'platforms = ["linux/386"]'), 'FROM scratch\n'] as const;
    expect(
      await shown({
        'core/old': old,
        'core/new':
          'FROM --platform=linux/386 stagex/core-old\nFROM stagex/core-x AS unused\nFROM scratch\nCOPY --from=0 . /\n',
      }),
    ).toEqual([]);
    expect(
      await shown({ 'core/old': old, 'core/new': 'FROM --platform=linux/arm64 stagex/core-old\n' }),
    ).toEqual(['error platform-mismatch packages/core/new/Containerfile:1']);
  });
});

describe('what is no target', () => {
  const known = {
    'core/zlib': copies(),
    'core/musl': copies(),
    'user/zlib': copies(),
    'user/curl': copies(),
  };
  const problemsOf = async (reference: string, options = {}) =>
    (await load({ ...known, 'core/x': `FROM scratch\nCOPY \\\n  --from=${reference} . /\n` }, options))
      .problems;

  it.each([
    ['stagex/core-zlob', 'unknown-dependency', 'did you mean stagex/core-zlib?'],
    ['stagex/zlib', 'unknown-dependency', 'did you mean stagex/core-zlib or stagex/user-zlib?'],
    ['stagex/core-curl', 'unknown-dependency', 'did you mean stagex/user-curl?'],
    ['stagex/nothing-like-it', 'unknown-dependency', undefined],
    ['stagex/core-musl:1.0', 'image-from-outside', 'write stagex/core-musl'],
    [`stagex/core-musl@sha256:${HASH}`, 'image-from-outside', 'write stagex/core-musl'],
    ['alpine:3', 'image-from-outside', expect.stringContaining('allow this image')],
    ['quay.io/stagex/core-musl', 'image-from-outside', expect.stringContaining('allow this image')],
  ])('%s', async (reference, code, hint) => {
    expect(await problemsOf(reference)).toMatchObject([
      { code, tag: 'input', level: 'error', file: 'packages/core/x/Containerfile', line: 2 },
    ]);
    expect((await problemsOf(reference))[0]?.hint).toEqual(hint);
  });

  it('may be allowed by name', async () => {
    for (const allowed of ['alpine:3', 'docker.io/library/alpine:3']) {
      expect(await problemsOf('docker.io/library/alpine:3', { allowedImages: new Set([allowed]) })).toEqual(
        [],
      );
    }
    expect(await problemsOf('alpine:3', { allowedImages: new Set(['alpine:3']) })).toEqual([]);
    expect(await problemsOf('alpine:3', { allowedImages: new Set(['alpine']) })).toHaveLength(1);
  });

  it('a recipe split into subpackages: they are listed', async () => {
    const { problems } = await load({
      'core/llvm': [
        packageToml('llvm', 'subpackages = ["clang", "lld"]'),
        'FROM scratch AS package-clang\nFROM scratch AS package-lld\n',
      ],
      'core/x': copies('core-llvm'),
    });
    expect(problems).toMatchObject([
      { code: 'unknown-dependency', hint: 'its subpackages are core-clang and core-lld' },
    ]);
  });

  it('a folder that is skipped', async () => {
    expect(await shown({ 'user/mesa': [null, 'FROM scratch\n'], 'user/x': copies('user-mesa') })).toEqual([
      'warning folder-without-package-toml packages/user/mesa/Containerfile',
      'error unknown-dependency packages/user/x/Containerfile:2',
    ]);
  });

  it('is told once for a Containerfile of several targets', async () => {
    expect(
      await shown({
        'core/x': [
          packageToml('x', 'subpackages = ["a", "b"]'),
          'FROM stagex/core-no AS base\nFROM base AS package-a\nFROM base AS package-b\n',
        ],
      }),
    ).toEqual(['error unknown-dependency packages/core/x/Containerfile:1']);
  });
});

it('reports what is no image reference, should the reader let it through', () => {
  const target = { name: 'core-x', recipe: { dir: 'core/x' } } as Target;
  const references = [{ kind: 'copy', image: 'Bad/Image', line: 7, platform: null }] as const;
  const names = {
    targets: new Map(),
    split: new Map(),
    skipped: new Map(),
    broken: new Set<string>(),
    allowedImages: new Set<string>(),
    meanings: new Map(),
  };
  expect(edgesOf(target, [{ references } as unknown as ResolvedContainerfile], names).problems).toMatchObject(
    [{ code: 'bad-image', file: 'core/x/Containerfile', line: 7 }],
  );
});
