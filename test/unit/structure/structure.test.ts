/** The structure of our own sources is as rules.ts says; and each rule is able to say no. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { homeless, violations } from './rules.ts';
import { readSource } from './source.ts';

const ROOT = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));

function sourcesIn(folder: string): string[] {
  const found: string[] = [];
  for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
    if (['node_modules', 'dist', 'fixtures', '.cache'].includes(entry.name)) continue;
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) found.push(...sourcesIn(path));
    else if (/\.tsx?$/.test(entry.name) && !entry.name.endsWith('.d.ts')) found.push(path);
  }
  return found.sort();
}

describe('our sources', () => {
  const paths = ['packages', 'test', 'bench', 'tools'].flatMap(sourcesIn);

  it('are found', () => {
    expect(paths).toContain('packages/cli/src/main.ts');
    expect(paths).toContain('packages/core/src/errors.ts');
    expect(paths).toContain('tools/bundle.ts');
  });

  it('keep the rules', () => {
    const found = paths.flatMap((path) =>
      violations(readSource(path, readFileSync(join(ROOT, path), 'utf8'))),
    );
    expect(found.map(({ path, line, text }) => `${path}:${line}: ${text}`)).toEqual([]);
  });

  it('have a home for every library, and a library for every home', () => {
    const dependencies = ['core', 'scheduler', 'cli'].flatMap((name) => {
      const manifest = JSON.parse(readFileSync(join(ROOT, 'packages', name, 'package.json'), 'utf8'));
      return [...Object.keys(manifest.dependencies ?? {}), ...Object.keys(manifest.devDependencies ?? {})];
    });
    expect(homeless(dependencies)).toEqual([]);
  });
});

/** What is said of a file with a proper first comment and these lines after it. */
function said(path: string, ...lines: string[]): string[] {
  const source = readSource(path, ['/** A file. */', ...lines, ''].join('\n'));
  return violations(source).map(({ line, text }) => `${line}: ${text}`);
}

const CORE = 'packages/core/src/graph/a.ts';
const SCHEDULER = 'packages/scheduler/src/plan/a.ts';
const CLI = 'packages/cli/src/commands/a.ts';

describe('layers', () => {
  it.each([
    [CORE, `import { x } from '@stx-make/scheduler/api';`],
    [CORE, `import type { x } from '@stx-make/cli/main';`],
    [SCHEDULER, `export * from '@stx-make/cli/main';`],
    [SCHEDULER, `const x = await import('@stx-make/cli/main');`],
    [SCHEDULER, 'const x = await import(`@stx-make/cli/main`);'],
    [SCHEDULER, `export type X = import('@stx-make/cli/main').X;`],
    [SCHEDULER, `export { x } from '../../../cli/src/main.ts';`],
    [CLI, `import '../../../core/src/errors.ts';`],
    [CLI, `import '../../../../tools/bundle.ts';`],
    [CLI, `import '../../../../test/rig/cli.ts';`],
    [CLI, `import { x } from '../testing/x.ts';`],
    [CLI, `import { x } from '@stx-make/other';`],
    ['packages/core/src/graph/a.test.ts', `import { x } from '@stx-make/scheduler/api';`],
  ])('%s refuses %s', (path, line) => {
    expect(said(path, '', line)).toHaveLength(1);
    expect(said(path, '', line)[0]).toMatch(/^3: /);
  });

  it.each([
    [CLI, `import { x } from '@stx-make/scheduler/api';`],
    [CLI, `import { x } from '@stx-make/core/errors';`],
    [SCHEDULER, `import { x } from '@stx-make/core/errors';`],
    [CORE, `import { x } from '../errors.ts';`],
    [CORE, `// import { x } from '@stx-make/cli/main';`],
    [CORE, `export const text = "import { x } from '@stx-make/cli/main'";`],
    ['test/e2e/a.test.ts', `import { x } from '../../packages/cli/src/a.ts';`],
    ['packages/cli/src/a.test.ts', `import { x } from '../../../test/rig/cli.ts';`],
  ])('%s takes %s', (path, line) => {
    expect(said(path, line)).toEqual([]);
  });
});

