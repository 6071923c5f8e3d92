/**
 * The command line that runs buildkitd so that nothing of it outlives the process that started it.
 *
 * A killed buildkitd leaves its steps running, with mounts and runc's state (BUILDKIT.md 7). So it is the
 * first process of a pid namespace of its own and dies with its parent: the kernel then ends every step, and
 * the mount namespace goes with the last of them. Does not start anything.
 */
import { dirname, join } from 'node:path';
import { environmentProblem, ProblemError } from '@stx-make/core/errors';
import { findProgram } from '../../process/find.ts';

/** Where the sandbox shows the daemon its root folder. A fixed short path: overlayfs takes its layers as one
 * string, split at ':' and ',', so a root below a folder of such a name could not be mounted. */
export const SANDBOX_ROOT = '/run/stx-make/root';
/** Gone with the sandbox: mount points and sockets of the daemon that nobody else needs. */
export const SANDBOX_TMP = '/run/stx-make/tmp';
export const SANDBOX_OTEL = '/run/stx-make/otel.sock';

/** Runs inside, as root of the new namespaces: $1 is the root folder, the rest the command. runc keeps its
 * state in /run/runc, which must not be seen by other daemons nor outlive this one. */
const INSIDE = `set -e
mkdir -p /run/runc /run/stx-make
mount -t tmpfs tmpfs /run/runc
mount -t tmpfs tmpfs /run/stx-make
mkdir ${SANDBOX_ROOT} ${SANDBOX_TMP}
mount --bind "$1" ${SANDBOX_ROOT}
shift
exec "$@"`;

/** The script that runs inside the namespaces. */
export function sandboxScript(): string {
  return INSIDE;
}

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

/** PATH with the system's folders, where runc and mount are; an ordinary user's PATH may lack them. */
export function systemPath(env: NodeJS.ProcessEnv): string {
  const system = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
  const own = (env['PATH'] ?? '').split(':').filter((folder) => folder.startsWith('/'));
  return [...new Set([...own, ...system])].join(':');
}

/** The programs a managed daemon needs beside BuildKit. */
export interface SandboxPrograms {
  readonly setpriv: string;
  readonly unshare: string;
  readonly sh: string;
  readonly runc: string;
}

/** @throws ProblemError `daemon-programs-missing` (environment), naming all that is missing. */
export function findSandboxPrograms(env: NodeJS.ProcessEnv): SandboxPrograms {
  const names = ['setpriv', 'unshare', 'sh', 'runc', 'mount'] as const;
  const found = new Map(names.map((name) => [name, findProgram(name, env)]));
  const missing = names.filter((name) => found.get(name) === null);
  if (missing.length > 0) {
    const packages = missing.map((name) => (name === 'runc' ? 'runc' : 'util-linux'));
    throw new ProblemError(
      environmentProblem({
        code: 'daemon-programs-missing',
        text: `The managed BuildKit can not be started: ${missing.join(', ')} not found.`,
        hint: `Install ${[...new Set(packages)].join(' and ')} from your distribution, or name a running BuildKit by --worker.`,
      }),
    );
  }
  const at = (name: (typeof names)[number]) => found.get(name) ?? name;
  return { setpriv: at('setpriv'), unshare: at('unshare'), sh: at('sh'), runc: at('runc') };
}

/** As root: `command` with `root` shown at SANDBOX_ROOT, ended with its parent. The parent must start it from
 * its main thread: the death signal is bound to the thread that forked (prctl(2), PR_SET_PDEATHSIG). */
export function sandboxCommand(
  programs: SandboxPrograms,
  root: string,
  command: readonly string[],
  env: NodeJS.ProcessEnv,
): { readonly command: Command; readonly env: NodeJS.ProcessEnv } {
  return {
    command: {
      file: programs.setpriv,
      args: [
        ...['--pdeathsig', 'KILL', programs.unshare, '--pid', '--mount', '--fork', '--kill-child=SIGKILL'],
        ...['--mount-proc', programs.sh, '-c', INSIDE, 'sh', root, ...command],
      ],
    },
    env: daemonEnvironment(env, programs),
  };
}

/** What buildkitd inherits: proxies and certificates (registries, RUNs with the network), nothing that
 * changes its own behaviour. */
export function daemonEnvironment(
  env: NodeJS.ProcessEnv,
  programs: Pick<SandboxPrograms, 'runc'>,
): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(
    ([name, value]) =>
      value !== undefined &&
      /^(HOME|USER|LOGNAME|SSL_CERT_(FILE|DIR)|(HTTPS?|NO|ALL|FTP)_PROXY|(https?|no|all|ftp)_proxy)$/.test(
        name,
      ),
  );
  const path = `${dirname(programs.runc)}:${systemPath(env)}`;
  return { ...Object.fromEntries(kept), PATH: path, TMPDIR: SANDBOX_TMP, TZ: 'UTC', LC_ALL: 'C' };
}

/** The five bolt files BuildKit opens below its root, for a snapshotter: about 250 fdatasync of a trivial
 * build go to them (BUILDKIT.md 6). */
export function boltFiles(snapshotter: string): string[] {
  const worker = `runc-${snapshotter}`;
  return [
    'cache.db',
    'history.db',
    join(worker, 'containerdmeta.db'),
    join(worker, 'metadata_v2.db'),
    join(worker, 'snapshots', 'metadata.db'),
  ];
}
