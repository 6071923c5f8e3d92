/** Every rule: what it tells, with file and line, and what it leaves alone. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { RecipeFolder } from '../graph/model.ts';
import { DEFAULT_LEVELS, LINT_CODES, type LintCode, type LintLevel } from './levels.ts';
import { lint } from './lint.ts';

const HASH = 'a'.repeat(64);
const HEAD = '[package]\nname = "a"\nversion = "1.2"\nlicense = "MIT"\n';

/** One folder, `core/a`; null: the file is missing. */
function folder(containerfile: string | null, packageToml: string | null = HEAD, name = 'a'): RecipeFolder {
  const bytes = (text: string | null) => (text === null ? null : Buffer.from(text));
  return {
    stage: 'core',
    name,
    dir: `packages/core/${name}`,
    packageToml: bytes(packageToml),
    containerfile: bytes(containerfile),
  };
}

interface Options {
  readonly levels?: readonly (readonly [LintCode, LintLevel])[];
  readonly allowed?: readonly string[];
  readonly strays?: readonly string[];
  readonly only?: readonly string[];
}

function found(folders: readonly RecipeFolder[], options: Options = {}): string[] {
  return lint(folders, {
    platform: 'linux/amd64',
    levels: new Map(options.levels),
    allowedImages: new Set(options.allowed),
    strays: options.strays ?? [],
    only: options.only === undefined ? undefined : new Set(options.only),
  }).map(({ code, file, line }) => `${code} ${file.replace('packages/core/', '')}:${line}`);
}

const source = (name: string, rest = ''): string =>
  `[sources.${name}]\nhash = "${HASH}"\nmirrors = ["https://x.org/${name}.tar"]\n${rest}`;

test('a clean recipe gives nothing', () => {
  const text =
    'FROM stagex/core-b AS build\nADD fetch/s.tar .\nRUN --network=none make\nFROM scratch\nCOPY --from=build /x /\n';
  expect(found([folder(text, HEAD + source('s'))])).toEqual([]);
});

test('run-network: each RUN once, also behind continuations and in stages nobody reaches', () => {
  const text =
    'FROM scratch AS x\nRUN a \\\n  b\nRUN --network=host c\nFROM scratch\nRUN --network=none d\nRUN <<EOF\nRUN e\nEOF\n';
  expect(found([folder(text)])).toEqual([
    'run-network a/Containerfile:2',
    'run-network a/Containerfile:4',
    'run-network a/Containerfile:7',
  ]);
});

test('a recipe with subpackages is told once', () => {
  const toml = `${HEAD}subpackages = ["x", "y"]\n`;
  const text = 'FROM scratch AS package-x\nRUN a\nFROM debian AS package-y\nRUN --network=none b\n';
  expect(found([folder(text, toml)])).toEqual([
    'run-network a/Containerfile:2',
    'image-from-outside a/Containerfile:3',
  ]);
});

test('image-from-outside: registries, foreign versions, unreachable stages; allowed ones and fetch are not', () => {
  const text =
    'FROM debian:12 AS x\nFROM scratch\nCOPY --from=stagex/core-b:1.0 . /\nCOPY --from=quay.io/a/b . /\nCOPY --from=fetch x /\nCOPY --from=stagex/core-nothing . /\n';
  expect(found([folder(text)])).toEqual([
    'image-from-outside a/Containerfile:1',
    'image-from-outside a/Containerfile:3',
    'image-from-outside a/Containerfile:4',
  ]);
  expect(
    found([folder(text)], {
      allowed: ['docker.io/library/debian:12', 'debian:12', 'stagex/core-b:1.0', 'quay.io/a/b'],
    }),
    // Of the stages that are built: a tag can move.
  ).toEqual(['unpinned-source a/Containerfile:3', 'unpinned-source a/Containerfile:4']);
  const pinned = `quay.io/a/b@sha256:${HASH}`;
  expect(found([folder(`FROM ${pinned}\n`)], { allowed: [pinned] })).toEqual([]);
});

