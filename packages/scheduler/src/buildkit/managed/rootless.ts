/**
 * The command line for a managed daemon of a user who is not root: rootlesskit gives it a user namespace.
 *
 * Does not start anything.
 */

import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { environmentProblem, ProblemError } from '@stx-make/core/errors';
import { findProgram } from '../../process/find.ts';
import type { Places } from './places.ts';
import { type Command, daemonEnvironment, type SandboxPrograms, sandboxScript } from './sandbox.ts';

/** @throws ProblemError `rootless-programs-missing`, `rootless-no-subuid` (environment) */
export function rootlessCommand(
  programs: SandboxPrograms,
  places: Places,
  command: readonly string[],
  env: NodeJS.ProcessEnv,
): { readonly command: Command; readonly env: NodeJS.ProcessEnv } {
  const rootlesskit = checkRootless(env);
  return {
    command: {
      file: programs.setpriv,
      args: [
        ...['--pdeathsig', 'KILL', rootlesskit, '--state-dir', join(places.dir, 'rootlesskit')],
        // Its own pid namespace ends the steps with it; /run must be writable for runc.
        ...['--pidns', '--copy-up=/run', programs.sh, '-c', sandboxScript(), 'sh', places.root, ...command],
      ],
    },
    env: {
      ...daemonEnvironment(env, programs),
      HOME: places.dir,
      XDG_RUNTIME_DIR: env['XDG_RUNTIME_DIR'] || places.sockets,
      USER: userInfo().username,
    },
  };
}

/** Everything a rootless daemon needs, or why it can not be; returns rootlesskit's path. */
export function checkRootless(env: NodeJS.ProcessEnv): string {
  const needed = [
    ['rootlesskit', 'rootlesskit'],
    ['newuidmap', 'uidmap'],
    ['newgidmap', 'uidmap'],
  ] as const;
  const missing = needed.filter(([program]) => findProgram(program, env) === null);
  const rootlesskit = findProgram('rootlesskit', env);
  if (missing.length > 0 || rootlesskit === null) {
    throw new ProblemError(
      environmentProblem({
        code: 'rootless-programs-missing',
        text: `The managed BuildKit needs root, or for an ordinary user ${missing.map(([program]) => program).join(', ')}, not found here.`,
        hint: `Install ${[...new Set(missing.map(([, pack]) => pack))].join(' and ')} from your distribution, run as root, or name a running BuildKit by --worker.`,
      }),
    );
  }
  const { username, uid } = userInfo();
  for (const file of ['/etc/subuid', '/etc/subgid']) {
    if (hasRange(file, username, uid)) continue;
    throw new ProblemError(
      environmentProblem({
        code: 'rootless-no-subuid',
        text: `User ${username} has no range of subordinate ids in ${file}, which a rootless BuildKit needs.`,
        hint: `As root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${username}`,
      }),
    );
  }
  return rootlesskit;
}

function hasRange(file: string, username: string, uid: number): boolean {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .some((line) => line.startsWith(`${username}:`) || line.startsWith(`${uid}:`));
  } catch {
    return false;
  }
}
