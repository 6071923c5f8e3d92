/**
 * What running builds take of this machine: CPU and memory, read from the control groups of BuildKit's steps.
 *
 * A step's group is named by a random id. What ties it to a build is the trace that the build was begun under: buildctl
 * hands it on, and BuildKit puts it into every step's environment (TRACEPARENT, which it sets anyway). So this needs no
 * option of BuildKit's, which would be part of its cache keys, and holds for every daemon whose steps are on this
 * machine and may be looked at. Elsewhere nothing is found, and nothing is said. A step that two builds share counts
 * for the one that began it; what ends between two looks is not seen.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the steps of one build take. */
export interface BuildUsage {
  /** CPUs in use since the last look, e.g. 3.75. */
  readonly cores: number;
  /** Bytes held now, without what the kernel could drop at once (page cache). */
  readonly memory: number;
  /** ms of CPU so far. */
  readonly cpu: number;
  /** The most bytes seen. */
  readonly peak: number;
}

/** Where a kernel keeps the figures of a group; two layouts. */
export interface CgroupFiles {
  /** Folders of steps. */
  readonly parents: readonly string[];
  readonly cpu: (step: string) => number | null;
  readonly memory: (step: string) => number | null;
  readonly processes: (step: string) => readonly string[];
}

export interface UsageOptions {
  readonly files: CgroupFiles;
  /** A process's environment, null where it may not be read. */
  readonly environment: (pid: string) => string | null;
  /** Monotonic ms. */
  readonly clock: () => number;
  /** Calls back every so many ms; @returns how to end it. */
  readonly every: (ms: number, callback: () => void) => () => void;
}

/** How often is looked, ms. */
export const LOOK_MS = 2_000;
/** Changes below this are not worth an event: of CPUs, of memory as a part, and bytes. */
const CORES = 0.1;
const PART = 0.1;
/** CPUs below which a build does nothing. */
const IDLE = 0.05;
const BYTES = 1024 * 1024;
const NONE: BuildUsage = { cores: 0, memory: 0, cpu: 0, peak: 0 };

interface Watched {
  readonly tell: (usage: BuildUsage) => void;
  /** Group of a running step -> ms of CPU at the last look. */
  readonly steps: Map<string, number>;
  now: BuildUsage;
  said: BuildUsage | null;
}

export class StepUsage {
  readonly #options: UsageOptions;
  /** By trace id. */
  readonly #watched = new Map<string, Watched>();
  /** Group -> trace id, of steps whose build is known. */
  readonly #known = new Map<string, string>();
  #looked = 0;
  #end: (() => void) | null = null;

  constructor(options: UsageOptions) {
    this.#options = options;
  }