test('duplicate-copy: the same words in one stage', () => {
  const text =
    'FROM scratch AS x\nCOPY --from=stagex/core-b . /\nFROM scratch\nCOPY --from=stagex/core-b . /\nCOPY --from=stagex/core-b . /y\nCOPY --from=stagex/core-b . /\nCOPY --from=x . /\n';
  expect(found([folder(text)])).toEqual(['duplicate-copy a/Containerfile:6']);
});

test('syntax-directive', () => {
  expect(found([folder('# syntax=docker/dockerfile:1\nFROM scratch\n')])).toEqual([
    'syntax-directive a/Containerfile:1',
  ]);
  expect(found([folder('# a comment\n# syntax=docker/dockerfile:1\nFROM scratch\n')])).toEqual([]);
});

test('unpinned-source: ADD from the network without a hash, sources without one', () => {
  const commit = 'b'.repeat(40);
  const text = `FROM scratch
ADD https://x.org/a.tar /
ADD --checksum=sha256:${HASH} https://x.org/b.tar /
ADD https://x.org/a.git#main /
ADD https://x.org/a.git#${commit} /
ADD git@x.org:a/b.git /
ADD fetch/x /
`;
  expect(found([folder(text)])).toEqual([
    'unpinned-source a/Containerfile:2',
    'unpinned-source a/Containerfile:4',
    'unpinned-source a/Containerfile:6',
  ]);
  const toml = `${HEAD}[sources.s]\nmirrors = ["https://x.org/s.tar"]\n`;
  expect(found([folder('FROM scratch\n', toml)])).toEqual(['unpinned-source a/package.toml:5']);
});

test('http-mirror: only where no mirror has https', () => {
  const toml = `${HEAD}[sources.s]\nhash = "${HASH}"\nmirrors = ["http://x.org/s", "HTTP://y.org/s"]\n[sources.t]\nhash = "${HASH}"\nmirrors = ["http://x.org/t", "https://y.org/t"]\n`;
  expect(found([folder('FROM scratch\nCOPY . /\n', toml)])).toEqual(['http-mirror a/package.toml:5']);
});

test('missing-license: none, or an empty one', () => {
  expect(found([folder('FROM scratch\n', '[package]\nname = "a"\n')])).toEqual([
    'missing-license a/package.toml:1',
  ]);
  expect(found([folder('FROM scratch\n', '[package]\nname = "a"\nlicense = " "\n')])).toEqual([
    'missing-license a/package.toml:3',
  ]);
});

test('folder-without-package-toml, whose Containerfile is read all the same', () => {
  expect(found([folder('FROM scratch\nRUN x\n', null)])).toEqual([
    'folder-without-package-toml a/Containerfile:null',
    'run-network a/Containerfile:2',
  ]);
  expect(found([folder(null, null)])).toEqual([]);
});

test('source-collision: one file name, with other or with the same bytes', () => {
  const same = `${HEAD}${source('s', 'file = "f"\n')}${source('t', 'file = "f"\n')}`;
  expect(found([folder('FROM scratch\nCOPY . /\n', same)])).toEqual(['source-collision a/package.toml:9']);
  const other = same.replace(HASH, 'b'.repeat(64));
  expect(found([folder('FROM scratch\nCOPY . /\n', other)])).toEqual(['source-collision a/package.toml:12']);
});

test.each([
  ['ADD fetch/s.tar .', true],
  ['ADD fetch/s.* .', true],
  ['ADD fetch/ .', true],
  ['COPY . .', true],
  ['COPY --from=fetch s.tar .', true],
  ['COPY --from=fetch ./s.tar .', true],
  ['COPY --from=fetch . .', true],
  ['COPY --from=fetch $X .', true],
  ['RUN --network=none --mount=from=fetch,target=/f x', true],
  ['RUN --network=none --mount=type=bind,target=/f x', true],
  ['ADD fetch/$NAME .', true],
  ['ADD fetch/t.tar .', false],
  ['COPY --from=fetch t.tar .', false],
  ['RUN --network=none cat fetch/s.tar', false],
])('unused-source: %s', (instruction, used) => {
  const text = `FROM scratch\nARG NAME=s.tar\n${instruction}\n`;
  expect(found([folder(text, HEAD + source('s'))])).toEqual(used ? [] : ['unused-source a/package.toml:5']);
});

