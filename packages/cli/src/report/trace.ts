/**
 * A run as a trace for Chrome-style viewers (Perfetto, chrome://tracing): one process per worker, one lane per
 * place on it, a bar per build; steps as asynchronous events under their target; counters of CPU and memory where
 * they are known; instants for failures.
 *
 * Format: the JSON array form of the Trace Event Format (complete X, async b/e, counter C, instant i, metadata M events;
 * times in microseconds).
 */
import { writeFileSync } from 'node:fs';
import type { RunEvent } from '@stx-make/core/events';
import { sanitizeLine } from '../text/sanitize.ts';
import { unwritable } from './record.ts';
import type { Reporter } from './reporter.ts';

type TraceEvent = Readonly<Record<string, unknown>>;

interface Bar {
  readonly worker: number;
  readonly lane: number;
  readonly since: number;
  readonly steps: Map<string, string>;
  usage: { readonly cores: number; readonly memory: number } | null;
}

/** Collects a run's trace. Pure but for its own state. */
export class Trace {
  readonly events: TraceEvent[] = [];
  /** Worker id -> process number, in the order seen. */
  readonly #workers = new Map<string, number>();
  /** Which lanes of a worker are taken. */
  readonly #lanes = new Map<number, Set<number>>();
  /** How many lanes of a worker have a name; they are taken in order. */
  readonly #names = new Map<number, number>();
  readonly #bars = new Map<string, Bar>();

  take(event: RunEvent): void {
    switch (event.type) {
      case 'workers':
        for (const { id, name } of event.workers) this.#worker(id, name);
        return;
      case 'target-started':
        this.#begin(event.target, event.worker, event.at);
        return;
      case 'step-started':
        this.#step('b', event.target, event.step, event.name, event.at);
        return;
      case 'step-finished':
        this.#step('e', event.target, event.step, null, event.at);
        return;
      case 'usage':
        this.#usage(event);
        return;
      case 'target-retry':
        this.#end(event.target, 'retry', event.at, { text: sanitizeLine(event.text) });
        return;
      case 'target-finished':
        this.#end(event.target, event.result, event.at, { digest: event.digest, bytes: event.size });
        return;
      case 'target-failed':
        this.#end(event.target, 'failed', event.at, { cause: sanitizeLine(event.failure.cause) });
        this.events.push({
          ph: 'i',
          s: 'g',
          name: `${event.target} failed`,
          ts: event.at * 1000,
          pid: 0,
          tid: 0,
        });
        return;
      case 'target-skipped':
        this.#end(event.target, 'skipped', event.at, {});
        return;
      case 'run-finished':
        for (const target of [...this.#bars.keys()]) this.#end(target, 'unfinished', event.at, {});
        return;
      case 'run-started':
      case 'plan':
      case 'worker-lost':
      case 'worker-back':
      case 'activity':
      case 'source-progress':
      case 'target-ready':
      case 'target-waiting':
      case 'paused':
      case 'resumed':
      case 'finding':
      case 'warning':
      case 'stopping':
        return;
      default:
        event satisfies never;
    }
  }

  #worker(id: string, name: string): number {
    const known = this.#workers.get(id);
    if (known !== undefined) return known;
    const pid = this.#workers.size + 1;
    this.#workers.set(id, pid);
    this.events.push({ ph: 'M', name: 'process_name', pid, tid: 0, args: { name: sanitizeLine(name) } });
    return pid;
  }

  #begin(target: string, worker: string, at: number): void {
    const pid = this.#worker(worker, worker);
    const taken = this.#lanes.get(pid) ?? new Set();
    this.#lanes.set(pid, taken);
    let lane = 1;
    while (taken.has(lane)) lane++;
    taken.add(lane);
    this.#named(pid, lane);
    this.#bars.set(target, { worker: pid, lane, since: at, steps: new Map(), usage: null });
  }

  /** Gives a lane a name, once: viewers would call it a thread. */
  #named(pid: number, lane: number): void {
    const known = this.#names.get(pid) ?? 0;
    if (lane <= known) return;
    this.#names.set(pid, lane);
    this.events.push({ ph: 'M', name: 'thread_name', pid, tid: lane, args: { name: `place ${lane}` } });
  }

  #step(ph: 'b' | 'e', target: string, step: string, name: string | null, at: number): void {
    const bar = this.#bars.get(target);
    const label = name === null ? bar?.steps.get(step) : sanitizeLine(name);
    if (bar === undefined || label === undefined) return;
    if (ph === 'b') {
      if (bar.steps.has(step)) return;
      bar.steps.set(step, label);
    } else bar.steps.delete(step);
    this.events.push({
      ph,
      cat: 'step',
      id: `${target} ${step}`,
      name: label,
      ts: at * 1000,
      pid: bar.worker,
      tid: bar.lane,
    });
  }

  /** Counters of a worker are the sums over what runs there. */
  #usage({ target, at, cores, memory }: Extract<RunEvent, { type: 'usage' }>): void {
    const bar = this.#bars.get(target);
    if (bar === undefined) return;
    bar.usage = { cores, memory };
    this.#count(bar.worker, at);
  }

  #count(pid: number, at: number): void {
    const sum = { cores: 0, memory: 0 };
    for (const { worker, usage } of this.#bars.values()) {
      if (worker !== pid) continue;
      sum.cores += usage?.cores ?? 0;
      sum.memory += usage?.memory ?? 0;
    }
    const counter = { ph: 'C', ts: at * 1000, pid, tid: 0 };
    this.events.push({ ...counter, name: 'CPU', args: { cores: Math.round(sum.cores * 100) / 100 } });
    this.events.push({ ...counter, name: 'memory', args: { bytes: sum.memory } });
  }

  #end(target: string, result: string, at: number, args: Record<string, unknown>): void {
    const bar = this.#bars.get(target);
    if (bar === undefined) return;
    for (const step of [...bar.steps.keys()]) this.#step('e', target, step, null, at);
    this.#bars.delete(target);
    if (bar.usage !== null) this.#count(bar.worker, at);
    this.#lanes.get(bar.worker)?.delete(bar.lane);
    this.events.push({
      ph: 'X',
      cat: 'target',
      name: target,
      ts: bar.since * 1000,
      dur: (at - bar.since) * 1000,
      pid: bar.worker,
      tid: bar.lane,
      args: { result, ...args },
    });
  }
}

/** Writes the trace when the run is over, however it ended. @param warn told where it can not be written */
export function tracer(path: string, warn: (text: string) => void): Reporter {
  const trace = new Trace();
  return {
    sink: (event) => trace.take(event),
    close: () => {
      try {
        writeFileSync(path, JSON.stringify(trace.events));
      } catch (error) {
        warn(unwritable(path, error).text);
      }
      return Promise.resolve();
    },
  };
}
