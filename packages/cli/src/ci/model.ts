/**
 * What a written workflow is made of, whichever CI system it is for. Types and names only.
 */

export const SYSTEMS = ['github', 'forgejo', 'gitlab'] as const;
export type System = (typeof SYSTEMS)[number];

/** Most jobs that one matrix may have there. */
export const MOST_JOBS: Readonly<Record<System, number>> = { github: 256, forgejo: 256, gitlab: 200 };

export interface WorkflowOptions {
  readonly system: System;
  readonly shards: number;
  /** What a step calls: `./run` in a clone of stx-make, else an installed command. */
  readonly command: string;
  /** Shell lines that make the command available; null where the machine has it, or the repository. */
  readonly install: string | null;
  /** `HOST/PATH`; null: the CI system's own registry, under the repository's name. */
  readonly remote: string | null;
  /** The tree's folder in the repository; empty where it is the repository. */
  readonly tree: string;
  readonly cron: string;
  /** As `--for` takes it, and in ms. */
  readonly time: string;
  readonly timeMs: number;
  /** The machines' label; null: the system's usual one. */
  readonly runsOn: string | null;
  /** The command line that writes the same again, for the file's head. */
  readonly line: string;
}

export interface WorkflowFile {
  /** In the repository. */
  readonly path: string;
  readonly text: string;
}

/** Where runs keep their state: in the checkout, not hidden (artifacts leave hidden files out), the same path in every
 * job, so that caches fit. */
export const STATE = 'stx-make-state';

/** What is left in the folder of a job for people, beside the logs. */
export const EVENTS = 'events.ndjson';
export const REPORT = 'report.html';

/** What a CI job may take beside its builds: checkout, set-up, the last pushes. */
const AROUND_MS = 20 * 60_000;
const MOST_GRACE_MS = 30 * 60_000;

/** The job's own limit, in minutes: never before stx-make has ended by itself. */
export function jobMinutes(timeMs: number): number {
  return Math.ceil((timeMs + Math.min(timeMs * 0.1, MOST_GRACE_MS) + AROUND_MS) / 60_000);
}

/** `fetch` in the tree, as a path in the repository. */
export function inTree(tree: string, name: string): string {
  return tree === '' ? name : `${tree}/${name}`;
}