  /** Begins to look after a build that is about to be started under `trace`. @returns how to end it: then what there is
   * to say is said once more */
  watch(trace: string, tell: (usage: BuildUsage) => void): () => void {
    const watched: Watched = { tell, steps: new Map(), now: NONE, said: null };
    this.#watched.set(trace, watched);
    if (this.#end === null) {
      this.#looked = this.#options.clock();
      this.#end = this.#options.every(LOOK_MS, () => this.look());
    }
    return () => {
      this.#watched.delete(trace);
      const { now, said } = watched;
      if (said !== null && (now.cpu !== said.cpu || now.peak !== said.peak)) {
        tell({ ...now, cores: 0, memory: 0 });
      }
      if (this.#watched.size > 0) return;
      this.#end?.();
      this.#end = null;
      this.#known.clear();
    };
  }

  /** One look at all groups. */
  look(): void {
    const { files, clock } = this.#options;
    const took = Math.max(1, clock() - this.#looked);
    this.#looked = clock();
    const sums = new Map<string, { spent: number; memory: number }>();
    const seen = new Set<string>();
    for (const step of files.parents.flatMap(folders)) {
      const trace = this.#traceOf(step);
      const watched = trace === null ? undefined : this.#watched.get(trace);
      const cpu = files.cpu(step);
      if (trace === null || watched === undefined || cpu === null) continue;
      seen.add(step);
      const sum = sums.get(trace) ?? { spent: 0, memory: 0 };
      // What a step took before it was first seen counts as taken since the last look.
      sum.spent += Math.max(0, cpu - (watched.steps.get(step) ?? 0));
      sum.memory += files.memory(step) ?? 0;
      sums.set(trace, sum);
      watched.steps.set(step, cpu);
    }
    for (const step of this.#known.keys()) if (!seen.has(step)) this.#known.delete(step);
    for (const [trace, watched] of this.#watched) {
      for (const step of watched.steps.keys()) if (!seen.has(step)) watched.steps.delete(step);
      const sum = sums.get(trace);
      if (sum === undefined && watched.said === null) continue;
      const { spent, memory } = sum ?? { spent: 0, memory: 0 };
      watched.now = {
        cores: Math.round((100 * spent) / took) / 100,
        memory,
        cpu: Math.round(watched.now.cpu + spent),
        peak: Math.max(watched.now.peak, memory),
      };
      if (watched.said !== null && !isNews(watched.said, watched.now)) continue;
      watched.said = watched.now;
      watched.tell(watched.now);
    }
  }

  /** Null while none of its processes is known to be of a build: a step that is just being set up. */
  #traceOf(step: string): string | null {
    const known = this.#known.get(step);
    if (known !== undefined) return known;
    for (const pid of this.#options.files.processes(step)) {
      const trace = /(?:^|\0)TRACEPARENT=[0-9a-f]{2}-([0-9a-f]{32})-/.exec(
        this.#options.environment(pid) ?? '',
      )?.[1];
      if (trace === undefined) continue;
      this.#known.set(step, trace);
      return trace;
    }
    return null;
  }
}

function isNews(said: BuildUsage, now: BuildUsage): boolean {
  const cores = Math.abs(now.cores - said.cores);
  const memory = Math.abs(now.memory - said.memory);
  // Whether it does anything at all is news in itself.
  const woke = now.cores < IDLE !== said.cores < IDLE;
  const moreOrLess = cores >= CORES && cores >= PART * said.cores;
  return woke || moreOrLess || (memory >= BYTES && memory >= PART * said.memory);
}

/** A trace for one build; the caller's own, so that its steps are known again. */
export function newTrace(): { readonly id: string; readonly parent: string } {
  const id = randomBytes(16).toString('hex');
  // W3C Trace Context: version, trace, parent span, sampled, as buildctl's own are.
  return { id, parent: `00-${id}-${randomBytes(8).toString('hex')}-01` };
}

/**
 * The groups below `mount` of a daemon whose steps' parent is one of `parents`.
 * @returns null where there is no hierarchy that has figures
 */
export function cgroupFiles(mount: string, parents: readonly string[]): CgroupFiles | null {
  const below = (hierarchy: string): string[] => parents.map((parent) => join(mount, hierarchy, parent));
  if (text(join(mount, 'cgroup.controllers')) !== null) {
    return {
      parents: below(''),
      cpu: (step) => scaled(field(join(step, 'cpu.stat'), 'usage_usec'), 1e-3),
      memory: (step) => sum(join(step, 'memory.stat'), ['anon', 'shmem']),
      processes: (step) => lines(join(step, 'cgroup.procs')),
    };
  }
  // Version 1: CPU and memory may be mounted apart; a step has the same path in each.
  const [cpu] = ['cpuacct', 'cpu,cpuacct'].filter(
    (name) => text(join(mount, name, 'cpuacct.usage')) !== null,
  );
  if (cpu === undefined) return null;
  const inMemory = (step: string): string => join(mount, 'memory', step.slice(join(mount, cpu).length + 1));
  return {
    parents: below(cpu),
    cpu: (step) => scaled(Number(text(join(step, 'cpuacct.usage')) ?? Number.NaN), 1e-6),
    memory: (step) => sum(join(inMemory(step), 'memory.stat'), ['total_rss', 'total_shmem']),
    processes: (step) => lines(join(step, 'cgroup.procs')),
  };
}

/** The real ones of this machine. */
export function systemUsage(parents: readonly string[]): StepUsage | null {
  const files = cgroupFiles('/sys/fs/cgroup', parents);
  if (files === null) return null;
  return new StepUsage({
    files,
    environment: (pid) => text(`/proc/${pid}/environ`),
    clock: () => performance.now(),
    every: (ms, callback) => {
      const timer = setInterval(callback, ms);
      timer.unref();
      return () => clearInterval(timer);
    },
  });
}

/** Everything here may be gone by the time it is read. */
function text(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return null;
  }
}

function lines(path: string): string[] {
  return (text(path) ?? '').split('\n').filter((line) => line !== '');
}

function folders(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(path, entry.name));
  } catch {
    return [];
  }
}

function field(path: string, name: string): number {
  const line = lines(path).find((candidate) => candidate.startsWith(`${name} `));
  return line === undefined ? Number.NaN : Number(line.slice(name.length + 1));
}

function sum(path: string, names: readonly string[]): number | null {
  const values = names.map((name) => field(path, name)).filter((value) => !Number.isNaN(value));
  return values.length === 0 ? null : values.reduce((total, value) => total + value, 0);
}

function scaled(value: number, by: number): number | null {
  return Number.isNaN(value) ? null : value * by;
}
