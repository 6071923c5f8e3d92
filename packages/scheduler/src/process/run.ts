/**
 * Starting child processes: the only file that imports execa.
 *
 * Children stay in our process group unless detached, their output is never collected without a bound, and
 * an abort ends the whole tree below a child. Unaware of BuildKit.
 */
import { accessSync, constants, realpathSync } from 'node:fs';
import { basename } from 'node:path';
import type { Readable } from 'node:stream';
import { execa } from 'execa';
import { findProgram } from './find.ts';
import { descendants, type ProcessId, signalAll } from './tree.ts';

/** Time between SIGTERM and SIGKILL. buildctl is gone 0.1 s after TERM (BUILDKIT.md 7). */
export const GRACE_MS = 2_000;

export interface StartOptions {
  /** The whole environment of the child: nothing is inherited. */
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string | undefined;
  /** Abort: SIGTERM to the child, SIGKILL to it and all below it after `graceMs`. */
  readonly signal?: AbortSignal | undefined;
  readonly graceMs?: number | undefined;
  /** It goes on when the terminal goes away, as we do: it ignores SIGHUP. Stays in our process group. */
  readonly outlivesTerminal?: boolean | undefined;
  /** It does not outlive us, however we end: the kernel kills it. Where the system's setpriv can say so. */
  readonly diesWithUs?: boolean | undefined;
  /** What the child reads on stdin: text, or a stream that is read to its end. Else stdin is empty. */
  readonly input?: string | Readable | undefined;
  /** File descriptors: pipes by default, except stdin, which is empty. A number is a descriptor of ours. */
  readonly stdout?: 'pipe' | 'ignore' | number | undefined;
  readonly stderr?: 'pipe' | 'ignore' | number | undefined;
}

/** How a child ended. */
export interface Exit {
  /** Null where a signal ended it or it never started. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The abort signal ended it. */
  readonly aborted: boolean;
  /** It could not be started (ENOENT, EACCES, E2BIG, ...). */
  readonly startError: NodeJS.ErrnoException | null;
}

export interface Started {
  /** Undefined where it could not be started. */
  readonly pid: number | undefined;
  /** Null unless piped. The reader must read it: an unread pipe stops the child. */
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** Resolves once the child is gone and its streams have ended; never rejects. */
  readonly exit: Promise<Exit>;
}

/** Starts a child in our process group; it dies with us when we exit in order. Never throws. */
export function start(file: string, args: readonly string[], options: StartOptions): Started {
  const [program, words] = wrapped(file, args, options);
  const child = execa(program, words, {
    env: options.env,
    extendEnv: false,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
    stdout: descriptor(options.stdout ?? 'pipe'),
    stderr: descriptor(options.stderr ?? 'pipe'),
    buffer: false,
    reject: false,
  });
  const grace = options.graceMs ?? GRACE_MS;
  let aborted = false;
  let below: ProcessId[] = [];
  let timer: NodeJS.Timeout | undefined;
  const abort = () => {
    if (aborted || child.pid === undefined) return;
    aborted = true;
    const { pid } = child;
    // Seen now: once the child is dead its children belong to init and are not to be found.
    below = descendants(pid);
    child.kill('SIGTERM');
    timer = setTimeout(() => {
      below.push(...descendants(pid));
      child.kill('SIGKILL');
      signalAll(below, 'SIGKILL');
    }, grace);
  };
  if (options.signal?.aborted === true) abort();
  else options.signal?.addEventListener('abort', abort, { once: true });
  // The streams of a child whose own children keep them open would never end: end those with it.
  child.nodeChildProcess.once('exit', () => {
    if (aborted) signalAll(below, 'SIGKILL');
  });

  const exit = child.then((result): Exit => {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', abort);
    if (aborted) signalAll(below, 'SIGKILL');
    const neverRan = child.pid === undefined;
    return {
      code: result.exitCode ?? null,
      signal: result.signal ?? null,
      aborted,
      startError: neverRan ? startErrorOf(result) : null,
    };
  });
  return { pid: child.pid, stdout: child.stdout, stderr: child.stderr, exit };
}

/**
 * The same program, tied to us. Only what is ignored survives an exec, and Node gives its children default
 * dispositions, so a shell sets that in between; so does setpriv with the death signal: the pid is the program's, and
 * each costs 0.7 ms (measured). A program that is not there is left to fail as it would without.
 */
