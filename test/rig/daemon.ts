/**
 * A private buildkitd for tests: its own root, socket and namespaces, gone with the test process even when
 * that is killed. Several may run beside each other. Unaware of the managed daemon's supervisor.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { buildkitdToml } from '../../packages/scheduler/src/buildkit/managed/config.ts';
import {
  findSandboxPrograms,
  SANDBOX_ROOT,
  sandboxCommand,
} from '../../packages/scheduler/src/buildkit/managed/sandbox.ts';
import {
  capture,
  descendants,
  findBuildKit,
  isAlive,
  signalAll,
} from '../../packages/scheduler/src/process/index.ts';

export interface DaemonOptions {
  readonly snapshotter?: 'overlayfs' | 'native';
  /** Keep the root of an earlier daemon (stopped by now): a warm start. */
  readonly root?: string;
  /** Another buildkitd than the one in use. */
  readonly buildkitd?: string;
  /** Where it listens, instead of a socket of its own. */
  readonly address?: string;
  /** More of its flags. */
  readonly flags?: readonly string[];
  /** buildctl's flags that reach it, where the address alone does not. */
  readonly connection?: readonly string[];
}

export interface TestDaemon {
  /** `unix://...` */
  readonly address: string;
  readonly socket: string;
  /** BuildKit's state: give it to the next `startDaemon` for a warm start. */
  readonly root: string;
  readonly buildctl: string;
  /** Of the outermost process (unshare). */
  readonly pid: number;
  /** SIGSTOP to daemon and steps: it hangs. */
  freeze(): void;
  /** SIGCONT. */
  thaw(): void;
  /** What the daemon printed so far. */
  log(): string;
  /** SIGKILL to daemon and steps at once, as a crash; the root stays. */
  kill(): Promise<void>;
  /** Ends it and removes everything, the root too unless `keepRoot`. */
  stop(options?: { readonly keepRoot?: boolean }): Promise<void>;
}

/** Starts a daemon and resolves when it answers. Needs root, and BuildKit in STX_MAKE_BUILDKIT_BIN or PATH. */
export async function startDaemon(options: DaemonOptions = {}): Promise<TestDaemon> {
  const programs = findBuildKit(process.env);
  const buildkitd = options.buildkitd ?? programs.buildkitd;
  if (buildkitd === null) throw new Error('buildkitd not found: set STX_MAKE_BUILDKIT_BIN');
  const folder = mkdtempSync(join(tmpdir(), 'stx-bk-'));
  const root = options.root ?? mkdtempSync(join(tmpdir(), 'stx-bkroot-'));
  mkdirSync(root, { recursive: true });
  const config = join(folder, 'buildkitd.toml');
  const gib = 1024 ** 3;
  writeFileSync(
    config,
    buildkitdToml({
      snapshotter: options.snapshotter ?? 'overlayfs',
      rootless: false,
      // Small on purpose: tests must not depend on what else the disk holds.
      disk: { total: 10 * gib, free: 50 * gib },
    }),
  );
  const socket = join(folder, 's.sock');
  const address = options.address ?? `unix://${socket}`;
  const logFile = join(folder, 'log');
  const { command, env } = sandboxCommand(
    findSandboxPrograms(process.env),
    root,
    [buildkitd, '--config', config, '--root', SANDBOX_ROOT, '--addr', address, ...(options.flags ?? [])],
    process.env,
  );
  const log = openSync(logFile, 'a');
  const child = spawn(command.file, command.args, { env, stdio: ['ignore', log, log] });
  closeSync(log);
  const gone = ended(child);
  const daemon: TestDaemon = {
    address,
    socket,
    root,
    buildctl: programs.buildctl,
    pid: child.pid ?? 0,
    freeze: () => signalTree(child, 'SIGSTOP'),
    thaw: () => signalTree(child, 'SIGCONT'),
    log: () => readFileSync(logFile, 'utf8'),
    kill: async () => {
      const tree = child.pid === undefined ? [] : descendants(child.pid);
      child.kill('SIGKILL');
      await gone;
      // The kernel ends them one after another; a root in use can not be removed.
      while (tree.some(isAlive)) await setTimeout(2);
    },
    stop: async ({ keepRoot = false } = {}) => {
      await daemon.kill();
      rmSync(folder, { recursive: true, force: true });
      if (!keepRoot) rmSync(root, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  for (;;) {
    const answer = await capture(
      programs.buildctl,
      [...(options.connection ?? ['--addr', address]), 'debug', 'info'],
      { env },
    );
    if (answer.code === 0) return daemon;
    if (child.exitCode !== null || child.signalCode !== null) {
      const said = daemon.log();
      await daemon.stop();
      throw new Error(`buildkitd ended while starting:\n${said}`);
    }
  }
}

function signalTree({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid !== undefined) signalAll(descendants(pid), signal);
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
}
