/**
 * What runs did and how long targets took: for estimates, priorities and `history`.
 *
 * Nothing here decides whether something is built.
 */
import type { Database } from './database.ts';

export interface BuiltRow {
  readonly run: string;
  readonly target: string;
  readonly result: 'built' | 'unchanged' | 'failed';
  readonly fingerprint: string;
  readonly previous: string | null;
  readonly manifest: string | null;
  /** ms. */
  readonly duration: number;
  /** ms since the epoch. */
  readonly finished: number;
  readonly worker: string;
}

export interface RunRow {
  readonly id: string;
  readonly tree: string;
  readonly started: number;
  readonly finished: number | null;
  readonly ok: number | null;
  readonly command: string;
  readonly summary: string | null;
}

/** The median of the last ten builds is the estimate (as nix-output-monitor does). */
const ESTIMATE_FROM = 10;

export interface History {
  begin(run: string, tree: string, started: number, command: string): void;
  finish(run: string, finished: number, ok: boolean, summary: string): void;
  note(row: BuiltRow): void;
  /** target -> median duration in ms of its last ten successful builds. */
  estimates(): Map<string, number>;
  /** Newest first. @param tree only of this tree. */
  runs(limit: number, tree?: string): RunRow[];
  of(target: string, limit: number): BuiltRow[];
  inRun(run: string): BuiltRow[];
}

export function openHistory(database: Database): History {
  return {
    begin: (run, tree, started, command) =>
      database.run(
        'INSERT INTO run (id, tree, started, command) VALUES (?, ?, ?, ?)',
        run,
        tree,
        started,
        command,
      ),
    finish: (run, finished, ok, summary) =>
      database.run(
        'UPDATE run SET finished = ?, ok = ?, summary = ? WHERE id = ?',
        finished,
        ok ? 1 : 0,
        summary,
        run,
      ),
    note: (row) =>
      database.run(
        'INSERT OR REPLACE INTO built (run, target, result, fingerprint, previous, manifest, duration, finished, worker) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
        row.run,
        row.target,
        row.result,
        row.fingerprint,
        row.previous,
        row.manifest,
        row.duration,
        row.finished,
        row.worker,
      ),
    estimates: () => {
      const rows = database.all<{ target: string; duration: number }>(
        `SELECT target, duration FROM (
           SELECT target, duration, row_number() OVER (PARTITION BY target ORDER BY finished DESC) AS place
           FROM built WHERE result <> 'failed')
         WHERE place <= ${ESTIMATE_FROM} ORDER BY target, duration`,
      );
      const durations = new Map<string, number[]>();
      for (const row of rows) {
        const list = durations.get(row.target);
        if (list === undefined) durations.set(row.target, [row.duration]);
        else list.push(row.duration);
      }
      return new Map([...durations].map(([target, list]) => [target, list[list.length >> 1] ?? 0]));
    },
    runs: (limit, tree) =>
      tree === undefined
        ? database.all<RunRow>('SELECT * FROM run ORDER BY started DESC, id DESC LIMIT ?', limit)
        : database.all<RunRow>(
            'SELECT * FROM run WHERE tree = ? ORDER BY started DESC, id DESC LIMIT ?',
            tree,
            limit,
          ),
    of: (target, limit) =>
      database.all<BuiltRow>(
        'SELECT * FROM built WHERE target = ? ORDER BY finished DESC LIMIT ?',
        target,
        limit,
      ),
    inRun: (run) =>
      database.all<BuiltRow>('SELECT * FROM built WHERE run = ? ORDER BY finished, target', run),
  };
}
