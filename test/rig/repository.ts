/**
 * A git repository as an object, for tests that make many of them: on git.ts.
 */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { git } from './git.ts';

/** For what is tested: none of the machine's settings. */
export const GIT_ENV: NodeJS.ProcessEnv = {
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
};

export class Repository {
  readonly root: string;

  constructor(root: string = mkdtempSync(join(tmpdir(), 'stx-git-'))) {
    this.root = root;
    this.git('init', '-q', '-b', 'main');
  }

  /** Runs git, gives what it printed. */
  git(...args: string[]): string {
    return git(this.root, '-c', 'protocol.file.allow=always', ...args).trim();
  }

  write(files: Readonly<Record<string, string | Buffer>>): void {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(this.root, path)), { recursive: true });
      writeFileSync(join(this.root, path), content);
    }
  }

  /** Everything that is there now. @returns the commit */
  commit(): string {
    this.git('add', '-A');
    this.git('commit', '-q', '--allow-empty', '-m', 'x');
    return this.git('rev-parse', 'HEAD');
  }
}
