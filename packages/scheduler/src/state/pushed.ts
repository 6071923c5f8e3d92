/**
 * What remotes are known to have: records that need not be given again.
 *
 * A memory of ours, not the truth: what a remote lost since is noticed by whoever asks it.
 */
import type { Database } from './database.ts';

export interface Pushed {
  has(remote: string, fingerprint: string, manifest: string): boolean;
  add(remote: string, fingerprint: string, manifest: string): void;
  /** The remote does not have it, or not as it must be. */
  forget(remote: string, fingerprint: string): void;
}

export function openPushed(database: Database): Pushed {
  return {
    has: (remote, fingerprint, manifest) =>
      database.get(
        'SELECT 1 FROM pushed WHERE remote = ? AND fingerprint = ? AND manifest = ?',
        remote,
        fingerprint,
        manifest,
      ) !== undefined,
    add: (remote, fingerprint, manifest) =>
      database.run(
        'INSERT OR IGNORE INTO pushed (remote, fingerprint, manifest) VALUES (?, ?, ?)',
        remote,
        fingerprint,
        manifest,
      ),
    forget: (remote, fingerprint) =>
      database.run('DELETE FROM pushed WHERE remote = ? AND fingerprint = ?', remote, fingerprint),
  };
}
