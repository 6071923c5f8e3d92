/**
 * A recorded run as the data of a page: folds its events, asks for what lies elsewhere (earlier durations, logs).
 *
 * Every text from outside is made harmless here; the page shows text as text. Does not read files itself.
 */
import type { RunEvent } from '@stx-make/core/events';
import { byCodeUnit } from '@stx-make/core/order';
import { placeOf } from '../report/problems.ts';
import { failurePlace } from '../report/verdict.ts';
import { sanitizeLine, sanitizeText } from '../text/sanitize.ts';
import { emptyView, type RunView, type TargetView } from '../view/model.ts';
import { fold } from '../view/state.ts';
import { Attempts } from './attempts.ts';
import { longestChain } from './chain.ts';
import type { Bar, Hop, Outcome, PageFailure, PageRun, PageTarget, Saving } from './model.ts';
import { Usages } from './usage.ts';

/** The end of a log, as text. */
export interface LogEnd {
  readonly text: string;
  /** Bytes before it that are not in it. */
  readonly omitted: number;
}

/** What a page wants to know beside the events. */
export interface Beside {
  /** ms of a target's builds before the run, oldest first. */
  past(target: string): readonly number[];
  /** Null where the log is gone. */
  log(path: string): LogEnd | null;
}

/** Gathers a run, event by event. */
export class RunPage {
  readonly #view: RunView = emptyView();
  readonly #attempts = new Attempts();
  readonly #usages = new Usages();
  #started = '';

  take(event: RunEvent): void {
    if (event.type === 'run-started') this.#started = event.started;
    fold(this.#view, event);
    this.#attempts.take(event);
    this.#usages.take(event);
  }

  /** Call once, after the last event. */
  finish(beside: Beside): { readonly targets: readonly PageTarget[]; readonly run: PageRun } {
    this.#attempts.close(this.#view.at);
    const views = [...this.#view.targets.values()].sort((a, b) => byCodeUnit(a.name, b.name));
    const places = new Map(views.map(({ name }, place) => [name, place]));
    const targets = views.map(
      (view): PageTarget => ({
        name: sanitizeLine(view.name),
        stage: sanitizeLine(view.stage),
        dependencies: view.dependencies.flatMap((name) => places.get(name) ?? []),
        outcome: this.#outcome(view, beside),
      }),
    );
    const ids = [
      ...new Set([...this.#view.workers.keys(), ...this.#attempts.all.map(({ worker }) => worker)]),
    ];
    const bars = this.#attempts.all
      .flatMap(({ target, worker, ...rest }): Bar[] => {
        const place = places.get(target);
        return place === undefined ? [] : [{ target: place, worker: ids.indexOf(worker), ...rest }];
      })
      .sort((a, b) => a.start - b.start || a.worker - b.worker || a.lane - b.lane);
    const { id, ...head } = this.#head();
    const run: PageRun = {
      id,
      ...head,
      counts: countsOf(this.#view),
      workers: ids.map((worker, index) => {
        const info = this.#view.workers.get(worker)?.info;
        const lanes = bars.filter((bar) => bar.worker === index).map(({ lane }) => lane + 1);
        return {
          name: sanitizeLine(info?.name ?? worker),
          version: sanitizeLine(info?.version ?? ''),
          lanes: Math.max(0, ...lanes),
          usage: this.#usages.course(worker, this.#view.at),
        };
      }),
      bars,
      critical: criticalPath(targets, bars),
      savings: {
        cache: saving(targets, ({ state, planned }) => state === 'hit' && planned === 'hit'),
        cutoff: saving(targets, ({ state, planned }) => state === 'hit' && planned !== 'hit'),
      },
      failures: this.#view.failures.flatMap((name) => this.#failure(name, places, beside)),
      findings: this.#view.findings.map(({ target, text, before, now }) => ({
        target: sanitizeLine(target),
        text: sanitizeLine(text),
        before: sanitizeLine(before),
        now: sanitizeLine(now),
      })),
      warnings: this.#view.warnings.map((problem) => {
        const place = placeOf(problem);
        return sanitizeLine(`${place === '' ? '' : `${place}: `}${problem.text}`);
      }),
    };
    return { targets, run };
  }

