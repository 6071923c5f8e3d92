/**
 * Lines typed while `watch` waits: Enter looks at once, `q` ends. The terminal stays as it is (Ctrl-C and Ctrl-Z are
 * its own), so this is lines, not single keys.
 */
import type { Io } from '../io.ts';
import { groupsOf } from '../process/stat.ts';

export interface IdleKeys {
  readonly go: () => void;
  readonly quit: () => void;
}

/** Whether anybody can type: a terminal, and in its foreground (reading from the background would stop us). */
export function canType({ stdin, stdout }: Io): boolean {
  if (stdin.isTTY !== true || stdout.isTTY !== true) return false;
  const groups = groupsOf('self');
  return groups === null || groups.group === groups.foreground;
}

/** @returns stops listening */
export function listenToLines(io: Io, keys: IdleKeys): () => void {
  if (!canType(io)) return () => {};
  const onData = (data: Buffer | string): void => {
    if (/^\s*q/i.test(data.toString())) keys.quit();
    else keys.go();
  };
  io.stdin.on('data', onData);
  io.stdin.resume();
  return () => {
    io.stdin.off('data', onData);
    io.stdin.pause();
  };
}
