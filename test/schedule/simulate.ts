/**
 * A run in numbers: workers that take the most urgent ready target, durations that are known only to the simulation.
 * And what no schedule can be faster than.
 *
 * Shares no code with packages/; knows targets as indexes, 0 to n - 1.
 */

export interface Jobs {
  readonly names: readonly string[];
  /** What each needs. */
  readonly needs: readonly (readonly number[])[];
}

/** Index of the most urgent of `ready`. */
export type Pick = (ready: readonly number[]) => number;

/** The one that became ready first. */
export const fifo: Pick = () => 0;

/** The one of highest urgency; of equal ones the one that became ready first. */
export function byUrgency(urgency: readonly number[]): Pick {
  return (ready) => {
    let best = 0;
    for (let at = 1; at < ready.length; at += 1) {
      if ((urgency[ready[at] ?? 0] ?? 0) > (urgency[ready[best] ?? 0] ?? 0)) best = at;
    }
    return best;
  };
}

/** When the last of them is done. No worker is idle while something is ready. */
export function makespan({ needs }: Jobs, durations: readonly number[], workers: number, pick: Pick): number {
  const open = needs.map((list) => list.length);
  const dependents = invert(needs);
  const ready = [...open.keys()].filter((job) => open[job] === 0);
  const running: { readonly job: number; readonly end: number }[] = [];
  let now = 0;
  for (;;) {
    while (running.length < workers && ready.length > 0) {
      const [job = 0] = ready.splice(pick(ready), 1);
      running.push({ job, end: now + (durations[job] ?? 0) });
    }
    if (running.length === 0) return now;
    now = Math.min(...running.map(({ end }) => end));
    for (let at = running.length - 1; at >= 0; at -= 1) {
      const done = running[at];
      if (done === undefined || done.end > now) continue;
      running.splice(at, 1);
      for (const dependent of dependents[done.job] ?? []) {
        open[dependent] = (open[dependent] ?? 0) - 1;
        if (open[dependent] === 0) ready.push(dependent);
      }
    }
  }
}

/** Job -> those that need it. */
export function invert(needs: Jobs['needs']): number[][] {
  const dependents: number[][] = needs.map(() => []);
  for (const [job, list] of needs.entries()) for (const needed of list) dependents[needed]?.push(job);
  return dependents;
}

/** Longest way of durations from the start of the run to the start of each job. */
function heads(needs: Jobs['needs'], durations: readonly number[]): number[] {
  const known: number[] = [];
  const headOf = (job: number): number => {
    let head = known[job];
    if (head === undefined) {
      head = Math.max(0, ...(needs[job] ?? []).map((needed) => headOf(needed) + (durations[needed] ?? 0)));
      known[job] = head;
    }
    return head;
  };
  return [...needs.keys()].map(headOf);
}

/** max(critical path, work / workers). */
export function simpleBound({ needs }: Jobs, durations: readonly number[], workers: number): number {
  const ends = heads(needs, durations).map((head, job) => head + (durations[job] ?? 0));
  return Math.max(...ends, durations.reduce((sum, each) => sum + each, 0) / workers);
}

/**
 * A sharper one: whatever can start only after `head` and has `tail` behind it must be done in between, by all workers
 * together. The largest of head + work / workers + tail over all pairs; the simple bound is two of them.
 */
export function windowBound({ needs }: Jobs, durations: readonly number[], workers: number): number {
  const before = heads(needs, durations);
  const after = heads(invert(needs), durations);
  const byTail = [...needs.keys()].sort((a, b) => (after[b] ?? 0) - (after[a] ?? 0));
  let bound = simpleBound({ names: [], needs }, durations, workers);
  for (const head of new Set(before)) {
    let work = 0;
    for (const job of byTail) {
      if ((before[job] ?? 0) < head) continue;
      work += durations[job] ?? 0;
      bound = Math.max(bound, head + work / workers + (after[job] ?? 0));
    }
  }
  return bound;
}
