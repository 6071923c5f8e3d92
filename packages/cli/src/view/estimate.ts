/**
 * How long a run will still take, from the view alone: the longest chain of what is left, all of it over the
 * places there are, and how much of that is guessed.
 *
 * Targets never built count as their stage's median, or as everybody's. A target that only waits and was built
 * before may turn out to be a hit (early cutoff): it counts in the upper bound alone.
 */
import type { RunView, TargetView } from './model.ts';

export interface Estimate {
  /** ms: if nothing that may be spared has to be built. */
  readonly low: number;
  /** ms: if everything has to be built, and what was never built takes twice what is guessed. */
  readonly high: number;
  /** The chain that decides, first what is next; names. */
  readonly path: readonly string[];
  /** Targets left whose time is a guess. */
  readonly guessed: number;
  /** ms that one of a stage takes that was never built: what the others took. */
  readonly guess: (stage: string) => number;
}

/** A build that has taken longer than expected is assumed to need a tenth of its time more. */
const OVERRUN = 0.1;

/** Null before there is a plan, or where nothing at all is known about times. */
export function estimate(view: RunView, now: number): Estimate | null {
  const left = [...view.targets.values()].filter(isLeft);
  if (left.length === 0) return null;
  const guess = medians(view);
  if (guess === null) return null;
  const places = [...view.workers.values()].reduce(
    (sum, { info, lost }) => sum + (lost === null ? info.jobs : 0),
    0,
  );
  const cost = (target: TargetView, bound: 'low' | 'high'): number => {
    // What was never built has no record to be a hit by.
    const spared = target.planned === 'waiting' && target.expected !== null;
    if (bound === 'low' && target.state === 'waiting' && spared) return 0;
    const known = target.expected ?? guess(target.stage) * (bound === 'high' ? 2 : 1);
    if (target.since === null || target.state !== 'running') return known;
    const spent = now - target.since;
    return Math.max(known - spent, spent * OVERRUN);
  };
  const low = longest(view, left, (target) => cost(target, 'low'));
  const high = longest(view, left, (target) => cost(target, 'high'));
  const share = Math.max(1, places);
  return {
    low: Math.max(low.length, low.sum / share),
    high: Math.max(high.length, high.sum / share),
    path: high.path,
    guessed: left.filter(({ expected }) => expected === null).length,
    guess,
  };
}

function isLeft(target: TargetView): boolean {
  if (target.state === 'running' || target.state === 'ready') return true;
  return target.state === 'waiting' && target.planned !== 'hit';
}

/** The median of what is known of a stage, else of all, from history and from this run. */
function medians(view: RunView): ((stage: string) => number) | null {
  const known = new Map<string, number[]>();
  const all: number[] = [];
  for (const target of view.targets.values()) {
    const time =
      target.expected ?? (target.duration > 0 && target.state !== 'failed' ? target.duration : null);
    if (time === null) continue;
    all.push(time);
    const list = known.get(target.stage);
    if (list === undefined) known.set(target.stage, [time]);
    else list.push(time);
  }
  if (all.length === 0) return null;
  const everybody = median(all);
  const byStage = new Map([...known].map(([stage, times]) => [stage, median(times)]));
  return (stage) => byStage.get(stage) ?? everybody;
}

function median(values: number[]): number {
  values.sort((a, b) => a - b);
  return values[values.length >> 1] ?? 0;
}

/** The longest chain through what is left. Iterative: chains may be thousands long. */
function longest(
  view: RunView,
  left: readonly TargetView[],
  cost: (target: TargetView) => number,
): { readonly length: number; readonly sum: number; readonly path: readonly string[] } {
  const names = new Set(left.map(({ name }) => name));
  /** Cost of the dearest chain that ends with the target, and what comes before it there. */
  const ends = new Map<string, { readonly length: number; readonly before: string | null }>();
  let best: string | null = null;
  let sum = 0;
  for (const root of left) {
    const open: TargetView[] = [root];
    for (let target = open.at(-1); target !== undefined; target = open.at(-1)) {
      const missing = target.dependencies.filter((name) => names.has(name) && !ends.has(name));
      if (missing.length > 0 && !ends.has(target.name)) {
        for (const name of missing) {
          const dependency = view.targets.get(name);
          if (dependency !== undefined) open.push(dependency);
        }
        continue;
      }
      open.pop();
      if (ends.has(target.name)) continue;
      let before: string | null = null;
      let length = 0;
      for (const name of target.dependencies) {
        const end = ends.get(name);
        if (end !== undefined && (before === null || end.length > length)) {
          before = name;
          length = end.length;
        }
      }
      const own = cost(target);
      sum += own;
      ends.set(target.name, { length: length + own, before });
      if (best === null || length + own > (ends.get(best)?.length ?? 0)) best = target.name;
    }
  }
  const path: string[] = [];
  for (let name = best; name !== null; name = ends.get(name)?.before ?? null) path.unshift(name);
  return { length: best === null ? 0 : (ends.get(best)?.length ?? 0), sum, path };
}
