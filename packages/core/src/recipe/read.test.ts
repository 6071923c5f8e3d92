/** package.toml: every field, every mistake with its place, all of them at once. */
import { describe, expect, it } from 'vitest';
import { readRecipe } from './read.ts';

const HASH = 'a'.repeat(64);

function read(toml: string | null, name = 'x', containerfile: string | null = 'FROM scratch\n') {
  return readRecipe({
    stage: 'core',
    name,
    dir: `packages/core/${name}`,
    packageToml: toml === null ? null : Buffer.from(toml),
    containerfile: containerfile === null ? null : Buffer.from(containerfile),
  });
}

/** `code line:column` of each problem. */
const shown = (toml: string) =>
  read(toml).problems.map(({ code, line, column }) => `${code} ${line}:${column}`);

const PACKAGE = '[package]\nname = "x"\nversion = "1.2.3"\n';
const source = (rest: string) => `${PACKAGE}[sources.s]\nhash = "${HASH}"\n${rest}`;

describe('a whole package.toml', () => {
  const facts = read(`[package]
name = "x"
version = "1.2.3"
description = "What it is"
license = "MIT"
website = "https://example.com"
platforms = ["linux/386", "linux/amd64"]
subpackages = ["x", "x-dev", "gen_x"]

[sources.x]
hash = "${HASH}"
format = "tar.gz"
file = "x-{version}.{format}"
mirrors = ["https://a.example/{file}", "http://b.example/v{version_major}/x-{version_under}.{format}"]

[sources.2-data]
hash = "${'b'.repeat(64)}"
version = "7f"
git_sha = "7fa6e7fd3465c5ff89cc33a56d20bf4d59105aaf"
mirrors = ["https://c.example/data/{version}.zip?raw=1#top"]
`);

  it('has no problems', () => expect(facts.problems).toEqual([]));

  it('becomes a recipe', () => {
    expect(facts.recipe).toEqual({
      id: 'core/x',
      stage: 'core',
      name: 'x',
      dir: 'packages/core/x',
      version: '1.2.3',
      versionFrom: null,
      description: 'What it is',
      license: 'MIT',
      website: 'https://example.com',
      platforms: ['linux/386', 'linux/amd64'],
      subpackages: ['x', 'x-dev', 'gen_x'],
      sources: [
        {
          name: 'x',
          version: null,
          sha256: HASH,
          format: 'tar.gz',
          file: 'x-1.2.3.tar.gz',
          mirrors: ['https://a.example/x-1.2.3.tar.gz', 'http://b.example/v1/x-1_2_3.tar.gz'],
          gitSha: null,
          line: 10,
        },
        {
          name: '2-data',
          version: '7f',
          sha256: 'b'.repeat(64),
          format: null,
          file: '7f.zip',
          mirrors: ['https://c.example/data/7f.zip?raw=1#top'],
          gitSha: '7fa6e7fd3465c5ff89cc33a56d20bf4d59105aaf',
          line: 16,
        },
      ],
    });
    expect(facts.gives).toEqual(['core-x', 'core-x-dev', 'core-gen_x']);
    expect(facts.places.gives[1]).toEqual({ line: 8, column: 21 });
  });

  it('is plain JSON, so that it can be kept', () => {
    expect(JSON.parse(JSON.stringify(facts))).toEqual(facts);
  });
});

describe('the smallest package.toml', () => {
  it('needs a name only', () => {
    const { recipe, problems } = read('[package]\nname = "x"');
    expect(problems).toEqual([]);
    expect(recipe).toMatchObject({ version: null, license: null, platforms: [], sources: [] });
  });
});

describe('which files are there', () => {
  it('package.toml alone is an error', () => {
    const { recipe, problems, gives } = read(PACKAGE, 'x', null);
    expect(recipe).toBeNull();
    expect(gives).toEqual(['core-x']);
    expect(problems).toMatchObject([
      { code: 'recipe-without-containerfile', level: 'error', file: 'packages/core/x/package.toml' },
    ]);
  });

  it('Containerfile alone is a warning and gives nothing', () => {
    const { recipe, problems, gives } = read(null);
    expect([recipe, gives]).toEqual([null, []]);
    expect(problems).toMatchObject([{ code: 'folder-without-package-toml', level: 'warning' }]);
  });

  it('neither is nothing', () => {
    expect(read(null, 'x', null)).toMatchObject({ recipe: null, gives: [], problems: [] });
  });
});

