/**
 * For tests: event streams of made-up runs, the same every time for the same options. Not part of the program.
 */
import type { Failure, RunCounts, RunEvent, TargetPlan } from '@stx-make/core/events';

export interface MadeRun {
  /** How many targets; they get the stages of StageX in its proportions. */
  readonly targets: number;
  readonly jobs: number;
  /** Targets that fail, by index. */
  readonly failing?: readonly number[];
  /** Every n-th target is a hit the plan knew; 0 for none. */
  readonly hitEvery?: number;
  readonly seed?: number;
  /** Text printed by builds and used in steps: to test what must not reach a terminal. */
  readonly noise?: string;
}

/** A linear congruential generator (Numerical Recipes): tests need the same stream, not good randomness. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export function stageOf(index: number, targets: number): string {
  const part = index / targets;
  if (part < 4 / 513) return 'bootstrap';
  if (part < 184 / 513) return 'core';
  return part < 204 / 513 ? 'pallet' : 'user';
}

const digest = (n: number): string => `sha256:${(n + 1).toString(16).padStart(4, '0').repeat(16)}`;

/** All events of a run, in order. Each target needs up to three earlier ones. */
export function madeRun(options: MadeRun): RunEvent[] {
  const next = random(options.seed ?? 1);
  const hit = (i: number): boolean => (options.hitEvery ?? 0) > 0 && i % (options.hitEvery ?? 1) === 0;
  const plans = makePlans(options, next, hit);
  const events: RunEvent[] = [
    {
      at: 0,
      type: 'run-started',
      schema: 1,
      run: '20261123-120000-1',
      started: '2026-11-23T12:00:00.000Z',
      root: '/tree',
      command: 'stx-make world',
      selection: [],
    },
    { at: 5, type: 'plan', targets: plans },
    {
      at: 20,
      type: 'workers',
      workers: [
        {
          id: 'w0',
          name: 'managed',
          address: 'unix:///run/b.sock',
          platforms: ['linux/amd64', 'linux/386'],
          jobs: options.jobs,
          version: 'v0.32.2',
        },
      ],
      notes: [],
    },
  ];
  const simulation = new Simulation(options, plans, next, events);
  simulation.run();
  return events;
}

function makePlans(options: MadeRun, next: () => number, hit: (i: number) => boolean): TargetPlan[] {
  const plans: TargetPlan[] = [];
  for (let i = 0; i < options.targets; i++) {
    const stage = stageOf(i, options.targets);
    const needed = new Set<string>();
    for (let k = 0; k < 3 && i > 0; k++) {
      const at = Math.max(0, i - 1 - Math.floor(next() * 12));
      const spoilt = isSpoilt(options, at) && options.failing?.includes(i - 1) !== true;
      const dependency = plans[spoilt ? 0 : at];
      if (dependency !== undefined) needed.add(dependency.name);
    }
    const dependencies = [...needed].sort();
    const waits = dependencies.some((name) =>
      plans.some((plan) => plan.name === name && plan.action !== 'hit'),
    );
    plans.push({
      name: `${stage}-target-${i}`,
      stage,
      action: hit(i) ? 'hit' : waits ? 'waiting' : 'build',
      reasons: hit(i) ? [] : [{ code: 'new', text: 'never built here' }],
      dependencies,
      expected: i % 5 === 0 ? null : Math.round(200 + next() * 8000),
    });
  }
  return plans;
}

/** A failing target, and the one after it: only the one after it may need the failing one, so that a failure
 * does not end nearly everything. */
function isSpoilt({ failing = [] }: MadeRun, index: number): boolean {
  return failing.includes(index) || failing.includes(index - 1);
}

class Simulation {
  readonly #options: MadeRun;
  readonly #plans: readonly TargetPlan[];
  readonly #next: () => number;
  readonly #events: RunEvent[];
  readonly #done = new Map<string, 'ok' | 'bad'>();
  readonly #counts = { targets: 0, hit: 0, built: 0, unchanged: 0, failed: 0, skipped: 0 };

  constructor(options: MadeRun, plans: readonly TargetPlan[], next: () => number, events: RunEvent[]) {
    this.#options = options;
    this.#plans = plans;
    this.#next = next;
    this.#events = events;
    this.#counts.targets = plans.length;
  }

