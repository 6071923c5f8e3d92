/** `check` on a real BuildKit: findings with places, nothing built, nothing needed. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { realServices } from '../../../packages/cli/src/services-real.ts';
import { testIo } from '../../../packages/cli/src/testing/io.ts';
import { line } from '../../../packages/cli/src/testing/line.ts';
import { startDaemon, type TestDaemon } from '../../rig/daemon.ts';
import { writeRecipes } from '../../rig/tree.ts';

let daemon: TestDaemon;
const state = mkdtempSync(join(tmpdir(), 'stx-check-state-'));

beforeAll(async () => {
  daemon = await startDaemon();
});

afterAll(async () => {
  await daemon.stop();
});

async function ran(root: string, env: NodeJS.ProcessEnv, ...words: string[]) {
  const services = { ...realServices(), asked: [] };
  const all = {
    PATH: process.env['PATH'],
    STX_MAKE_BUILDKIT_BIN: process.env['STX_MAKE_BUILDKIT_BIN'],
    ...env,
  };
  return await line([...words, '--state', state], services, testIo(all, root));
}

function tree(): string {
  const root = mkdtempSync(join(tmpdir(), 'stx-check-'));
  writeRecipes(root, {
    // A base that sets a variable; its image is not here.
    'core/base': 'FROM scratch\nENV SET=1\n',
    'core/bad':
      'FROM stagex/core-base as one\nWORKDIR rel\nENV X=$SET\nFROM stagex/core-late AS Never\nFROM one\n',
    'core/late': 'FROM scratch\nENV X=$NOSUCH\n',
    'user/fine': 'FROM stagex/core-base\nCOPY --from=fetch . /\n',
  });
  return root;
}

test('findings with file and line; exit 1', async () => {
  const root = tree();
  const { code, stdout } = await ran(root, {}, 'check', '--json', '--worker', daemon.address);
  const document = JSON.parse(stdout) as { findings: { code: string; file: string; line: number }[] };
  expect([code, document]).toMatchObject([1, { schema: 1, ok: false, recipes: 4 }]);
  expect(document.findings.map((finding) => `${finding.file}:${finding.line} ${finding.code}`)).toEqual([
    'packages/core/bad/Containerfile:1 FromAsCasing',
    'packages/core/bad/Containerfile:2 WorkdirRelativePath',
    'packages/core/bad/Containerfile:4 StageNameCasing',
    'packages/core/late/Containerfile:2 UndefinedVar',
  ]);
});

test('a selection; workers from BUILDKIT_HOST and from stx-make.toml; CHECK=1 and --check', async () => {
  const root = tree();
  const host = await ran(root, { BUILDKIT_HOST: daemon.address }, 'check', 'fine');
  expect([host.code, host.stdout]).toEqual([0, 'no findings in 1 recipe\n']);
  writeFileSync(join(root, 'stx-make.toml'), `workers = ["${daemon.address}"]\n`);
  expect((await ran(root, { CHECK: '1' }, 'build', 'fine')).stdout).toBe('no findings in 1 recipe\n');
  expect((await ran(root, {}, 'build', 'core-late', '--check')).code).toBe(1);
});

test('no BuildKit: the environment is at fault', async () => {
  const { code } = await ran(tree(), {}, 'check', '--worker', 'unix:///nonexistent.sock');
  expect(code).toBe(3);
});
