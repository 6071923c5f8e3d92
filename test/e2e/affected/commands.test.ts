/** `affected` as people, scripts and pull requests see it. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { realServices } from '../../../packages/cli/src/services-real.ts';
import { testIo } from '../../../packages/cli/src/testing/io.ts';
import { line } from '../../../packages/cli/src/testing/line.ts';
import { GIT_ENV, Repository } from '../../rig/repository.ts';

const recipe = (name: string): string => `[package]\nname = "${name}"\nversion = "1"\nlicense = "MIT"\n`;

function repository(): Repository {
  const made = new Repository();
  made.write({
    'packages/core/a/package.toml': recipe('a'),
    'packages/core/a/Containerfile': 'FROM scratch\nCOPY x /\n',
    'packages/core/a/x': '1',
    'packages/core/b/package.toml': recipe('b'),
    'packages/core/b/Containerfile': 'FROM stagex/core-a\n',
    'packages/core/c/package.toml': recipe('c'),
    'packages/core/c/Containerfile': 'FROM scratch\n',
    'digests/core.txt': `${'1'.repeat(64)} core-a\n`,
  });
  made.commit();
  made.write({
    'packages/core/a/x': '2',
    'packages/core/new/package.toml': recipe('new'),
    'packages/core/new/Containerfile': 'FROM scratch\n',
    'digests/core.txt': `${'2'.repeat(64)} core-a\n`,
  });
  made.git('rm', '-q', '-r', 'packages/core/c');
  return made;
}

async function ran(root: string, ...words: string[]) {
  const state = mkdtempSync(join(tmpdir(), 'stx-state-'));
  const services = { ...realServices(), asked: [] };
  return await line([...words, '--state', state], services, testIo(GIT_ENV, root));
}

test('lines, a document, Markdown', async () => {
  const { root } = repository();
  const people = await ran(root, 'affected', '--since', 'HEAD');
  expect([people.code, people.stderr]).toEqual([0, '']);
  expect(people.stdout).toMatch(/^changed {2}core-a {2}file x changed from 0644 [0-9a-f]{12}… to 0644 /);
  expect(people.stdout).toContain('added    core-new  the target is new\nremoved  core-c\naffected core-b\n');
  expect(people.stdout).toContain(
    'from HEAD to the working tree: 2 targets changed, 1 of them new, 1 removed; 3 of 3 affected\n',
  );

  const script = await ran(root, 'affected', '--since', 'HEAD', '--json');
  expect(JSON.parse(script.stdout)).toMatchObject({
    schema: 1,
    since: 'HEAD',
    until: null,
    added: ['core-new'],
    removed: ['core-c'],
    changed: ['core-a', 'core-new'],
    affected: ['core-a', 'core-b', 'core-new'],
    digests: [{ target: 'core-a', before: `sha256:${'1'.repeat(64)}`, after: `sha256:${'2'.repeat(64)}` }],
    expected: { most: null, least: null },
  });

  const comment = await ran(root, 'affected', '--since', 'HEAD', '--markdown');
  expect(comment.stdout).toContain('## 3 of 3 targets may have to be rebuilt\n');
  expect(comment.stdout).toContain('| changed (1 new) | 2 | |\n| removed | 1 | |\n| affected | 3 | – |\n');
  expect(comment.stdout).toContain('| `core-a` | `111111111111` | `222222222222` |');
  expect(comment.stdout).toContain('### Removed\n\n`core-c`\n');
});

test('nothing to rebuild; what is missing or unknown is an error, also a document', async () => {
  const made = repository();
  made.commit();
  const none = await ran(made.root, 'affected', '--since', 'HEAD', '--markdown');
  expect(none.stdout).toMatch(
    /^## Nothing has to be rebuilt\n\nFrom `HEAD` \(`[0-9a-f]{12}`\) to the working tree\.\n$/,
  );
  expect((await ran(made.root, 'affected')).code).toBe(2);
  const unknown = await ran(made.root, 'affected', '--since', 'nosuch', '--json');
  expect([unknown.code, JSON.parse(unknown.stdout)]).toMatchObject([
    2,
    { schema: 1, ok: false, errors: [{ code: 'unknown-commit', tag: 'input' }] },
  ]);
});

test('what a recipe says can not become markup', async () => {
  const made = repository();
  made.write({ 'packages/core/a/<img src=x> @you|`': 'x' });
  const { stdout } = await ran(made.root, 'affected', '--since', 'HEAD', '--markdown');
  expect(stdout).toContain('\\<img src=x\\> @\u200byou\\|\\`');
});
