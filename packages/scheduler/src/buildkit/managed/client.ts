/**
 * A run's side of the managed daemon: have one, start it where there is none.
 *
 * Unaware of how it is kept alive (supervisor.ts).
 */
import { setTimeout } from 'node:timers/promises';
import { environmentProblem, ProblemError } from '@stx-make/core/errors';
import { statePaths } from '../../paths.ts';
import { findBuildKit } from '../../process/find.ts';
import type { Exit } from '../../process/run.ts';
import { tailOf } from './daemon.ts';
import { idleSeconds, LOCKED, launchSupervisor, snapshotterOf } from './launch.ts';
import { Lease, type ManagedDaemon } from './lease.ts';
import { makePlaces, type Places, placesOf } from './places.ts';
import { programIdentity } from './root.ts';
import { checkRootless } from './rootless.ts';
import { findSandboxPrograms } from './sandbox.ts';

export interface ManagedOptions {
  /** The state folder. */
  readonly state: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  /** Told once when it has to be started. */
  readonly onStarting?: ((text: string) => void) | undefined;
}

/** A start takes 0.3 s; a discarded and rebuilt root, twice more. */
const PATIENCE_MS = 200_000;
const POLL_MS = 15;

/** The managed daemon of a state folder, started where there is none. Of several that ask at once one starts it.
 * @throws ProblemError (environment): BuildKit or programs missing, no rootless possible, start failed */
export async function ensureManaged(options: ManagedOptions): Promise<ManagedDaemon> {
  const { env, signal } = options;
  const { buildkitd } = findBuildKit(env);
  if (buildkitd === null) {
    throw new ProblemError(
      environmentProblem({
        code: 'buildkit-not-found',
        text: 'BuildKit is incomplete: there is a buildctl but no buildkitd, which the managed daemon needs.',
        hint: 'Install buildkitd v0.28.1 or later, use ./run of a clone, or name a running BuildKit by --worker.',
      }),
    );
  }
  // Said here and not by the supervisor: it has nobody to say it to.
  findSandboxPrograms(env);
  if (process.getuid?.() !== 0) checkRootless(env);
  const places = placesOf(statePaths(options.state).daemon, env);
  makePlaces(places);
  const wanted = { buildkitd: programIdentity(buildkitd), snapshotter: snapshotterOf(env) };
  const deadline = performance.now() + PATIENCE_MS;
  let starter: { exit: Exit | null } | null = null;
  for (;;) {
    signal.throwIfAborted();
    const lease = await Lease.take(places, wanted, signal);
    if (lease !== null) return lease;
    if (starter === null || starter.exit !== null) {
      const failed = starter?.exit;
      if (failed != null && failed.code !== LOCKED && failed.code !== 0) throw notStarted(places, failed);
      if (performance.now() > deadline) throw notStarted(places, null);
      options.onStarting?.('starting the managed BuildKit');
      const begun: { exit: Exit | null } = { exit: null };
      starter = begun;
      const started = launchSupervisor(
        places,
        { buildkitd, snapshotter: wanted.snapshotter, idle: idleSeconds(env) },
        env,
      );
      void started.exit.then((exit) => {
        begun.exit = exit;
      });
    }
    await setTimeout(POLL_MS);
  }
}

function notStarted(places: Places, exit: Exit | null): ProblemError {
  const how = exit === null ? 'it does not answer' : `its supervisor ended (${exit.signal ?? exit.code})`;
  const last = tailOf(places.supervisorLog, 6);
  return new ProblemError(
    environmentProblem({
      code: 'daemon-start',
      text: `The managed BuildKit can not be started: ${how}.${last === '' ? '' : `\n${last}`}`,
      hint: `Its logs are in ${places.dir}. A running BuildKit can be named by --worker or BUILDKIT_HOST.`,
    }),
  );
}

export { type ManagedStatus, managedStatus, stopManaged } from './status.ts';
