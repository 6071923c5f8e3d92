/**
 * One buildkitd process of the managed daemon: started in its sandbox, awaited, ended.
 *
 * Unaware of clients and of what happens when it is lost (supervisor.ts).
 */
import { randomBytes } from 'node:crypto';
import { appendFileSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { environmentProblem, type Problem } from '@stx-make/core/errors';
import { type Exit, start } from '../../process/run.ts';
import { descendants, isAlive, signalAll } from '../../process/tree.ts';
import { cgroupParent, removeCgroups } from './cgroups.ts';
import { buildkitdToml } from './config.ts';
import type { Places } from './places.ts';
import type { RootState } from './root.ts';
import { rootlessCommand } from './rootless.ts';
import { findSandboxPrograms, SANDBOX_ROOT, sandboxCommand } from './sandbox.ts';

/** With 2,800 builds in its history a start takes 2.8 s (BUILDKIT.md 6). */
const START_MS = 60_000;
/** Of the log, twice: this one and the one before. */
const LOG_BYTES = 1024 * 1024;

export interface RunningDaemon {
  readonly instance: string;
  /** Of buildkitd itself. */
  readonly pid: number;
  readonly exit: Promise<Exit>;
  /** TERM, and KILL with everything in its namespaces after `graceMs`. Resolves when all is gone. */
  stop(graceMs: number): Promise<void>;
}

export interface DaemonStart {
  readonly places: Places;
  readonly buildkitd: string;
  readonly state: RootState;
  readonly env: NodeJS.ProcessEnv;
}

/** Starts buildkitd and waits until it serves.
 * @returns the problem where it ended or did not serve in time; nothing of it is left then. */
export async function startDaemonProcess(options: DaemonStart): Promise<RunningDaemon | Problem> {
  const { places, state } = options;
  removeCgroups(places.dir);
  writeFileSync(
    places.config,
    buildkitdToml({
      snapshotter: state.snapshotter as 'auto',
      rootless: state.rootless,
      disk: state.disk,
      cgroupParent: state.rootless ? null : cgroupParent(places.dir),
    }),
  );
  rmSync(places.daemonSocket, { force: true });
  const programs = findSandboxPrograms(options.env);
  const command = [
    options.buildkitd,
    '--config',
    places.config,
    '--root',
    SANDBOX_ROOT,
    '--addr',
    places.address,
  ];
  const sandbox = state.rootless
    ? rootlessCommand(programs, places, command, options.env)
    : sandboxCommand(programs, places.root, command, options.env);
  const child = start(sandbox.command.file, sandbox.command.args, {
    env: {
      ...sandbox.env,
      // BuildKit clips a step's output at 2 MiB and 100 KiB/s by default; our logs are to be whole.
      BUILDKIT_STEP_LOG_MAX_SIZE: '-1',
      BUILDKIT_STEP_LOG_MAX_SPEED: '-1',
    },
  });
  const write = logWriter(places.log);
  child.stdout?.on('data', write);
  child.stderr?.on('data', write);
  let ended: Exit | null = null;
  const exit = child.exit.then((result) => {
    ended = result;
    return result;
  });
  const stop = (graceMs: number) => stopTree(child.pid, exit, graceMs);
  const late = AbortSignal.timeout(START_MS);
  while (!(await serves(places.daemonSocket, late))) {
    if (ended !== null) return startProblem(places, `buildkitd ended while starting${describe(ended)}`);
    if (late.aborted) {
      await stop(0);
      return startProblem(places, `buildkitd did not serve within ${START_MS / 1000} s`);
    }
    await setTimeout(10);
  }
  const pid = descendants(child.pid ?? 0).at(-1)?.pid ?? child.pid ?? 0;
  return { instance: randomBytes(8).toString('hex'), pid, exit, stop };
}

/** unshare ignores SIGTERM while its child lives, so the child is asked; KILL to the outermost ends all, by
 * the death signals it was started with. */
async function stopTree(pid: number | undefined, exit: Promise<Exit>, graceMs: number): Promise<void> {
  if (pid === undefined) return;
  const below = descendants(pid);
  if (graceMs > 0) {
    signalAll(below, 'SIGTERM');
    const grace = new AbortController();
    const waited = setTimeout(graceMs, 'late', { signal: grace.signal }).catch(() => 'ended');
    const first = await Promise.race([exit.then(() => 'ended'), waited]);
    grace.abort();
    if (first === 'ended') return;
  }
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone by now.
  }
  await exit;
  // The kernel ends a pid namespace one process after another; roots and mounts are free only then.
  while (below.some(isAlive)) await setTimeout(5);
}

/** What an HTTP/2 client says first (RFC 9113, 3.4): the preface and an empty SETTINGS frame. */
const PREFACE = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);

/** True once the daemon serves. It listens before its worker is ready (moby/buildkit#4618): a connection alone
 * says nothing, an answer does. False where the connection fails, or `giveUp` aborts. */
function serves(socket: string, giveUp: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(socket);
    const end = (answer: boolean) => {
      giveUp.removeEventListener('abort', no);
      probe.destroy();
      resolve(answer);
    };
    const no = () => end(false);
    giveUp.addEventListener('abort', no, { once: true });
    probe.once('connect', () => probe.write(PREFACE));
    probe.once('data', () => end(true));
    probe.once('error', no);
    probe.once('close', no);
  });
}

function describe(exit: Exit): string {
  if (exit.startError !== null) return `: ${exit.startError.message}`;
  return exit.signal === null ? ` (exit code ${exit.code})` : ` (${exit.signal})`;
}

function startProblem(places: Places, text: string): Problem {
  const last = tailOf(places.log, 8);
  return environmentProblem({
    code: 'daemon-start',
    text: `The managed BuildKit can not be started: ${text}.${last === '' ? '' : `\n${last}`}`,
    hint: `Its log is ${places.log}. A running BuildKit can be named by --worker or BUILDKIT_HOST.`,
  });
}

/** The last lines of a log, indented. */
export function tailOf(path: string, count: number): string {
  try {
    const text = readFileSync(path, 'utf8').trimEnd();
    return text === ''
      ? ''
      : text
          .split('\n')
          .slice(-count)
          .map((line) => `  ${line}`)
          .join('\n');
  } catch {
    return '';
  }
}

/** Appends; at LOG_BYTES the file becomes `.1`. A log that can not be written must not end the daemon. */
export function logWriter(path: string): (chunk: Buffer | string) => void {
  let size = sizeOf(path);
  return (chunk) => {
    try {
      if (size > LOG_BYTES) {
        renameSync(path, `${path}.1`);
        size = 0;
      }
      appendFileSync(path, chunk);
      size += chunk.length;
    } catch {
      // The disk is full, or the state folder is being removed.
    }
  };
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}
