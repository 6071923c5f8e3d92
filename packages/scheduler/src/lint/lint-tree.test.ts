/** `lint` over trees on disk: skipped folders, trees that do not load, selections, settings. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { select } from '@stx-make/core/graph/select';
import { expect, test } from 'vitest';
import { type Recipes, writeRecipes } from '../../../../test/rig/tree.ts';
import { lintTree } from './lint-tree.ts';

function tree(recipes: Recipes, more: Readonly<Record<string, string>> = {}): string {
  const root = mkdtempSync(join(tmpdir(), 'stx-lint-'));
  writeRecipes(root, recipes);
  for (const [path, text] of Object.entries(more)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

async function told(root: string, ...terms: string[]) {
  const report = await lintTree({
    cwd: root,
    env: {},
    terms,
    select: (graph, words) => select(graph, { terms: words }).names,
  });
  return {
    findings: report.findings.map(
      ({ code, file, line }) => `${code} ${file.replace('packages/', '')}:${line}`,
    ),
    problems: report.problems.map(({ code, level }) => `${level} ${code}`),
  };
}

const RUNS: Recipes = { 'core/a': 'FROM scratch\nRUN a\n', 'user/b': 'FROM stagex/core-a\nRUN b\n' };
const SKIPPED = { 'packages/user/mesa/Containerfile': 'FROM scratch\nRUN m\n' };

test('skipped folders are read; a finding takes the place of the warning', async () => {
  expect(await told(tree(RUNS, SKIPPED))).toEqual({
    findings: [
      'run-network core/a/Containerfile:2',
      'run-network user/b/Containerfile:2',
      'folder-without-package-toml user/mesa/Containerfile:null',
      'run-network user/mesa/Containerfile:2',
    ],
    problems: [],
  });
});

test('a selection, of targets and of skipped folders', async () => {
  const root = tree(RUNS, SKIPPED);
  expect((await told(root, 'b')).findings).toEqual(['run-network user/b/Containerfile:2']);
  for (const name of ['user-mesa', 'user/mesa', 'packages/user/mesa']) {
    expect((await told(root, name)).findings).toHaveLength(2);
  }
});

test('a tree that does not load is read all the same; what no rule tells stays an error', async () => {
  const root = tree({ ...RUNS, 'core/c': 'FROM debian:12\n', 'core/d': 'FROM stagex/core-nope\n' });
  expect(await told(root)).toEqual({
    findings: [
      'run-network core/a/Containerfile:2',
      'image-from-outside core/c/Containerfile:1',
      'run-network user/b/Containerfile:2',
    ],
    problems: ['error unknown-dependency'],
  });
  await expect(told(root, 'core-a')).rejects.toThrow('there is no such target');
  // A level does not make an image from outside one of the tree.
  writeFileSync(join(root, 'stx-make.toml'), '[lint]\nimage-from-outside = "off"\n');
  expect((await told(root)).problems).toEqual(['error image-from-outside', 'error unknown-dependency']);
  writeFileSync(join(root, 'stx-make.toml'), 'allowed_images = ["docker.io/library/debian:12"]\n');
  expect(await told(root)).toEqual({
    findings: [
      'run-network core/a/Containerfile:2',
      'unpinned-source core/c/Containerfile:1',
      'run-network user/b/Containerfile:2',
    ],
    problems: ['error unknown-dependency'],
  });
});

test('recipes at another depth; not below fetch/', async () => {
  const deep = {
    'package.toml': '[package]\nname = "x"\nlicense = "MIT"\n',
    Containerfile: 'FROM scratch\n',
  };
  const at = (folder: string): Record<string, string> =>
    Object.fromEntries(Object.entries(deep).map(([name, text]) => [`packages/${folder}/${name}`, text]));
  const root = tree(
    { 'core/a': 'FROM scratch\n' },
    { ...at('core/a/sub'), ...at('lost'), ...at('core/a/fetch') },
  );
  expect((await told(root)).findings).toEqual([
    'unreachable-target core/a/sub/package.toml:null',
    'unreachable-target lost/package.toml:null',
  ]);
});

test('levels from stx-make.toml', async () => {
  const root = tree(RUNS, { 'stx-make.toml': '[lint]\nrun-network = "off"\n' });
  expect((await told(root)).findings).toEqual([]);
});