describe('libraries', () => {
  it.each([
    [CLI, `import Graph from 'graphology';`],
    [CLI, `import type { Attributes } from 'graphology-types';`],
    [SCHEDULER, `import parse from '@iarna/toml/parse-string.js';`],
    [SCHEDULER, `const { execa } = await import('execa');`],
    [SCHEDULER, `import { spawn } from 'node:child_process';`],
    [SCHEDULER, `const { spawn } = process.getBuiltinModule('node:child_process');`],
    [SCHEDULER, `import { DatabaseSync } from 'node:sqlite';`],
    [CLI, `import { Text } from 'ink';`],
    [CLI, `import { jsx } from 'react/jsx-runtime';`],
    [CLI, `const x = require('lodash');`],
    [CLI, `import x = require('lodash');`],
    [CLI, `const x = import.meta.resolve('lodash');`],
    [CLI, 'const x = await import(name);'],
    [CLI, `import { test } from 'vitest';`],
    ['packages/cli/src/a.test.ts', `import { Text } from 'ink';`],
  ])('%s refuses %s', (path, line) => {
    expect(said(path, line)).toHaveLength(1);
  });

  it.each([
    [CORE, `import Graph from 'graphology';`],
    [CORE, `import { createHash } from 'node:crypto';`],
    [CLI, `import { readFile } from 'node:fs/promises';`],
    ['packages/cli/src/tui/a.tsx', `import { Text } from 'ink';\nexport const A = () => <Text>a</Text>;`],
    ['packages/cli/src/a.test.ts', `import { test } from 'vitest';`],
    ['packages/cli/src/a.test.ts', `import { spawn } from 'node:child_process';`],
    ['packages/cli/src/testing/a.ts', `import { Terminal } from '@xterm/headless';`],
    ['tools/a.ts', `import { build } from 'esbuild';`],
  ])('%s takes %s', (path, line) => {
    expect(said(path, line)).toEqual([]);
  });

  it('names a library without a home, and a home without a library', () => {
    expect(homeless(['lodash', '@stx-make/core', '@types/react'])).toContain('lodash: has no home in HOMES');
    expect(homeless([])).toContain('graphology: no package depends on it');
  });
});

describe('core', () => {
  it.each([
    `import { readFile } from 'node:fs/promises';`,
    `import { spawn } from 'node:child_process';`,
    `import os from 'node:os';`,
    `export const a = process.env['HOME'];`,
    'export const a = Date.now();',
    'export const a = new Date();',
    'export const a = performance.now();',
    'export const a = Math.random();',
    'setTimeout(() => {}, 1);',
    `await fetch('x');`,
  ])('refuses %s', (line) => {
    expect(said(CORE, line)).toHaveLength(1);
  });

  it.each([
    'export const a = new Date(0);',
    'export const a = Math.max(1, 2);',
    'export const run = (process: { id: number }) => process;',
  ])('takes %s', (line) => {
    expect(said(CORE, line)).toEqual([]);
  });

  it('may use files and processes in its tests', () => {
    expect(
      said('packages/core/src/oci/tar.test.ts', `import { spawnSync } from 'node:child_process';`),
    ).toEqual([]);
  });
});

describe('files', () => {
  it('are not sorted by locale', () => {
    expect(said(CLI, 'export const f = (a: string, b: string) => a.localeCompare(b);')).toHaveLength(1);
    expect(said(CLI, `export const f = (a: string, b: string) => a['localeCompare']?.(b);`)).toHaveLength(1);
    expect(said(CLI, 'export const c = new Intl.Collator();')).toHaveLength(1);
  });

  it('have at most 350 lines', () => {
    expect(said(CLI, ...Array<string>(349).fill(''))).toEqual([]);
    expect(said(CLI, ...Array<string>(350).fill(''))).toHaveLength(1);
  });

  it('begin with a comment', () => {
    const first = (text: string): number => violations(readSource(CLI, text)).length;
    expect(first(`export const a = 1;\n/** Late. */\n`)).toBe(1);
    expect(first('// What it is.\nexport const a = 1;\n')).toBe(0);
    expect(first('#!/usr/bin/env node\n/** What it is. */\nexport const a = 1;\n')).toBe(0);
  });
});
