/**
 * Where the managed daemon keeps its things. Only names, and the folder for sockets.
 */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { makeSocketFolder, socketFolder } from '../../process/socket-folder.ts';

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

export function placesOf(daemonDir: string, env: NodeJS.ProcessEnv): Places {
  const dir = resolve(daemonDir);
  const sockets = socketFolder(dir, 'buildkitd.sock', env);
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

/** Makes the folders. @throws ProblemError `daemon-folder` (environment) */
export function makePlaces(places: Places): void {
  mkdirSync(places.dir, { recursive: true });
  if (places.sockets !== places.dir) makeSocketFolder(places.sockets, "the managed BuildKit's");
}