test('what another platform or another subpackage uses is used', () => {
  const arch =
    'FROM scratch AS b-amd64\nFROM scratch AS b-arm64\nADD fetch/s.tar /\nCOPY --from=stagex/core-b . /\nFROM b-$TARGETARCH\n';
  expect(found([folder(arch, HEAD + source('s'))])).toEqual([]);
  const only = `${HEAD}platforms = ["linux/amd64"]\n${source('s')}`;
  expect(found([folder(arch, only)])).toEqual([
    'unreachable-stage a/Containerfile:2',
    'unused-source a/package.toml:6',
  ]);
  const split = 'FROM scratch AS package-x\nFROM scratch AS package-y\nADD fetch/s.tar /\n';
  expect(found([folder(split, `${HEAD}subpackages = ["x", "y"]\n${source('s')}`)])).toEqual([]);
});

test('unreachable-stage: only where it needs something', () => {
  const text =
    'FROM scratch AS empty\nFROM scratch AS test\nCOPY --from=stagex/core-b . /\nCOPY --from=empty . /\nFROM scratch\n';
  expect(found([folder(text)])).toEqual(['unreachable-stage a/Containerfile:2']);
});

test('unreachable-target: a package nobody can ask for', () => {
  const text = 'FROM scratch AS package-x\nFROM scratch AS package-y\n';
  expect(found([folder(text, `${HEAD}subpackages = ["x"]\n`)])).toEqual([
    'unreachable-target a/Containerfile:2',
  ]);
  expect(found([folder('FROM scratch AS package\nFROM scratch AS test\n')])).toEqual([
    'unreachable-target a/Containerfile:1',
  ]);
  expect(found([folder('FROM scratch AS package\nFROM package AS last\n')])).toEqual([]);
  expect(found([folder('FROM scratch\n')], { strays: ['packages/core/a/deep'] })).toEqual([
    'unreachable-target a/deep/package.toml:null',
  ]);
});

test('levels: off is not told, others as set; a selection leaves other folders out', () => {
  const folders = [folder('FROM scratch\nRUN a\n'), folder('FROM scratch\nRUN b\n', HEAD, 'b')];
  expect(found(folders, { levels: [['run-network', 'off']] })).toEqual([]);
  expect(found(folders, { only: ['packages/core/b'] })).toEqual(['run-network b/Containerfile:2']);
  const levels = new Map<LintCode, LintLevel>([['run-network', 'error']]);
  const findings = lint(folders, { platform: 'linux/amd64', levels, allowedImages: new Set(), strays: [] });
  expect(findings.map(({ level }) => level)).toEqual(['error', 'error']);
});

test('broken folders do not keep the rest from being read', () => {
  const folders = [folder('FROM\n', 'not toml'), folder('FROM scratch\nRUN b\n', HEAD, 'b')];
  expect(found(folders)).toEqual(['run-network b/Containerfile:2']);
});

test('every rule has its page, with its default level, and the list names all', () => {
  const docs = new URL('../../../../docs/lint/', import.meta.url);
  const list = readFileSync(new URL('README.md', docs), 'utf8');
  for (const code of LINT_CODES) {
    const page = new URL(`${code}.md`, docs);
    expect(existsSync(page), code).toBe(true);
    expect(readFileSync(page, 'utf8')).toContain(`Level: ${DEFAULT_LEVELS[code]}`);
    expect(list).toContain(`| [${code}](${code}.md) | ${DEFAULT_LEVELS[code]} |`);
  }
});
