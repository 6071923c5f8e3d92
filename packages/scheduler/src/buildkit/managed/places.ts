/**
 * Where the managed daemon keeps its things. Only names, and the folder for sockets.
 */
import { lstatSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { environmentProblem, ProblemError } from '@stx-make/core/errors';
import { shortName } from '../../paths.ts';

export interface Places {
  /** `<state>/daemon`, absolute. */
  readonly dir: string;
  /** BuildKit's root. */
  readonly root: string;
  /** Which BuildKit the root belongs to, and where its bolt files are. */
  readonly identity: string;
  readonly config: string;
  readonly log: string;
  readonly supervisorLog: string;
  /** Held (flock) by the supervisor as long as it lives. */
  readonly lock: string;
  /** The engine of a running instance, so that not every run builds a canary. */
  readonly engine: string;
  readonly sockets: string;
  readonly control: string;
  readonly daemonSocket: string;
  /** `unix://...` */
  readonly address: string;
}

/** A unix socket's path ends at 107 bytes; BuildKit appends nothing, we leave some room. Other characters than
 * these would be read as parts of a URL by buildctl. */
const SOCKET_BYTES = 100;
const PLAIN = /^[A-Za-z0-9._/-]+$/;

export function placesOf(daemonDir: string, env: NodeJS.ProcessEnv): Places {
  const dir = resolve(daemonDir);
  const here = join(dir, 'buildkitd.sock');
  const fits = Buffer.byteLength(here) <= SOCKET_BYTES && PLAIN.test(here);
  const sockets = fits ? dir : join(runtimeFolder(env), shortName(dir));
  const daemonSocket = join(sockets, 'buildkitd.sock');
  return {
    dir,
    root: join(dir, 'root'),
    identity: join(dir, 'root.json'),
    config: join(dir, 'buildkitd.toml'),
    log: join(dir, 'buildkitd.log'),
    supervisorLog: join(dir, 'supervisor.log'),
    lock: join(dir, 'lock'),
    engine: join(dir, 'engine.json'),
    sockets,
    control: join(sockets, 'control.sock'),
    daemonSocket,
    address: `unix://${daemonSocket}`,
  };
}

function runtimeFolder(env: NodeJS.ProcessEnv): string {
  const runtime = env['XDG_RUNTIME_DIR'];
  if (runtime && PLAIN.test(runtime) && runtime.length <= 60) return join(runtime, 'stx-make');
  return `/tmp/stx-make-${process.getuid?.() ?? 0}`;
}

/** Makes the folders. One in /tmp could have been put there by somebody else: whoever owns it could take our
 * builds. @throws ProblemError `daemon-folder` (environment) */
export function makePlaces(places: Places): void {
  mkdirSync(places.dir, { recursive: true });
  if (places.sockets === places.dir) return;
  for (const folder of [resolve(places.sockets, '..'), places.sockets]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const stat = lstatSync(folder);
    if (stat.isDirectory() && stat.uid === process.getuid?.() && (stat.mode & 0o022) === 0) continue;
    throw new ProblemError(
      environmentProblem({
        code: 'daemon-folder',
        text: `${folder} should hold the managed BuildKit's sockets, but it is not a folder that only this user can write.`,
        hint: 'Remove it, or set XDG_RUNTIME_DIR.',
      }),
    );
  }
}
