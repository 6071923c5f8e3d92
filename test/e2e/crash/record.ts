/**
 * Records what a program does to a folder, by strace: its system calls in the order in which they took effect.
 * Whether none is missing shows when they are played again (replay.ts) and the result is compared with the folder.
 *
 * Knows system calls; nothing of what the program is.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** All that replay.ts knows. The memory that sqlite maps (its -shm) is left out: the first to open a database begins it
 * anew. */
const CALLS =
  'open,openat,creat,close,write,writev,pwrite64,pwritev,rename,renameat,renameat2,fsync,fdatasync,ftruncate,unlink,unlinkat,rmdir,link,linkat,symlink,symlinkat,mkdir,mkdirat,chmod,fchmod,fchmodat,copy_file_range,sendfile';

/** One call that ended well, or that began: `fsync-begins`. */
export interface Call {
  readonly name: string;
  readonly args: readonly string[];
  readonly result: number;
}

/** Runs `node FILE ARGS...` under strace; @returns its calls in the order in which they ended */
export function record(file: string, args: readonly string[]): Call[] {
  const folder = mkdtempSync(join(tmpdir(), 'stx-strace-'));
  const log = join(folder, 'log');
  try {
    execFileSync(
      'strace',
      ['-f', '-xx', '-s', '100000000', '-e', `trace=${CALLS}`, '-o', log, process.execPath, file, ...args],
      { stdio: ['ignore', 'inherit', 'pipe'], env: { ...process.env, UV_USE_IO_URING: '0' } },
    );
    return parse(readFileSync(log, 'latin1'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * A call takes effect when it ends, where another thread's calls came in between. Two are other: what is written while
 * an fsync runs need not be on the disk when it ends; and a descriptor is free for others before close() ends.
 */
function parse(text: string): Call[] {
  const calls: Call[] = [];
  const begun = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, pid = '', rest = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    const [, half] = /^(.*) <unfinished \.\.\.>$/.exec(rest) ?? [];
    if (half !== undefined) {
      begun.set(pid, half);
      const [, sync] = /^f(?:data)?sync\((\d+)/.exec(half) ?? [];
      if (sync !== undefined) calls.push({ name: 'fsync-begins', args: [sync], result: 0 });
      const [, closed] = /^close\((\d+)/.exec(half) ?? [];
      if (closed !== undefined) calls.push({ name: 'close', args: [closed], result: 0 });
      continue;
    }
    const resumed = /^<\.\.\. (\w+) resumed>(.*)$/.exec(rest);
    if (resumed?.[1] === 'close') continue;
    const whole = resumed === null ? rest : `${begun.get(pid) ?? ''}${resumed[2] ?? ''}`;
    const [, name, inside, result] = /^(\w+)\((.*)\)\s+= (\d+)/.exec(whole) ?? [];
    if (name !== undefined && inside !== undefined) {
      calls.push({ name, args: split(inside), result: Number(result) });
    }
  }
  return calls;
}

/** Arguments; with -xx no string holds a comma or bracket. */
function split(inside: string): string[] {
  const args: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at <= inside.length; at += 1) {
    const char = inside[at];
    if (char === '[' || char === '{') depth += 1;
    else if (char === ']' || char === '}') depth -= 1;
    else if (char === undefined || (char === ',' && depth === 0)) {
      args.push(inside.slice(from, at).trim());
      from = at + 1;
    }
  }
  return args;
}