function wrapped(
  file: string,
  args: readonly string[],
  { outlivesTerminal, diesWithUs, env }: StartOptions,
): readonly [file: string, args: readonly string[]] {
  try {
    accessSync(file, constants.X_OK);
  } catch {
    return [file, args];
  }
  const setpriv = diesWithUs === true ? findSetpriv(env) : null;
  const bound = setpriv === null ? [file, ...args] : [setpriv, '--pdeathsig', 'KILL', file, ...args];
  if (outlivesTerminal === true) return ['/bin/sh', ['-c', `trap '' HUP; exec "$0" "$@"`, ...bound]];
  const [program = file, ...words] = bound;
  return [program, words];
}

/** Answers of `findSetpriv` by PATH: a run starts hundreds of children. */
const setprivs = new Map<string | undefined, string | null>();

/** util-linux's; busybox has one that knows no death signal. */
function findSetpriv(env: NodeJS.ProcessEnv): string | null {
  const known = setprivs.get(env['PATH']);
  if (known !== undefined) return known;
  const path = findProgram('setpriv', env);
  const found = path !== null && basename(realpathSync(path)) === 'setpriv' ? path : null;
  setprivs.set(env['PATH'], found);
  return found;
}

/** Starts a child in a session of its own that outlives us: for the managed daemon alone. Its output goes
 * to descriptors of ours. */
export function startDetached(
  file: string,
  args: readonly string[],
  options: Pick<StartOptions, 'env' | 'cwd'> & { readonly stdout: number; readonly stderr: number },
): Started {
  const child = execa(file, args, {
    env: options.env,
    extendEnv: false,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdin: 'ignore',
    stdout: descriptor(options.stdout),
    stderr: descriptor(options.stderr),
    buffer: false,
    reject: false,
    detached: true,
    cleanup: false,
  });
  child.nodeChildProcess.unref();
  const exit = child.then(
    (result): Exit => ({
      code: result.exitCode ?? null,
      signal: result.signal ?? null,
      aborted: false,
      startError: child.pid === undefined ? startErrorOf(result) : null,
    }),
  );
  return { pid: child.pid, stdout: null, stderr: null, exit };
}

/** execa takes any open descriptor, its types name only 3 to 9. */
function descriptor(value: 'pipe' | 'ignore' | number): 'pipe' | 'ignore' | 3 {
  return value as 'pipe' | 'ignore' | 3;
}

function startErrorOf(result: {
  readonly code?: string | undefined;
  readonly message?: string | undefined;
}): NodeJS.ErrnoException {
  const error: NodeJS.ErrnoException = new Error(result.message ?? 'the process could not be started');
  if (result.code !== undefined) error.code = result.code;
  return error;
}

export interface Captured extends Exit {
  readonly stdout: string;
  readonly stderr: string;
  /** `timeoutMs` ended it. */
  readonly timedOut: boolean;
}

/** At most this much of each stream is kept by `capture`: answers of tools, never builds. */
const CAPTURE_BYTES = 8 * 1024 * 1024;

/** Runs a small tool to its end and gives what it printed (UTF-8, the first 8 MiB of each stream). */
export async function capture(
  file: string,
  args: readonly string[],
  options: Omit<StartOptions, 'stdout' | 'stderr'> & { readonly timeoutMs?: number },
): Promise<Captured> {
  const timeout = options.timeoutMs === undefined ? undefined : AbortSignal.timeout(options.timeoutMs);
  const signals = [options.signal, timeout].filter((signal) => signal !== undefined);
  const child = start(file, args, {
    ...options,
    signal: signals.length === 0 ? undefined : AbortSignal.any(signals),
  });
  const [stdout, stderr, exit] = await Promise.all([read(child.stdout), read(child.stderr), child.exit]);
  return { ...exit, stdout, stderr, timedOut: timeout?.aborted === true && options.signal?.aborted !== true };
}

async function read(stream: Readable | null): Promise<string> {
  if (stream === null) return '';
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      if (size < CAPTURE_BYTES) chunks.push(chunk.subarray(0, CAPTURE_BYTES - size));
      size += chunk.length;
    }
  } catch {
    // The child was killed and its pipe with it: what came so far is the answer.
  }
  return Buffer.concat(chunks).toString('utf8');
}
