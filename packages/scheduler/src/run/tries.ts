/**
 * How often each target was tried and edited, what may be tried again, one try as views see
 * it begin and end well, and work beside tries.
 */
import type { Reason } from '@stx-make/core/events';
import type { Output } from '@stx-make/core/oci/model';
import type { Fingerprint } from '../plan/inputs.ts';
import type { Attempt, AttemptResult, Emit, Recorded, RunPorts } from './ports.ts';

type Retry = Extract<AttemptResult, { status: 'failed' }>['retry'];

/** Tries of one target, over all workers. BuildKit's passing faults are worth one retry (BUILDKIT.md 7). */
const MAX_ATTEMPTS = 3;

/** Tries that ended with the worker's end are no fault of the target, but one that ends every worker must not go on. */
const MAX_LOSSES = 5;

/** How often a target may be edited under our hands before it is left for the next run. */
const MAX_EDITS = 20;

/** A build that is to be made: what for, and the how-manieth try it is. */
export interface Job {
  readonly name: string;
  readonly fingerprint: Fingerprint;
  readonly reasons: readonly Reason[];
  /** From 1. */
  readonly number: number;
  /** So many tries ended because the worker was lost. */
  readonly losses: number;
  /** Workers that failed it. */
  readonly avoid: ReadonlySet<string>;
}

export class Tries {
  readonly #last = new Map<string, number>();
  /** The number of the try before the first one that counts: a retry asked for begins anew. */
  readonly #before = new Map<string, number>();
  readonly #edits = new Map<string, number>();

  /** The next first try. */
  first(name: string): Pick<Job, 'number' | 'losses' | 'avoid'> {
    return { number: (this.#before.get(name) ?? 0) + 1, losses: 0, avoid: new Set() };
  }

  /** The try after one that failed on this worker. */
  next(job: Job, retry: Retry, worker: string): Job {
    const lost = retry === 'elsewhere';
    return {
      ...job,
      number: job.number + 1,
      losses: job.losses + (lost ? 1 : 0),
      avoid: new Set(lost ? [worker] : []),
    };
  }

  begin({ name, number }: Job): void {
    this.#last.set(name, number);
  }

  mayRepeat({ name, number, losses }: Job, retry: Retry): boolean {
    switch (retry) {
      case 'no':
        return false;
      case 'elsewhere':
        return losses < MAX_LOSSES;
      case 'here':
        return number - losses - (this.#before.get(name) ?? 0) < MAX_ATTEMPTS;
    }
  }

  /** Forgets the tries so far. @returns the number of the next one */
  anew(name: string): number {
    const last = this.#last.get(name) ?? 0;
    this.#before.set(name, last);
    return last + 1;
  }

  /** Takes down an edit during a build. @returns how many there were, and whether that is too many */
  edited(name: string): { readonly edits: number; readonly tooMany: boolean } {
    const edits = (this.#edits.get(name) ?? 0) + 1;
    this.#edits.set(name, edits);
    return { edits, tooMany: edits > MAX_EDITS };
  }
}

/** An attempt whose beginning, steps and usage the views are told. */
export function announced(
  attempt: Omit<Attempt, 'onStep' | 'onUsage'>,
  reasons: readonly Reason[],
  emit: Emit,
): Attempt {
  const { worker, number, logFile } = attempt;
  const target = attempt.target.name;
  emit({ type: 'target-started', target, worker, attempt: number, reasons, logFile });
  return {
    ...attempt,
    onStep: (step) =>
      emit(
        step.type === 'started'
          ? { type: 'step-started', target, step: step.id, name: step.name }
          : { type: 'step-finished', target, step: step.id, cached: step.cached, error: step.error },
      ),
    onUsage: (usage) => emit({ type: 'usage', target, worker, ...usage }),
  };
}

/** Records what was built and shows it. */
export async function keepOutput(
  ports: Pick<RunPorts, 'record' | 'publish'>,
  emit: Emit,
  attempt: Attempt,
  output: Output,
  duration: number,
): Promise<Recorded> {
  const recorded = await ports.record(attempt, output, duration);
  if (recorded.finding !== null) emit({ type: 'finding', target: attempt.target.name, ...recorded.finding });
  await ports.publish(attempt.target, recorded, attempt.fingerprint.digest);
  return recorded;
}

/** Work under way outside the queue, so that a run does not end before it. */
export class LooseWork {
  readonly #under = new Set<Promise<void>>();
  readonly #named = new Map<string, Promise<void>>();

  /** `name`: under which others may wait for it. */
  track(work: Promise<void> | undefined, name?: string): void {
    if (work === undefined) return;
    this.#under.add(work);
    if (name !== undefined) this.#named.set(name, work);
    void work.finally(() => {
      this.#under.delete(work);
      if (name !== undefined && this.#named.get(name) === work) this.#named.delete(name);
    });
  }

  /** Resolves when the work of that name, if there is any, has ended. */
  async ended(name: string): Promise<void> {
    await this.#named.get(name);
  }

  async settled(): Promise<void> {
    await Promise.allSettled(this.#under);
  }
}
