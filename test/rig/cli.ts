/**
 * Runs the bundled stx-make as a user does: its own process group, a state folder and HOME of its own.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The repository. */
export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

const BUNDLE = fileURLToPath(new URL('../../packages/cli/dist/stx-make.js', import.meta.url));

export interface CliOptions {
  readonly cwd: string;
  readonly state: string;
  readonly env?: NodeJS.ProcessEnv;
}

export interface Finished {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  /** What it printed so far, stdout and stderr as they came. */
  text(): string;
  /** Resolves when it prints again; rejects when it ends before. */
  more(): Promise<void>;
  /** Resolves when stdout and stderr together match; rejects when it ends before. */
  saw(pattern: RegExp): Promise<void>;
  /** To the whole process group, as a terminal's Ctrl-C does. */
  interrupt(signal?: NodeJS.Signals): void;
}

/** Starts `stx-make ARGS`. Empty BUILDKIT_HOST: the managed daemon, unless args say otherwise. */
export function start(args: readonly string[], options: CliOptions): Running {
  if (!existsSync(BUNDLE)) throw new Error(`${BUNDLE} is not there: node tools/bundle.ts`);
  const child = spawn(process.execPath, [BUNDLE, ...args], {
    cwd: options.cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      BUILDKIT_HOST: '',
      NO_COLOR: '1',
      STX_MAKE_STATE: options.state,
      STX_MAKE_FALLBACK_ROOT: '',
      ...options.env,
    },
  });
  let stdout = '';
  let stderr = '';
  let both = '';
  const watchers = new Set<() => void>();
  const note = (): void => {
    for (const watcher of watchers) watcher();
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    both += text;
    note();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    both += text;
    note();
  });
  const finished = new Promise<Finished>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return {
    child,
    finished,
    text: () => both,
    more: () =>
      new Promise((resolve, reject) => {
        const watcher = (): void => {
          watchers.delete(watcher);
          resolve();
        };
        watchers.add(watcher);
        void finished.then(() => reject(new Error(`ended:\n${both}`)));
      }),
    saw: (pattern) =>
      new Promise((resolve, reject) => {
        const watcher = (): void => {
          if (!pattern.test(stdout + stderr)) return;
          watchers.delete(watcher);
          resolve();
        };
        watchers.add(watcher);
        watcher();
        void finished.then(() => reject(new Error(`ended before ${pattern}:\n${stdout}\n${stderr}`)));
      }),
    interrupt: (signal = 'SIGINT') => {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    },
  };
}

/** Runs it to its end. */
export function stx(args: readonly string[], options: CliOptions): Promise<Finished> {
  return start(args, options).finished;
}

/** The document of `--json`, with INTERFACE.md's promise checked: exactly one, and schema 1. */
export function documentOf<T = Record<string, unknown>>({ stdout, stderr }: Finished): T {
  let document: { schema?: unknown };
  try {
    document = JSON.parse(stdout) as { schema?: unknown };
  } catch {
    throw new Error(`not one JSON document:\n${stdout}\n---\n${stderr}`);
  }
  if (document.schema !== 1) throw new Error(`no schema 1: ${stdout}`);
  return document as T;
}

/** What `world --json` and `build --json` print. */
export interface RunDocument {
  readonly ok: boolean;
  readonly counts: Readonly<Record<'targets' | 'hit' | 'built' | 'unchanged' | 'failed' | 'skipped', number>>;
  readonly targets: readonly {
    readonly name: string;
    readonly result: string;
    readonly digest: string | null;
    readonly reasons: readonly { readonly code: string; readonly text: string }[];
  }[];
  readonly errors?: readonly { readonly code: string; readonly tag: string; readonly text: string }[];
}
