/**
 * `watch` with real BuildKit: rounds after edits, an error that is waited out, an edit during a build that cancels
 * that build and no other, an edit of something done that lets the rest finish.
 */
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { documentOf, type RunDocument, type Running, start, stx } from '../../rig/cli.ts';
import { startDaemon, type TestDaemon } from '../../rig/daemon.ts';
import { writeBusybox, writeRecipes } from '../../rig/tree.ts';

let folder: string;
let root: string;
let daemon: TestDaemon;
let watching: Running;
const here = () => ({ cwd: root, state: join(folder, 'state') });

/** A step that takes its time: `seconds` before it writes its file. */
const slow = (name: string, seconds: number, more = '') =>
  `FROM stagex/core-busybox AS build\n${more}RUN --network=none ["/bin/busybox", "sh", "-c", "sleep ${seconds}; echo ${name} > /${name}"]\nFROM scratch AS package\nCOPY --from=build /${name} /\n`;
const containerfile = (id: string) => join(root, 'packages', id, 'Containerfile');
/** As editors save. */
function save(id: string, text: string): void {
  writeFileSync(`${containerfile(id)}~`, text);
  renameSync(`${containerfile(id)}~`, containerfile(id));
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stx-watching-'));
  root = join(folder, 'tree');
  writeBusybox(root);
  writeRecipes(root, {
    'core/a': { Containerfile: 'FROM scratch AS package\nCOPY a /a\n', a: 'a1\n' },
    'core/b': 'FROM scratch AS package\nCOPY --from=stagex/core-a . /\n',
  });
  daemon = await startDaemon();
  watching = start(['watch', '--ui', 'plain', '-j', '3', '--worker', daemon.address], here());
  await next(/watching \S+\n/);
});
afterAll(async () => {
  watching.interrupt();
  expect((await watching.finished).code).toBe(130);
  await daemon.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** What is printed next, until it matches. */
let seen = 0;
async function next(pattern: RegExp): Promise<string> {
  for (;;) {
    const printed = watching.text();
    const match = pattern.exec(printed.slice(seen));
    if (match !== null) {
      const from = seen;
      seen += match.index + match[0].length;
      return printed.slice(from, seen);
    }
    await watching.more();
  }
}

test('an edit is built, an unchanged output stops there, a touch of nothing is nothing', async () => {
  writeFileSync(join(root, 'packages/core/a/a'), 'a2\n');
  const edit = await next(/watching \S+\n/);
  expect(edit).toMatch(/core-a built/);
  expect(edit).toMatch(/core-b built/);
  save('core/a', `# a comment\n${readFileSync(containerfile('core/a'), 'utf8')}`);
  const comment = await next(/watching \S+\n/);
  expect(comment).toMatch(/core-a unchanged/);
  expect(comment).not.toMatch(/core-b (built|unchanged)/);
});

test('an error in a half-written file is shown and waited out; a new recipe, a removed one', async () => {
  const whole = readFileSync(containerfile('core/b'), 'utf8');
  save('core/b', 'FROM scratch AS package\nCOPY --from=stagex/core-nob . /');
  const wrong = await next(/watching \S+\n/);
  expect(wrong).toMatch(/core-nob/);
  expect(wrong).toMatch(/core\/b\/Containerfile:2/);
  save('core/b', whole);
  expect(await next(/watching \S+\n/)).not.toMatch(/error/);
  writeRecipes(root, { 'user/new': 'FROM scratch AS package\nCOPY --from=stagex/core-b . /\n' });
  expect(await next(/user-new built[\s\S]*watching \S+\n/)).not.toMatch(/error/);
  rmSync(join(root, 'packages/user/new'), { recursive: true });
  expect(await next(/watching \S+\n/)).toMatch(/5 targets|4 targets|3 targets|nothing/);
});

test('an edit during a build cancels that build and no other; what no build sees cancels none', async () => {
  writeRecipes(root, { 'user/x': slow('x', 600), 'user/y': slow('y', 6) });
  await next(/user-x started/);
  await watching.saw(/user-y started/);
  save('user/x', slow('x', 0));
  expect(await next(/user-x built/)).toMatch(/user-x: trying again/);
  // By now user-y is in its step.
  writeFileSync(join(root, 'packages/user/y/package.toml'), '[package]\nname = "y"\nlicense = "MIT"\n');
  await next(/user-y built[\s\S]*watching \S+\n/);
  expect(watching.text().match(/user-y started/g)).toHaveLength(1);
});

test('an edit of what is done cancels what needs it, lets the rest finish, and all is right in the end', async () => {
  writeRecipes(root, {
    'user/p': slow('p', 3),
    'user/q': slow('q', 600, 'COPY --from=stagex/core-a . /\n'),
  });
  await next(/user-q started/);
  await watching.saw(/user-p started/);
  save('user/q', slow('q', 0, 'COPY --from=stagex/core-a . /\n# no hurry\n'));
  writeFileSync(join(root, 'packages/core/a/a'), 'a3\n');
  const all = await next(/user-q built[\s\S]*watching \S+\n/);
  expect(all).toMatch(/core-a built/);
  expect(watching.text().match(/user-p started/g)).toHaveLength(1);
  const plan = await stx(['world', '--json', '--worker', daemon.address], here());
  const { counts } = documentOf<RunDocument>(plan);
  expect(counts.hit).toBe(counts.targets);
});
