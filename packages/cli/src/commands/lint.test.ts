/** `lint` on the command line: lines, one document, exit codes. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeRecipes } from '../../../../test/rig/tree.ts';
import { realServices } from '../services-real.ts';
import { testIo } from '../testing/io.ts';
import { line } from '../testing/line.ts';

async function ran(root: string, ...words: string[]) {
  return await line(words, { ...realServices(), asked: [] }, testIo({}, root));
}

test('warnings are exit 0, errors 1, a broken tree 2', async () => {
  const root = mkdtempSync(join(tmpdir(), 'stx-lint-'));
  writeRecipes(root, { 'core/a': 'FROM scratch\nRUN a\n', 'core/b': 'FROM scratch\n' });
  const warned = await ran(root, 'lint');
  expect([warned.code, warned.stdout, warned.stderr]).toEqual([
    0,
    'packages/core/a/Containerfile:2: warning: RUN without --network=none can reach the network [run-network]\n' +
      '0 errors, 1 warning; each rule has a page in docs/lint/\n',
    '',
  ]);
  expect((await ran(root, 'lint', '--except', 'core-a')).stdout).toBe('no findings\n');
  writeFileSync(join(root, 'stx-make.toml'), '[lint]\nrun-network = "error"\n');
  const failed = await ran(root, 'lint', 'a', '--json');
  expect([failed.code, JSON.parse(failed.stdout)]).toEqual([
    1,
    {
      schema: 1,
      ok: false,
      findings: [
        {
          code: 'run-network',
          level: 'error',
          file: 'packages/core/a/Containerfile',
          line: 2,
          text: 'RUN without --network=none can reach the network',
        },
      ],
    },
  ]);
  writeRecipes(root, { 'core/c': 'FROM stagex/core-nope\n' });
  const broken = await ran(root, 'lint', '--json');
  expect([broken.code, JSON.parse(broken.stdout)]).toMatchObject([
    2,
    { findings: [{ code: 'run-network' }], errors: [{ code: 'unknown-dependency', line: 1 }] },
  ]);
  writeFileSync(join(root, 'stx-make.toml'), 'jbos = 1\n');
  expect((await ran(root, 'lint')).stderr).toContain('stx-make.toml:1:1: there is no setting `jbos`');
});

test('a variable that is neither 1 nor 0, a view that is none: wrong input, of commands that use it', async () => {
  const root = mkdtempSync(join(tmpdir(), 'stx-lint-'));
  writeRecipes(root, { 'core/a': 'FROM scratch\n' });
  const world = async (env: NodeJS.ProcessEnv) => await line(['world'], undefined, testIo(env, root));
  expect((await world({ NOCACHE: 'yes' })).stderr).toContain('NOCACHE=yes; NOCACHE is 1 for on, 0 for off');
  expect((await world({ PROGRESS: 'rawjson' })).code).toBe(2);
  const anew = await world({ NOCACHE: '1', PROGRESS: 'quiet', BUILDKIT_HOST: 'tcp://h:1' });
  expect(anew.services.asked[0]).toMatchObject({ noCache: true, workers: { addresses: ['tcp://h:1'] } });
  expect((await line(['help'], undefined, testIo({ PROGRESS: 'x' }, root))).code).toBe(0);
});
