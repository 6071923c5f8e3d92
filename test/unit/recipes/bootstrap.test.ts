/**
 * docs/bootstrap.md and recipes/ say the same: the seed's bytes as a reader would type them, the lineage table, and
 * what every recipe promises. Runs the seed, but builds nothing: test/e2e/recipes does.
 */
import { execFileSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { committedDigests } from '../../e2e/recipes/committed.ts';
import { lineage, PAGE } from '../../e2e/recipes/lineage.ts';
import { REPOSITORY } from '../../rig/cli.ts';

const RECIPES = join(REPOSITORY, 'recipes');
const HEX0 = join(RECIPES, 'bootstrap/hex0');
const seed = readFileSync(join(HEX0, 'hex0-seed'));

/** The bytes of a listing: digits without what follows a "#". */
function bytesOf(listing: string): Buffer {
  const digits = listing.replace(/#.*/g, '').replace(/\s+/g, '');
  expect(digits).toMatch(/^([0-9A-F]{2})+$/);
  return Buffer.from(digits, 'hex');
}

describe('the seed', () => {
  test('is what its listing says', () => {
    expect(bytesOf(readFileSync(join(HEX0, 'hex0.hex0'), 'utf8')).equals(seed)).toBe(true);
  });
  test('is what the page says, line by line, and the page has its size', () => {
    const block = /```seed\n([\s\S]*?)```/.exec(PAGE)?.[1] ?? '';
    let typed = '';
    for (const line of block.split('\n')) {
      const row = /^([0-9A-F]{2}) {2}((?:[0-9A-F]{2} )*[0-9A-F]{2}) {2,}(\S.*)$/.exec(line);
      if (row === null) {
        // Only names of places have no bytes.
        expect(line).toMatch(/^( {30}\S.*)?$/);
        continue;
      }
      const [, place = '', bytes = ''] = row;
      expect(Number.parseInt(place, 16)).toBe(typed.length / 2);
      typed += bytes.replaceAll(' ', '');
    }
    expect(typed).toBe(seed.toString('hex').toUpperCase());
    expect(PAGE).toContain(`${seed.length} bytes`);
  });
  test.runIf(process.platform === 'linux' && process.arch === 'x64')('makes itself', () => {
    const folder = mkdtempSync(join(tmpdir(), 'stx-seed-'));
    try {
      const out = join(folder, 'hex0');
      execFileSync(join(HEX0, 'hex0-seed'), [join(HEX0, 'hex0.hex0'), out]);
      expect(readFileSync(out).equals(seed)).toBe(true);
      expect(() => execFileSync(out, [join(folder, 'nothing'), join(folder, 'x')])).toThrow();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('the lineage table', () => {
  const committed = committedDigests();
  test.each(lineage())('$target $program', ({ target, sources, lines, digest }) => {
    const texts = sources.map((path) => readFileSync(join(RECIPES, path), 'utf8'));
    expect(texts.join('').split('\n').length - 1).toBe(lines);
    expect(committed[target]?.slice('sha256:'.length, 'sha256:'.length + 12)).toBe(digest);
  });
  test('has every target of bootstrap', () => {
    const bootstrap = Object.keys(committed).filter((target) => target.startsWith('bootstrap-'));
    expect(lineage().map(({ target }) => target)).toEqual(expect.arrayContaining(bootstrap));
  });
});

describe('every recipe', () => {
  const folders = globSync('*/*/package.toml', { cwd: RECIPES, exclude: ['out/**', 'fetch/**'] }).map(
    dirname,
  );
  test.each(folders)('%s', (folder) => {
    const toml = readFileSync(join(RECIPES, folder, 'package.toml'), 'utf8');
    for (const field of ['name', 'description', 'license'])
      expect(toml).toMatch(new RegExp(`^${field} = ".+"$`, 'm'));
    expect(toml).toMatch(/^version(_from)? = ".+"$/m);
    const containerfile = readFileSync(join(RECIPES, folder, 'Containerfile'), 'utf8');
    for (const run of containerfile.match(/^RUN .*/gm) ?? []) expect(run).toMatch(/^RUN --network=none /);
    for (const [, base = ''] of containerfile.matchAll(/^FROM (\S+)/gm)) {
      expect(base).toMatch(/^(scratch|stagex\/(bootstrap|core|pallet|user)-[a-z0-9-]+|[a-z]+)$/);
    }
  });
});
