/** Which files of a context get into an image: what BuildKit copied against what we say a source can take. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  matchesContextSource,
  parseContainerfile,
  resolveContainerfile,
} from '../../../packages/core/src/containerfile/index.ts';
import { capture } from '../../../packages/scheduler/src/process/index.ts';
import { startDaemon, type TestDaemon } from '../../rig/daemon.ts';

/** No two of one base name: copies flatten folders. */
const FILES = [
  'package.toml',
  'one.c',
  'two.h',
  '.hidden',
  'src/three.c',
  'src/four.h',
  'src/deep/five.c',
  'src/deep/er/six.c',
  'other/seven.c',
  'other/x[1]',
  'other/x1',
  'other/star*',
] as const;

let daemon: TestDaemon;
let folder: string;

beforeAll(async () => {
  daemon = await startDaemon();
  folder = mkdtempSync(join(tmpdir(), 'stx-sources-'));
  for (const file of FILES) {
    mkdirSync(join(folder, 'context', dirname(file)), { recursive: true });
    writeFileSync(join(folder, 'context', file), file);
  }
  symlinkSync('src', join(folder, 'context', 'link'));
});

afterAll(async () => {
  await daemon.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The files BuildKit copies, by their base names. */
async function copied(text: string): Promise<Set<string>> {
  const work = mkdtempSync(join(folder, 'build-'));
  writeFileSync(join(work, 'Containerfile'), text);
  const locals = { dockerfile: work, context: join(folder, 'context') };
  const { code, stderr } = await capture(
    daemon.buildctl,
    [
      ...['--addr', daemon.address, 'build', '--frontend', 'dockerfile.v0', '--progress', 'plain'],
      ...['--opt', 'filename=Containerfile', '--opt', 'cmdline='],
      ...Object.entries(locals).flatMap(([name, path]) => ['--local', `${name}=${path}`]),
      ...['--output', `type=local,dest=${join(work, 'out')}`],
    ],
    { env: process.env },
  );
  expect(code, stderr).toBe(0);
  const entries = readdirSync(join(work, 'out'), { recursive: true, withFileTypes: true });
  return new Set(entries.filter((entry) => entry.isFile()).map((entry) => entry.name));
}

function claimed(text: string): Set<string> {
  const { contextSources } = resolveContainerfile(
    parseContainerfile(new TextEncoder().encode(text), 'Containerfile'),
    { target: null, buildArgs: {}, platform: 'linux/amd64', contexts: new Set() },
  );
  const taken = FILES.filter((file) => contextSources.some((source) => matchesContextSource(source, file)));
  return new Set(taken.map((file) => basename(file)));
}

test.each([
  '.',
  '/',
  './src/',
  'src/..',
  'one.c two.h',
  '*',
  '*.c',
  '*.?',
  '.h*',
  'src/*',
  's*/*.c',
  '*/deep',
  'src/*/*',
  '[n-p]*',
  '[^a-z]*',
  'other/x[1]',
  'other/x[[]1]',
  'other/x[0-9]',
  'src/[^d]*',
  '../package.toml',
  'nothing*',
])('COPY %s', async (source) => {
  const text = `FROM scratch\nCOPY ${source} /out/\n`;
  expect(claimed(text)).toEqual(await copied(text));
});

/** Where we do not know better we claim more, never less. */
test.each([
  '--parents src/./deep /out/',
  '--parents **/*.c /out/',
  '--exclude=*.c . /out/',
  'other/sta[r]\\* /out/',
])('COPY %s, at least', async (rest) => {
  const text = `FROM scratch\nCOPY ${rest}\n`;
  const ours = claimed(text);
  for (const name of await copied(text)) expect(ours).toContain(name);
});

test('a symbolic link in the context leads elsewhere: that is not known here', async () => {
  const text = 'FROM scratch\nCOPY link/deep /out/\n';
  expect(await copied(text)).toEqual(new Set(['five.c', 'six.c']));
  expect(claimed(text)).toEqual(new Set());
});
