/** Real children: ended trees, process groups, environments, lookups. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProblemError } from '@stx-make/core/errors';
import { afterAll, expect, test } from 'vitest';
import { findBuildKit, findProgram } from './find.ts';
import { capture, start } from './run.ts';
import { descendants, isAlive, processId } from './tree.ts';

const folder = mkdtempSync(join(tmpdir(), 'stx process-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const env = { PATH: process.env['PATH'] };

test('captures output, exit code and nothing of our environment', async () => {
  const got = await capture('sh', ['-c', 'env; echo no >&2; exit 7'], { env: { PATH: env.PATH, A: 'b c' } });
  expect(got).toMatchObject({ code: 7, signal: null, aborted: false, startError: null, stderr: 'no\n' });
  expect(got.stdout).toContain('A=b c\n');
  expect(got.stdout).not.toContain('HOME=');
});

test('a program that is not there is a value, not a throw', async () => {
  const got = await capture(join(folder, 'missing'), [], { env });
  expect(got.startError?.code).toBe('ENOENT');
  expect(got.code).toBeNull();
});

test('children share our process group', async () => {
  const got = await capture('sh', ['-c', 'cut -d" " -f5 /proc/$$/stat; cut -d" " -f5 /proc/$PPID/stat'], {
    env,
  });
  const [child, parent] = got.stdout.trim().split('\n');
  expect(child).toBe(parent);
});

/** Resolves with the first line a child prints. */
async function firstLine(stream: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of stream) {
    text += chunk.toString();
    if (text.includes('\n')) break;
  }
  return text;
}

test('an abort ends the whole tree, also what ignores SIGTERM and holds the pipe', async () => {
  const stop = new AbortController();
  const child = start(
    'sh',
    ['-c', `trap '' TERM; sh -c "trap '' TERM; echo up; while :; do sleep 1; done" & wait`],
    {
      env,
      signal: stop.signal,
      graceMs: 50,
    },
  );
  if (child.stdout === null || child.pid === undefined) throw new Error('no child');
  expect(await firstLine(child.stdout)).toContain('up');
  const tree = descendants(child.pid);
  expect(tree.length).toBeGreaterThanOrEqual(1);
  stop.abort();
  const exit = await child.exit;
  expect(exit).toMatchObject({ aborted: true, signal: 'SIGKILL' });
  await expect.poll(() => tree.filter(isAlive)).toEqual([]);
});

test('a signal that is already aborted starts nothing that stays', async () => {
  const child = start('sleep', ['100'], { env, signal: AbortSignal.abort() });
  expect((await child.exit).aborted).toBe(true);
});

test('a timeout is told apart from an abort', async () => {
  expect(await capture('sleep', ['100'], { env, timeoutMs: 30 })).toMatchObject({
    timedOut: true,
    aborted: true,
  });
});

test('an ended process is not alive', async () => {
  const child = start('true', [], { env });
  await child.exit;
  expect(processId(child.pid ?? 0)).toBeNull();
});

test('finds programs in PATH order, files only', () => {
  const [one, two] = [join(folder, 'one'), join(folder, 'two')];
  mkdirSync(join(one, 'tool'), { recursive: true });
  mkdirSync(two);
  writeFileSync(join(two, 'tool'), '#!/bin/sh\n', { mode: 0o755 });
  expect(findProgram('tool', { PATH: `${one}:${two}` })).toBe(join(two, 'tool'));
  expect(findProgram('no-such-program-anywhere', { PATH: one })).toBeNull();
});

test('BuildKit: the named folder goes before PATH and is not passed over in silence', () => {
  const [named, other] = [join(folder, 'named'), join(folder, 'other')];
  for (const place of [named, other]) {
    mkdirSync(place);
    writeFileSync(join(place, 'buildctl'), '#!/bin/sh\n', { mode: 0o755 });
  }
  expect(findBuildKit({ PATH: other, STX_MAKE_BUILDKIT_BIN: named }).buildctl).toBe(join(named, 'buildctl'));
  expect(findBuildKit({ PATH: other, STX_MAKE_BUILDKIT_BIN: '' }).buildctl).toBe(join(other, 'buildctl'));
  expect(() => findBuildKit({ PATH: other, STX_MAKE_BUILDKIT_BIN: join(folder, 'gone') })).toThrow(
    ProblemError,
  );
});
