/**
 * This program once more, in a session of its own: it has no terminal that could go away, and no signal of ours
 * reaches it. What it is told to do, and what it says, is others' business.
 */
import { spawn } from 'node:child_process';

export interface DetachedChild {
  readonly pid: number | undefined;
  /** The line it wrote on descriptor 3; empty where it ended before. */
  readonly told: Promise<string>;
  /** Its exit code; null where a signal ended it. */
  readonly exit: Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
  /** We may end before it does. */
  release(): void;
}

/** @param program what Node is to run: this program. @param output its stdout and stderr, descriptors of ours. */
export function startDetachedSelf(
  program: string,
  words: readonly string[],
  [stdout, stderr]: readonly [number, number],
): DetachedChild {
  const child = spawn(process.execPath, [...process.execArgv, program, ...words], {
    detached: true,
    stdio: ['ignore', stdout, stderr, 'pipe'],
  });
  const exit = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => resolve(code));
    child.once('error', () => resolve(null));
  });
  const pipe = child.stdio[3];
  const told = new Promise<string>((resolve) => {
    let text = '';
    pipe?.on('data', (piece: Buffer) => {
      text += piece.toString('utf8');
      const end = text.indexOf('\n');
      if (end >= 0) resolve(text.slice(0, end));
    });
    pipe?.once('error', () => resolve(''));
    pipe?.once('close', () => resolve(''));
    child.once('error', () => resolve(''));
  });
  return {
    pid: child.pid,
    told,
    exit,
    kill: (signal) => {
      child.kill(signal);
    },
    release: () => {
      pipe?.destroy();
      child.unref();
    },
  };
}