  #head(): Pick<PageRun, 'id' | 'started' | 'root' | 'command' | 'duration' | 'end'> {
    const { run, root, command, at, end } = this.#view;
    return {
      id: sanitizeLine(run),
      started: sanitizeLine(this.#started),
      root: sanitizeLine(root),
      command: sanitizeLine(command),
      duration: end?.duration ?? at,
      end: end === null ? 'cut-off' : endWord(end),
    };
  }

  #outcome(view: TargetView, beside: Beside): Outcome {
    const built = view.state === 'built' || view.state === 'unchanged' || view.state === 'failed';
    return {
      state: view.state,
      planned: view.planned,
      duration: view.duration,
      expected: view.expected,
      past: built ? beside.past(view.name) : [],
      digest: view.digest === null ? null : sanitizeLine(view.digest),
      size: view.size,
      usage: this.#usages.targets.get(view.name) ?? null,
      reasons: view.reasons.map(({ text }) => sanitizeLine(text)),
      text: view.text === null ? null : sanitizeLine(view.text),
      steps: (this.#attempts.steps.get(view.name) ?? []).map(({ name, duration }) => ({
        name: sanitizeLine(name),
        duration,
      })),
    };
  }

  #failure(name: string, places: ReadonlyMap<string, number>, beside: Beside): PageFailure[] {
    const failure = this.#view.targets.get(name)?.failure ?? null;
    const target = places.get(name);
    if (failure === null || target === undefined) return [];
    const log = failure.logFile === null ? null : beside.log(failure.logFile);
    return [
      {
        target,
        kind: failure.kind,
        step: failure.step === null ? null : sanitizeLine(failure.step),
        exitCode: failure.exitCode,
        place: failurePlace(failure),
        cause: sanitizeLine(failure.cause),
        hint: failure.hint === undefined ? null : sanitizeLine(failure.hint),
        log: sanitizeText(log?.text ?? failure.tail.join('\n')),
        omitted: log?.omitted ?? 0,
        logFile: failure.logFile === null ? null : sanitizeLine(failure.logFile),
      },
    ];
  }
}

/** Of the view, so that a run that was cut off has counts, too. */
function countsOf({ targets, tally }: RunView): PageRun['counts'] {
  const { hit, built, unchanged, failed, skipped } = tally;
  return { targets: targets.size, hit, built, unchanged, failed, skipped };
}

function criticalPath(targets: readonly PageTarget[], bars: readonly Bar[]): Hop[] {
  /** A target's last attempt. */
  const last = new Map(bars.map((bar) => [bar.target, bar]));
  const took = (target: number): number => {
    const bar = last.get(target);
    return bar === undefined ? 0 : bar.end - bar.start;
  };
  let before = 0;
  return longestChain(targets, took).map((target) => {
    const bar = last.get(target);
    const wait = Math.max(0, (bar?.start ?? before) - before);
    before = bar?.end ?? before;
    return { target, duration: took(target), wait };
  });
}

function saving(targets: readonly PageTarget[], isSaved: (outcome: Outcome) => boolean): Saving {
  const saved = targets.flatMap(({ outcome }, place) =>
    outcome !== null && isSaved(outcome) ? [{ place, expected: outcome.expected }] : [],
  );
  saved.sort((a, b) => (b.expected ?? -1) - (a.expected ?? -1) || a.place - b.place);
  return {
    targets: saved.map(({ place }) => place),
    duration: saved.reduce((sum, { expected }) => sum + (expected ?? 0), 0),
    unknown: saved.filter(({ expected }) => expected === null).length,
  };
}

function endWord({ ok, interrupted, stopped, counts }: NonNullable<RunView['end']>): PageRun['end'] {
  if (interrupted) return 'interrupted';
  if (stopped === 'time' && counts.failed === 0) return 'time-up';
  return ok ? 'ok' : 'failed';
}
