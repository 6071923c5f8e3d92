/** What a shell offers: by the tables, and in a real bash through its completion machinery. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { commands } from '../commands/table.ts';
import { complete, formatCompletions } from './complete.ts';
import { COMPLETION_SCRIPTS } from './complete-scripts.ts';

const sources = {
  targets: (root: string | undefined) =>
    Promise.resolve(root === '/empty' ? [] : ['core-musl', 'core-rust', 'user-htop']),
  runs: () => Promise.resolve(['run-1', 'run-2']),
};
const offered = async (...words: string[]): Promise<readonly string[]> =>
  (await complete(words, commands, sources)).words;

test('commands', async () => {
  expect(await offered('w')).toEqual(['world', 'watch', 'why', 'workers']);
  expect(await offered('')).not.toContain('__complete');
  expect(await offered('nonsense', '')).toEqual([]);
  expect(await offered('help', 'bu')).toEqual(['build']);
});

test('targets where targets are wanted, of the tree that is meant', async () => {
  expect(await offered('build', 'core-')).toEqual(['core-musl', 'core-rust']);
  expect(await offered('build', 'core-musl', 'user')).toEqual(['user-htop']);
  expect(await offered('--root', '/empty', 'build', '')).toEqual([]);
  expect(await offered('world', '')).toEqual([]);
  expect(await offered('why', 'core-musl', 'u')).toEqual(['user-htop']);
  expect(await offered('deps', 'core-musl', '')).toEqual([]);
  expect(await offered('build', '-j', '4', 'user')).toEqual(['user-htop']);
  expect(await offered('build', '--', 'user')).toEqual(['user-htop']);
});

test('options and their values', async () => {
  expect(await offered('build', '--keep')).toEqual(['--keep-going']);
  expect(await offered('build', '--ui', 't')).toEqual(['tui']);
  expect(await offered('build', '--ui=t')).toEqual(['--ui=tui']);
  expect(await offered('graph', '--format', '')).toEqual(['json', 'dot', 'svg', 'html']);
  expect(await offered('completion', '')).toEqual(['bash', 'zsh', 'fish']);
  expect(await complete(['--root', ''], commands, sources)).toEqual({ words: [], paths: 'folder' });
  expect(formatCompletions({ words: [], paths: 'folder' })).toBe(':folder\n');
});

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'stx-complete-'));
  // The real table and the real command line, the made-up tree: what the script calls is a program.
  const program = join(folder, 'program.ts');
  const from = new URL('..', import.meta.url).pathname;
  writeFileSync(
    program,
    `import { line } from '${from}testing/line.ts';
     const { code, stdout } = await line(process.argv.slice(2));
     process.stdout.write(stdout);
     process.exitCode = code;`,
  );
  writeFileSync(join(folder, 'stx-make'), `#!/bin/sh\nexec ${process.execPath} ${program} "$@"\n`);
  chmodSync(join(folder, 'stx-make'), 0o755);
  writeFileSync(join(folder, 'script.bash'), COMPLETION_SCRIPTS.bash);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What bash offers for a line with the cursor at its end: its own word splitting, then our function. */
function inBash(typed: string): string[] {
  const script = `
    source ${folder}/script.bash
    COMP_LINE=$1; COMP_POINT=\${#1}
    # As readline splits: at blanks, and = and : are words of their own.
    read -ra COMP_WORDS <<<"$(sed 's/[=:]/ & /g' <<<"$1")"
    [[ $1 == *' ' ]] && COMP_WORDS+=("")
    COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
    _stx_make
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const out = execFileSync('bash', ['-c', script, 'bash', typed], {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${folder}:${process.env['PATH'] ?? ''}` },
    cwd: folder,
  });
  return out.split('\n').filter((row) => row !== '');
}

// Each line starts a bash and a Node: slow where the machine is busy.
test('bash', { timeout: 60_000 }, () => {
  expect(inBash('stx-make worl')).toEqual(['world']);
  expect(inBash('stx-make build core-')).toEqual(['core-musl', 'core-rust']);
  expect(inBash('stx-make build --ui=t')).toEqual(['tui']);
  expect(inBash('stx-make --state ')).toEqual([]);
  expect(inBash('stx-make nothing ')).toEqual([]);
});

test('the scripts are correct for their shells, where those are here', () => {
  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    try {
      execFileSync(shell, ['-c', 'exit 0'], { stdio: 'ignore' });
    } catch {
      continue;
    }
    execFileSync(shell, ['-n'], { input: COMPLETION_SCRIPTS[shell], stdio: ['pipe', 'pipe', 'pipe'] });
  }
});
