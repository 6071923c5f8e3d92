/**
 * What builds took of their workers, out of a run's events: sums by target, and the course of each worker as the sum
 * over what ran there. Unaware of how it is drawn.
 */
import type { RunEvent } from '@stx-make/core/events';

export interface TargetUsage {
  /** ms of CPU in all. */
  readonly cpu: number;
  /** The most bytes seen. */
  readonly peak: number;
}

/** From `at` on, until the next one. */
export interface UsagePoint {
  /** ms since the run began. */
  readonly at: number;
  readonly cores: number;
  readonly memory: number;
}

/** A course has so many points at most: a run of days has a hundred times as many events. */
export const POINTS = 400;

interface Now {
  readonly worker: string;
  readonly cores: number;
  readonly memory: number;
}

export class Usages {
  /** By target, of its last attempt. */
  readonly targets = new Map<string, TargetUsage>();
  readonly #now = new Map<string, Now>();
  /** By worker's id. */
  readonly #courses = new Map<string, UsagePoint[]>();

  take(event: RunEvent): void {
    switch (event.type) {
      case 'usage': {
        const { target, worker, cores, memory, cpu, peak, at } = event;
        this.targets.set(target, { cpu, peak });
        this.#now.set(target, { worker, cores, memory });
        this.#note(worker, at);
        return;
      }
      case 'target-started':
        this.targets.delete(event.target);
        this.#end(event.target, event.at);
        return;
      case 'target-retry':
      case 'target-finished':
      case 'target-failed':
      case 'target-skipped':
        this.#end(event.target, event.at);
        return;
      case 'run-finished':
        for (const target of [...this.#now.keys()]) this.#end(target, event.at);
        return;
      default:
        // Everything else tells nothing of what is taken.
        return;
    }
  }

  /** A worker's course, empty where nothing is known. @param until its end, ms */
  course(worker: string, until: number): readonly UsagePoint[] {
    return thinned(this.#courses.get(worker) ?? [], until);
  }

  #end(target: string, at: number): void {
    const now = this.#now.get(target);
    if (now === undefined) return;
    this.#now.delete(target);
    this.#note(now.worker, at);
  }

  #note(worker: string, at: number): void {
    let cores = 0;
    let memory = 0;
    for (const now of this.#now.values()) {
      if (now.worker !== worker) continue;
      cores += now.cores;
      memory += now.memory;
    }
    const course = this.#courses.get(worker) ?? [];
    this.#courses.set(worker, course);
    course.push({ at, cores: Math.round(cores * 100) / 100, memory });
  }
}

/** At most POINTS of them, each the most there was in its part of the time: a peak must not get lost. */
function thinned(course: readonly UsagePoint[], until: number): readonly UsagePoint[] {
  if (course.length <= POINTS) return course;
  const width = Math.max(1, until / POINTS);
  const kept: UsagePoint[] = [];
  for (const point of course) {
    const at = Math.floor(point.at / width) * width;
    const last = kept.at(-1);
    if (last?.at !== at) kept.push({ ...point, at });
    else {
      const most = { cores: Math.max(last.cores, point.cores), memory: Math.max(last.memory, point.memory) };
      kept[kept.length - 1] = { at, ...most };
    }
  }
  return kept;
}