describe('problems and their places', () => {
  it.each<[string, string, string[]]>([
    ['no [package]', '', ['missing-key 1:1']],
    ['[package] is a value', 'package = 1', ['wrong-type 1:1']],
    ['no name', '[package]\nversion = "1"', ['missing-key 1:2']],
    ['unknown keys', `x = 1\n${PACKAGE}licence = "MIT"\n`, ['unknown-key 1:1', 'unknown-key 5:1']],
    ['another name', '[package]\nname = "y"', ['name-differs 2:1']],
    ['a number for a version', '[package]\nname = "x"\nversion = 1.2', ['wrong-type 3:1']],
    ['a date for a version', '[package]\nname = "x"\nversion = 2024-01-01', ['wrong-type 3:1']],
    ['a big number', '[package]\nname = "x"\nversion = 99999999999999999999', ['wrong-type 3:1']],
    ['an empty version', '[package]\nname = "x"\nversion = ""', ['bad-version 3:1']],
    ['a version with a blank', '[package]\nname = "x"\nversion = "1 2"', ['bad-version 3:1']],
    ['a version with a newline', '[package]\nname = "x"\nversion = """1\n2"""', ['bad-version 3:1']],
    ['a version with a comma', '[package]\nname = "x"\nversion = "1,push=true"', ['bad-version 3:1']],
    ['both versions', `${PACKAGE}version_from = "core-y"`, ['version-conflict 4:1']],
    ['no target for a version', '[package]\nname = "x"\nversion_from = "rust"', ['bad-version-from 3:1']],
    [
      'platforms',
      `${PACKAGE}platforms = ["linux/amd64",\n "linux/x86_64", 3]`,
      ['wrong-type 5:18', 'bad-platform 5:2'],
    ],
    ['a platform twice', `${PACKAGE}platforms = ["linux/386", "linux/386"]`, ['duplicate-entry 4:27']],
    ['platforms as a string', `${PACKAGE}platforms = "linux/386"`, ['wrong-type 4:1']],
    [
      'subpackages',
      `${PACKAGE}subpackages = ["a", "B", "a/b", "",\n  "a"]`,
      ['duplicate-entry 5:3', 'bad-name 4:21', 'bad-name 4:26', 'bad-name 4:33'],
    ],
    ['no hash', `${PACKAGE}[sources.s]\nfile = "f"\nmirrors = ["https://e.x/f"]`, ['missing-key 4:10']],
    ['a short hash', `${PACKAGE}[sources.s]\nhash = "abc"\nmirrors = ["https://e.x/f"]`, ['bad-hash 5:1']],
    [
      'a hash in upper case',
      `${PACKAGE}[sources.s]\nhash = "${'A'.repeat(64)}"\nmirrors = ["https://e.x/f"]`,
      ['bad-hash 5:1'],
    ],
    ['a source that is no table', `${PACKAGE}[sources]\ns = "x"`, ['wrong-type 5:1']],
    [
      'an unknown key in a source',
      source('file = "f"\nmirors = []\nmirrors = ["https://e.x/f"]'),
      ['unknown-key 7:1'],
    ],
    [
      'a bad placeholder in file',
      source('file = "f-{verison}"\nmirrors = ["https://e.x/f"]'),
      ['bad-placeholder 6:1'],
    ],
    [
      'bad placeholders in mirrors',
      source('file = "f"\nmirrors = ["https://e.x/{file",\n  "https://e.x/{fil}", "https://e.x/{format}"]'),
      ['bad-placeholder 7:12', 'bad-placeholder 8:3', 'bad-placeholder 8:24'],
    ],
    ['{file} where there is none', source('mirrors = ["https://e.x/{file}"]'), ['bad-placeholder 6:12']],
    [
      'a mirror that is no URL',
      source('file = "f"\nmirrors = ["e.x/f", "https://", "https://e x/"]'),
      ['bad-mirror 7:12', 'bad-mirror 7:21', 'bad-mirror 7:33'],
    ],
    [
      'a mirror nobody can fetch',
      source('file = "f"\nmirrors = ["ftp://e.x/f", "file:///etc/passwd"]'),
      ['bad-mirror 7:12', 'bad-mirror 7:27'],
    ],
    ['a file name with a slash', source('file = "a/b"\nmirrors = ["https://e.x/f"]'), ['bad-file-name 6:1']],
    ['a file name that goes up', source('file = ".."\nmirrors = ["https://e.x/f"]'), ['bad-file-name 6:1']],
    ['an empty file name', source('file = ""\nmirrors = ["https://e.x/f"]'), ['bad-file-name 6:1']],
    [
      'a NUL in a file name',
      source('file = "a\\u0000b"\nmirrors = ["https://e.x/f"]'),
      ['bad-file-name 6:1'],
    ],
    ['a mirror that ends in a slash', source('mirrors = ["https://e.x/d/"]'), ['bad-file-name 6:12']],
    ['a mirror without a path', source('mirrors = ["https://e.x"]'), ['bad-file-name 6:12']],
    ['neither file nor mirror', source(''), ['no-file-name 4:10']],
    ['no mirror', source('file = "f"\nmirrors = []'), ['no-mirror 7:1']],
    [
      'an odd source name',
      `${PACKAGE}[sources."a b"]\nhash = "${HASH}"\nmirrors = ["https://e.x/f"]`,
      ['bad-name 4:10'],
    ],
    ['no commit', source('git_sha = "main"\nmirrors = ["https://e.x/f"]'), ['bad-git-sha 6:1']],
    [
      'a source version',
      source('version = "1 0"\nfile = "f-{version}"\nmirrors = ["https://e.x/f"]'),
      ['bad-version 6:1'],
    ],
  ])('%s', (_, toml, expected) => {
    expect(shown(toml)).toEqual(expected);
  });

  it('are told all at once', () => {
    const toml = `[package]
name = "x"
version = "a b"
platforms = ["nowhere"]
[sources.a]
hash = "1"
file = "{x}"
mirrors = ["y"]
[sources.b]
file = "b-{version}"
`;
    expect(shown(toml)).toEqual([
      'bad-version 3:1',
      'bad-platform 4:14',
      'bad-hash 6:1',
      'missing-key 9:10',
      'no-mirror 9:10',
      'bad-placeholder 7:1',
    ]);
  });

  it('of folder names that no image can have', () => {
    expect(read('[package]\nname = "X"', 'X').problems).toMatchObject([{ code: 'bad-name' }]);
  });

  it('name the nearest key', () => {
    expect(read(`${PACKAGE}licence = "MIT"`).problems).toMatchObject([
      { level: 'warning', text: expect.stringContaining('`licence`'), hint: 'did you mean license?' },
    ]);
  });
});

describe('sources of one file name', () => {
  const two = (a: string, b: string) =>
    `${PACKAGE}[sources.a]\nhash = "${a}"\nmirrors = ["https://a.x/f"]\n[sources.b]\nhash = "${b}"\nfile = "f"\nmirrors = ["https://b.x/g"]`;

  it('are an error with different hashes', () => {
    expect(shown(two(HASH, 'b'.repeat(64)))).toEqual(['source-collision 9:1']);
  });

  it('do no harm with one hash', () => {
    expect(shown(two(HASH, HASH))).toEqual([]);
  });
});

it('two sources must not give the same build args', () => {
  const own = (name: string, file: string) =>
    `[sources.${name}]\nhash = "${HASH}"\nversion = "1"\nfile = "${file}"\nmirrors = ["https://a.x/f"]\n`;
  expect(shown(`${PACKAGE}${own('ab', 'f')}${own('AB', 'g')}`)).toEqual(['source-collision 9:10']);
});
