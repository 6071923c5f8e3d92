/**
 * Where everything lies in the state folder and in a tree's root. Only names; creates nothing.
 */
import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { join } from 'node:path';

export interface StatePaths {
  readonly root: string;
  /** sqlite: records, stat cache, history. */
  readonly database: string;
  /** An OCI layout that holds every blob: `blobs/sha256/<hex>`. */
  readonly pool: string;
  /** Downloaded sources by content: `sources/sha256/<hex>`. */
  readonly sources: string;
  /** Private working folders of runs; whatever is in it when no run holds the lock is litter. */
  readonly work: string;
  /** `logs/<run>/<target>.log`, and `events.ndjson` beside them. */
  readonly logs: string;
  /** The managed BuildKit: root, socket, control socket, log. */
  readonly daemon: string;
  /** Locks, one file each. */
  readonly locks: string;
  /** Runs under way: `<run>.json`, and the sockets through which they are asked for things (live/). */
  readonly runs: string;
}

export function statePaths(root: string): StatePaths {
  return {
    root,
    database: join(root, 'state.db'),
    pool: join(root, 'pool'),
    sources: join(root, 'sources'),
    work: join(root, 'work'),
    logs: join(root, 'logs'),
    daemon: join(root, 'daemon'),
    locks: join(root, 'locks'),
    runs: join(root, 'runs'),
  };
}

/** The events of a run that built something, as NDJSON (docs/events.md). */
export function runEventsFile(paths: Pick<StatePaths, 'logs'>, run: string): string {
  return join(paths.logs, run, 'events.ndjson');
}

/** `--state`, else STX_MAKE_STATE, else XDG_STATE_HOME/stx-make, else ~/.local/state/stx-make. Empty
 * variables count as unset. Absolute unless `option` is relative. */
export function defaultStateRoot(option: string | undefined, env: NodeJS.ProcessEnv): string {
  const own = option || env['STX_MAKE_STATE'];
  if (own) return own;
  const xdg = env['XDG_STATE_HOME'];
  return join(xdg || join(env['HOME'] || homedir(), '.local', 'state'), 'stx-make');
}

/** A short stable name for a path, for sockets and shared-memory folders (unix socket paths end at 108
 * bytes). */
export function shortName(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 12);
}
