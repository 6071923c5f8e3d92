/**
 * Which outputs each BuildKit took, so that builds can be given to one that need not be sent them.
 *
 * Only a guess for placement: its garbage collection tells nobody. Kept across runs by the daemon's own id, which goes with
 * its root folder; unaware of builds.
 */
import type { Database } from './database.ts';

/** What was not used for so long is taken for gone. BuildKit's own default keeps less. */
const KEPT_MS = 60 * 24 * 60 * 60 * 1_000;

/** So many news are written at once: one lost costs a transfer, one written an fsync. */
const BATCH = 64;

export class Holdings {
  readonly #database: Database;
  readonly #now: () => number;
  readonly #known = new Map<string, Set<string>>();
  readonly #news = new Map<string, Set<string>>();
  #count = 0;

  constructor(database: Database, now: () => number) {
    this.#database = database;
    this.#now = now;
  }

  /** Manifest digests of outputs that a worker has; grows as they are noted. */
  of(worker: string): ReadonlySet<string> {
    return this.#of(worker);
  }

  #of(worker: string): Set<string> {
    let known = this.#known.get(worker);
    if (known === undefined) {
      const sql = 'SELECT manifest FROM worker_has WHERE worker = ? AND seen > ?';
      const rows = this.#database.all<{ manifest: string }>(sql, worker, this.#now() - KEPT_MS);
      known = new Set(rows.map(({ manifest }) => manifest));
      this.#known.set(worker, known);
    }
    return known;
  }

  /** It took these. */
  note(worker: string, manifests: Iterable<string>): void {
    const known = this.#of(worker);
    const news = this.#news.get(worker) ?? new Set();
    this.#news.set(worker, news);
    for (const manifest of manifests) {
      known.add(manifest);
      news.add(manifest);
    }
    this.#count += 1;
    if (this.#count >= BATCH) this.flush();
  }

  /** Writes what was noted since the last time, and forgets what is old. */
  flush(): void {
    if (this.#count === 0) return;
    const now = this.#now();
    this.#database.transaction(() => {
      for (const [worker, manifests] of this.#news) {
        for (const manifest of manifests) {
          const sql = 'INSERT OR REPLACE INTO worker_has (worker, manifest, seen) VALUES (?, ?, ?)';
          this.#database.run(sql, worker, manifest, now);
        }
      }
      this.#database.run('DELETE FROM worker_has WHERE seen <= ?', now - KEPT_MS);
    });
    this.#news.clear();
    this.#count = 0;
  }
}
