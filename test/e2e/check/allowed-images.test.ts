/** Images from outside that stx-make.toml allows: copied from, started from, and nothing else gets in. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { realServices } from '../../../packages/cli/src/services-real.ts';
import { testIo } from '../../../packages/cli/src/testing/io.ts';
import { line } from '../../../packages/cli/src/testing/line.ts';
import { startDaemon, type TestDaemon } from '../../rig/daemon.ts';
import { TestRegistry } from '../../rig/registry.ts';
import { type Recipes, writeRecipes } from '../../rig/tree.ts';

let daemon: TestDaemon;
let registry: TestRegistry;
const state = mkdtempSync(join(tmpdir(), 'stx-allowed-state-'));

beforeAll(async () => {
  [daemon, registry] = await Promise.all([startDaemon(), TestRegistry.start()]);
  const base = tree({ 'core/base': { Containerfile: 'FROM scratch\nCOPY f /f\nENV A=1\n', f: 'x' } });
  expect((await ran(base, 'world')).code).toBe(0);
  registry.push(join(base, 'out/core-base'), 'lib/base');
});

afterAll(async () => {
  await daemon.stop();
  await registry[Symbol.asyncDispose]();
});

function tree(recipes: Recipes, allowed: readonly string[] = []): string {
  const root = mkdtempSync(join(tmpdir(), 'stx-allowed-'));
  writeRecipes(root, recipes);
  writeFileSync(join(root, 'stx-make.toml'), `allowed_images = ${JSON.stringify(allowed)}\n`);
  return root;
}

async function ran(root: string, ...words: string[]) {
  const env = {
    PATH: process.env['PATH'],
    STX_MAKE_BUILDKIT_BIN: process.env['STX_MAKE_BUILDKIT_BIN'],
    BUILDKIT_HOST: daemon.address,
    STX_MAKE_STATE: state,
  };
  return await line(words, { ...realServices(), asked: [] }, testIo(env, root));
}

test('an allowed image is copied from and started from; a target on top of it; nothing to do afterwards', async () => {
  const image = `${registry.host}/lib/base`;
  const root = tree(
    {
      'core/copied': `FROM scratch\nCOPY --from=${image} /f /g\n`,
      'core/started': { Containerfile: `FROM ${image}:latest\nCOPY n /n\n`, n: 'n' },
      'core/same': `FROM ${image}\n`,
      'core/above': { Containerfile: 'FROM stagex/core-started\nCOPY m /m\n', m: 'm' },
    },
    [image, `${image}:latest`],
  );
  const first = await ran(root, 'world', '--json');
  expect([first.code, JSON.parse(first.stdout)], first.stderr).toMatchObject([0, { counts: { built: 4 } }]);
  const again = await ran(root, 'world', '--json');
  expect(JSON.parse(again.stdout)).toMatchObject({ counts: { hit: 4 } });
});

test('what is not allowed is an error of the tree', async () => {
  const root = tree({ 'core/a': `FROM ${registry.host}/lib/base\n` }, [`${registry.host}/lib/other`]);
  const { code, stderr } = await ran(root, 'world');
  expect([code, stderr]).toMatchObject([2, expect.stringContaining('comes from outside the tree')]);
});