  /** Jobs run to their end in the order of their ends; whatever is ready takes the free place. */
  run(): void {
    let now = 30;
    const waiting = new Map(this.#plans.map((plan, i) => [plan.name, { plan, i }]));
    const running: { end: number; finish: (at: number) => void }[] = [];
    for (;;) {
      for (const { plan, i } of [...waiting.values()]) {
        const states = plan.dependencies.map((name) => this.#done.get(name));
        if (states.includes('bad')) {
          waiting.delete(plan.name);
          this.#skip(plan, now);
        } else if (
          states.every((state) => state === 'ok') &&
          (plan.action === 'hit' || running.length < this.#options.jobs)
        ) {
          waiting.delete(plan.name);
          if (plan.action === 'hit') this.#finish(plan, i, 'hit', 0, now);
          else running.push(this.#start(plan, i, now));
        }
      }
      running.sort((a, b) => a.end - b.end);
      const first = running.shift();
      if (first === undefined && waiting.size === 0) break;
      if (first === undefined) continue;
      now = first.end;
      first.finish(now);
    }
    const counts: RunCounts = { ...this.#counts };
    this.#events.push({
      at: now + 1,
      type: 'run-finished',
      ok: counts.failed === 0,
      duration: now + 1,
      counts,
      interrupted: false,
      stopped: null,
    });
    this.#events.sort((a, b) => a.at - b.at);
  }

  #start(plan: TargetPlan, i: number, at: number): { end: number; finish: (at: number) => void } {
    const took = Math.round((plan.expected ?? 3000) * (0.7 + this.#next() * 0.6));
    const steps = 2 + Math.floor(this.#next() * 4);
    const target = plan.name;
    this.#events.push({ at, type: 'target-ready', target });
    this.#events.push({
      at,
      type: 'target-started',
      target,
      worker: 'w0',
      attempt: 1,
      reasons: plan.reasons,
      logFile: `/state/logs/run/${target}.log`,
    });
    for (let k = 0; k < steps; k++) {
      const begin = at + Math.floor((took * k) / steps);
      const end = at + Math.floor((took * (k + 1)) / steps);
      const step = `${target}-${k}`;
      const name = `[build ${k + 1}/${steps}] RUN make ${this.#options.noise ?? ''} step ${k}`;
      this.#events.push({ at: begin, type: 'step-started', target, step, name });
      this.#events.push({ at: end, type: 'step-finished', target, step, cached: false, error: null });
    }
    const usage = { cpu: took * 2, peak: 4096 * (i + 1) };
    const now = { cores: (i % 40) / 10, memory: 4096 * i };
    this.#events.push({ at: at + (took >> 1), type: 'usage', target, worker: 'w0', ...now, ...usage });
    return {
      end: at + took,
      finish: (end) => {
        if (this.#options.failing?.includes(i) === true) this.#fail(plan, took, end);
        else this.#finish(plan, i, i % 7 === 3 ? 'unchanged' : 'built', took, end);
      },
    };
  }

  #finish(
    plan: TargetPlan,
    i: number,
    result: 'hit' | 'built' | 'unchanged',
    duration: number,
    at: number,
  ): void {
    this.#done.set(plan.name, 'ok');
    this.#counts[result]++;
    this.#events.push({
      at,
      type: 'target-finished',
      target: plan.name,
      result,
      digest: digest(i),
      origin: 'built',
      duration,
      size: 1000 + i * 4321,
      reasons: plan.reasons,
    });
  }

  #fail(plan: TargetPlan, duration: number, at: number): void {
    const noise = this.#options.noise ?? '';
    const failure: Failure = {
      kind: 'build',
      step: `[build 2/3] RUN make ${noise}`,
      exitCode: 2,
      file: `packages/${plan.stage}/x/Containerfile`,
      line: 12,
      cause: `make: *** [all] Error 2 ${noise}`,
      tail: ['cc -c a.c', `a.c:3: error: expected ; ${noise}`, 'make: *** [all] Error 2'],
      logFile: `/state/logs/run/${plan.name}.log`,
    };
    this.#done.set(plan.name, 'bad');
    this.#counts.failed++;
    this.#events.push({
      at,
      type: 'target-failed',
      target: plan.name,
      duration,
      failure,
      reasons: plan.reasons,
    });
  }

  #skip(plan: TargetPlan, at: number): void {
    this.#done.set(plan.name, 'bad');
    this.#counts.skipped++;
    const because = plan.dependencies.filter((name) => this.#done.get(name) === 'bad').slice(0, 1);
    this.#events.push({
      at,
      type: 'target-skipped',
      target: plan.name,
      because,
      text: `needs ${because.join(', which needs ')}, which failed`,
    });
  }
}
