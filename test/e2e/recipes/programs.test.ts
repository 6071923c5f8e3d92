/**
 * Our own distribution, built from nothing by the managed BuildKit: every digest is the committed one, and every
 * program and pallet does its work when an OCI runtime starts it from its image.
 */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { documentOf, REPOSITORY, type RunDocument, stx } from '../../rig/cli.ts';
import { type Image, type Outcome, type RunOptions, runImage, unpackImage } from '../../rig/oci-runtime.ts';
import { committedDigests, digestsOf } from './committed.ts';
import { lineage } from './lineage.ts';

let folder: string;
let run: RunDocument;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stx-recipes-'));
  const state = join(folder, 'state');
  run = documentOf(
    await stx(['world', '--json', '-j', '8', '--out', join(folder, 'out')], { cwd: REPOSITORY, state }),
  );
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const layoutOf = (target: string) => join(folder, 'out', target);

/** Runs a target's program once, in a file system of its own. */
async function program(target: string, options: RunOptions = {}): Promise<Outcome> {
  const image = unpackImage(layoutOf(target));
  try {
    return await runImage(image, options);
  } finally {
    image.remove();
  }
}

/** What it writes when all is well. */
async function output(target: string, options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await program(target, options);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

test('every target is built from nothing, to the committed digest', () => {
  expect(run.ok).toBe(true);
  expect(run.counts).toMatchObject({ hit: 0, failed: 0, skipped: 0 });
  expect(digestsOf(run)).toEqual(committedDigests());
});

test('the graph is deep and wide, and has diamonds', async () => {
  const state = join(folder, 'state');
  const finished = await stx(['graph', '--format', 'json'], { cwd: REPOSITORY, state });
  const graph = documentOf<{ targets: { name: string }[]; edges: { from: string; to: string }[] }>(finished);
  const needs = (target: string) =>
    new Set(graph.edges.filter(({ from }) => from === target).map(({ to }) => to));
  const depth = new Map<string, number>();
  const depthOf = (target: string): number => {
    const known = depth.get(target);
    if (known !== undefined) return known;
    const own = 1 + Math.max(0, ...[...needs(target)].map(depthOf));
    depth.set(target, own);
    return own;
  };
  const levels = graph.targets.map(({ name }) => depthOf(name));
  expect(graph.targets.length).toBeGreaterThanOrEqual(40);
  expect(Math.max(...levels)).toBeGreaterThanOrEqual(12);
  const widest = Math.max(...levels.map((level) => levels.filter((other) => other === level).length));
  expect(widest).toBeGreaterThanOrEqual(8);
  // Two ways from core-sh to the runtime.
  expect([...needs('core-sh')]).toEqual(expect.arrayContaining(['core-cc', 'core-runtime']));
  expect([...needs('core-cc')]).toContain('core-runtime');
});

test.each(lineage())(
  '$target $program has the size that docs/bootstrap.md says',
  ({ target, program, bytes }) => {
    const image = unpackImage(layoutOf(target));
    const { size } = statSync(join(image.rootfs, program));
    image.remove();
    expect(size).toBe(bytes);
  },
);

describe('pallets', () => {
  test('cc compiles a program that runs', async () => {
    const image = unpackImage(layoutOf('pallet-cc'));
    try {
      const source = '#include <io.h>\nint main() { put_text("from C\\n"); return finish(3); }\n';
      const compiled = await runImage(image, { args: ['-o', '/usr/bin/made', '/dev/stdin'], input: source });
      expect(compiled).toMatchObject({ code: 0 });
      expect(await runImage(image, { entrypoint: ['/usr/bin/made'] })).toMatchObject({
        code: 3,
        stdout: 'from C\n',
      });
    } finally {
      image.remove();
    }
  });
  test('shell runs a script', async () => {
    const script = 'cd /tmp; echo one > a; cp a b; cmp a b && cat a b | head -n 1; ls';
    expect(await output('pallet-shell', { args: ['-euc', script] })).toBe('one\na\nb\n');
  });
  test('build makes what a makefile says', async () => {
    const input = 'made: part\n\t@cat $< > $@; cat $@\npart:\n\techo made of $@ > part\n';
    const out = await output('pallet-build', { args: ['-euc', 'cd /tmp; cat > Makefile; make'], input });
    expect(out).toBe('echo made of part > part\nmade of part\n');
  });
  test('lisp evaluates its input', async () => {
    expect(await output('pallet-lisp', { input: '(map (lambda (x) (* x x)) (list 1 2 3))' })).toBe(
      '(1 4 9)\n',
    );
  });
});

describe('programs', () => {
  const cases: Record<string, RunOptions & { readonly out: string | RegExp }> = {
    'user-banner': { args: ['a b'], out: /^ ### {8}#### {2}\n/ },
    'user-base64': { input: 'foobar', out: 'Zm9vYmFy\n' },
    'user-bf': { args: ['/usr/share/bf/hello.bf'], out: 'Hello World!\n' },
    'user-calc': { args: ['2^100 - 1', '-7 / 2'], out: `${2n ** 100n - 1n}\n-3\n` },
    'user-grep': { args: ['-n', '^b.*0$'], input: 'a 10\nb 10\nb 11\n', out: '2:b 10\n' },
    'user-hanoi': { args: ['2'], out: 'disk 1: A -> B\ndisk 2: A -> C\ndisk 1: B -> C\n3 moves\n' },
    'user-hello': { args: ['reader'], out: /^Hello, reader\.\n(.*\n)*.*a seed of 237 bytes\.\n$/ },
    'user-hexdump': { input: 'AB\n', out: /^00000000 {2}41 42 0a .*\|AB\.\|\n00000003\n$/ },
    'user-life': { args: ['1'], out: /generation 1\n(.*\n)*\.#\.#\.+\n/ },
    'user-lisp': { input: '(define (f n) (if (< n 2) 1 (* n (f (- n 1))))) (f 10)', out: '3628800\n' },
    'user-mandelbrot': { args: ['20', '8'], out: /^([ .:\-=+*#%@]{20}\n){8}$/ },
    'user-maze': { args: ['2', '1'], out: /^## {2}(##)+\n/ },
    'user-primes': { args: ['12'], out: '2\n3\n5\n7\n11\n' },
    'user-queens': { args: ['4'], out: '. Q . . \n. . . Q \nQ . . . \n. . Q . \n2 ways\n' },
    'user-sort': { args: ['-n'], input: '10\n9\n-1\n', out: '-1\n9\n10\n' },
    'user-squares': { out: /each row gives 15\n(.*\n)*each row gives 65\n/ },
    'user-uniq': { args: ['-c'], input: 'a\na\nb\n', out: '      2 a\n      1 b\n' },
    'user-wc': { input: 'one two\nthree\n', out: '       2       3      14\n' },
  };
  test('each has its case here', () => {
    const users = run.targets.map(({ name }) => name).filter((name) => name.startsWith('user-'));
    expect(Object.keys(cases)).toEqual(users);
  });
  test.each(Object.entries(cases))('%s', async (target, { out, ...options }) => {
    const text = await output(target, options);
    if (typeof out === 'string') expect(text).toBe(out);
    else expect(text).toMatch(out);
  });
  test('a program that fails says so by its status', async () => {
    expect(await program('user-calc', { args: ['1 / 0'] })).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'calc: division by zero\n',
    });
  });
});

describe('the tools of core, from their images', () => {
  let image: Image;
  beforeAll(() => {
    image = unpackImage(layoutOf('pallet-build'));
  });
  afterAll(() => image.remove());
  test('sha256sum and tar agree with those of this machine', async () => {
    const script = 'cd /tmp; echo text > a; ln -s a b; tar -cf x a b; sha256sum a; tar -tf x';
    const sum = 'b9e68e1bea3e5b19ca6b2f98b73a54b73daafaa250484902e09982e07a12e733';
    const { stdout } = await runImage(image, { args: ['-euc', script] });
    expect(stdout).toBe(`${sum}  a\na\nb\n`);
  });
  test('files belong to the image alone: the seed is the seed', () => {
    const seed = unpackImage(layoutOf('bootstrap-hex0'));
    const built = readFileSync(join(seed.rootfs, 'bin/hex0'));
    expect(statSync(join(seed.rootfs, 'bin/hex0')).mode & 0o7777).toBe(0o755);
    seed.remove();
    expect(built.equals(readFileSync(join(REPOSITORY, 'recipes/bootstrap/hex0/hex0-seed')))).toBe(true);
  });
});
