/**
 * How a supervisor is started: which command is us, and the arguments it gets.
 */
import { closeSync, existsSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { environmentProblem, ProblemError } from '@stx-make/core/errors';
import { findProgram } from '../../process/find.ts';
import { type Started, startDetached } from '../../process/run.ts';
import type { Snapshotter } from './config.ts';
import type { Places } from './places.ts';
import { type SupervisorOptions, supervise } from './supervisor.ts';

/** What the supervisor is told, as one JSON argument. */
interface Told {
  readonly daemonDir: string;
  readonly buildkitd: string;
  readonly snapshotter: Snapshotter;
  readonly idle: number;
}

/** flock's exit code when another supervisor has the lock. */
export const LOCKED = 75;

/** Seconds that a daemon nobody uses is kept, unless STX_MAKE_DAEMON_IDLE says otherwise. Measured: a cold start
 * costs 0.3 s and the canary 0.3 s more, where an incremental build takes 0.3 s in all; kept, it costs about
 * 110 MB (supervisor 55, buildkitd 55) and no processor time. Ten minutes bridge an edit and a thought. */
export const IDLE_SECONDS = 600;

export function idleSeconds(env: NodeJS.ProcessEnv): number {
  const text = env['STX_MAKE_DAEMON_IDLE'];
  const seconds = Number(text);
  return text && Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds, 86_400) : IDLE_SECONDS;
}

/** STX_MAKE_DAEMON_SNAPSHOTTER, for file systems and tests that want another than `auto`. */
export function snapshotterOf(env: NodeJS.ProcessEnv): Snapshotter {
  const wanted = env['STX_MAKE_DAEMON_SNAPSHOTTER'];
  const known: readonly Snapshotter[] = ['auto', 'overlayfs', 'native', 'fuse-overlayfs'];
  return known.find((name) => name === wanted) ?? 'auto';
}

/** The command that becomes the supervisor. From the sources it is main.ts beside this file; in the bundle the
 * bundle itself, by its hidden command. */
function supervisorCommand(): string[] {
  const main = join(dirname(fileURLToPath(import.meta.url)), 'main.ts');
  if (import.meta.url.endsWith('.ts') && existsSync(main)) return [process.execPath, main];
  return [process.execPath, process.argv[1] ?? '', 'daemon', 'supervise'];
}

/** Starts a supervisor; it ends at once with LOCKED where there is one.
 * @throws ProblemError `daemon-programs-missing` (environment) */
export function launchSupervisor(
  places: Places,
  options: Omit<Told, 'daemonDir'>,
  env: NodeJS.ProcessEnv,
): Started {
  const flock = findProgram('flock', env);
  if (flock === null) {
    throw new ProblemError(
      environmentProblem({
        code: 'daemon-programs-missing',
        text: 'The managed BuildKit can not be started: flock not found.',
        hint: 'Install util-linux from your distribution, or name a running BuildKit by --worker.',
      }),
    );
  }
  const told: Told = { daemonDir: places.dir, ...options };
  const log = openSync(places.supervisorLog, 'a', 0o600);
  try {
    return startDetached(
      flock,
      [
        ...['--nonblock', '--conflict-exit-code', String(LOCKED), '--no-fork', places.lock],
        ...[...supervisorCommand(), JSON.stringify(told)],
      ],
      // A small heap: it holds a few sockets for hours.
      { env: { ...env, NODE_OPTIONS: '--max-semi-space-size=1' }, cwd: '/', stdout: log, stderr: log },
    );
  } finally {
    closeSync(log);
  }
}

/** The supervisor process itself, for the hidden command `daemon supervise`: `args` is what `launchSupervisor` gave.
 * Resolves with its exit code when it is no longer needed. */
export async function superviseDaemon(args: readonly string[]): Promise<number> {
  const told: unknown = JSON.parse(args[0] ?? 'null');
  const field = (key: string): unknown => Reflect.get(Object(told), key);
  const options: SupervisorOptions = {
    daemonDir: String(field('daemonDir')),
    buildkitd: String(field('buildkitd')),
    snapshotter: snapshotterOf({ STX_MAKE_DAEMON_SNAPSHOTTER: String(field('snapshotter')) }),
    idle: Number(field('idle')),
    env: process.env,
  };
  return await supervise(options);
}
