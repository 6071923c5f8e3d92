/**
 * A run as lines, for logs, CI and screen readers: one line per event worth reading, a failed build's last
 * output as one block, a heartbeat when nothing was said for long, and the summary. Nothing is ever rewritten.
 *
 * Lives from events alone; the clock only times the heartbeat.
 */
import type { RunEvent } from '@stx-make/core/events';
import { bytes, count, elapsed, usageText } from '../text/format.ts';
import type { Paint } from '../text/paint.ts';
import { sanitizeLine } from '../text/sanitize.ts';
import { stepText } from '../text/step.ts';
import { doneCount, emptyView, type RunView } from '../view/model.ts';
import { fold } from '../view/state.ts';
import { suspicion } from '../view/suspicion.ts';
import type { Ci } from './ci.ts';
import { formatProblems } from './problems.ts';
import type { Reporter } from './reporter.ts';
import { summaryLines } from './summary.ts';
import { failureBlock, stoppingText, verdictOf } from './verdict.ts';

/** Silence after which a line says what runs, ms: CI systems end jobs that are silent for minutes. */
export const HEARTBEAT_MS = 30_000;
/** Running builds named in a heartbeat. */
const NAMED = 6;

export interface PlainOptions {
  readonly write: (text: string) => void;
  readonly paint: Paint;
  /** Starts a timer that calls back every `ms`; @returns how to end it. */
  readonly every: (ms: number, callback: () => void) => () => void;
  /** Monotonic ms. */
  readonly clock: () => number;
  /** Failures and the summary only. */
  readonly quiet: boolean;
  /** A CI system that reads groups and annotations out of the lines; null for none. */
  readonly ci: Ci | null;
}

export function plainReporter(options: PlainOptions): Reporter {
  const view = emptyView();
  const { ci, clock, paint, quiet } = options;
  let lastLine = clock();
  /** Clock minus run time, to say how long things take between events. */
  let offset = clock();
  /** The header is said with the first other line: a run with nothing to do is one line. */
  let header: readonly string[] = [];
  const say = (lines: readonly string[]): void => {
    if (lines.length === 0) return;
    lastLine = clock();
    options.write(`${[...header, ...lines].join('\n')}\n`);
    header = [];
  };
  /** `target attempt` of builds that were called slow. */
  const warned = new Set<string>();
  const endTimer = quiet
    ? () => {}
    : options.every(HEARTBEAT_MS / 6, () => {
        say(slowLines(view, clock() - offset, warned).map((line) => paint('warn', line)));
        if (clock() - lastLine >= HEARTBEAT_MS) say(heartbeat(view, clock() - offset));
      });
  const neutral = (lines: string[]): string[] => (ci === null ? lines : lines.map(ci.neutral));
  const end = (): void => {
    if (view.end?.ok === true && view.tally.hit === view.targets.size) header = [];
    say(neutral(summaryLines(view, paint)));
    ci?.summary(view);
  };
  return {
    sink: (event) => {
      if (event.type === 'run-started') offset = clock() - event.at;
      fold(view, event);
      if (event.type === 'run-finished') end();
      else if (event.type === 'run-started' && !quiet) header = eventLines(view, event, paint);
      else if (event.type === 'target-failed' && !quiet && ci !== null) {
        say(ci.failure(event.target, event.failure, event.duration, view.root));
      } else if (!quiet) say(neutral(eventLines(view, event, paint)));
      else if (event.type === 'warning') say([formatProblems([event.problem], paint)]);
    },
    close: () => {
      endTimer();
      return Promise.resolve();
    },
  };
}

/** The lines for one event, after it was folded in; none for what nobody wants to read. */
export function eventLines(view: RunView, event: RunEvent, paint: Paint): string[] {
  switch (event.type) {
    case 'run-started':
      return [`${sanitizeLine(event.command)}: ${sanitizeLine(event.root)} (run ${event.run})`];
    case 'plan':
      return planLine(view);
    case 'workers':
      return [
        ...event.workers.map(
          (worker) =>
            `worker ${sanitizeLine(worker.name)}: BuildKit ${sanitizeLine(worker.version)}, ` +
            `${count(worker.jobs, 'job')}, ${worker.platforms.map(sanitizeLine).join(' ')}`,
        ),
        ...event.notes.map((note) => paint('warn', `note: ${sanitizeLine(note)}`)),
      ];
    case 'worker-lost':
      return [paint('warn', `worker ${workerName(view, event.worker)} lost: ${sanitizeLine(event.text)}`)];
    case 'worker-back':
      return [`worker ${workerName(view, event.worker)} is back`];
    case 'activity':
      return event.done ? [] : [paint('quiet', `${sanitizeLine(event.text)}`)];
    case 'source-progress':
      return event.done
        ? [`${place(view)}${event.target} fetched ${sanitizeLine(event.file)} (${bytes(event.received)})`]
        : [];
    case 'target-started': {
      const retry = event.attempt > 1 ? `, attempt ${event.attempt}` : '';
      const where = view.workers.size > 1 ? ` on ${workerName(view, event.worker)}` : '';
      const why = event.reasons.map(({ text }) => sanitizeLine(text)).join('; ');
      return [`${place(view)}${event.target} started${where}${retry}${why === '' ? '' : `: ${why}`}`];
    }
    case 'target-retry':
      return [paint('warn', `${event.target}: trying again (${event.attempt}): ${sanitizeLine(event.text)}`)];
    case 'target-finished': {
      const target = view.targets.get(event.target);
      if (target === undefined || (event.result === 'hit' && target.planned === 'hit')) return [];
      const { word, tone, facts } = verdictOf(target);
      return [`${place(view)}${event.target} ${paint(tone, word)} ${facts}`];
    }
    case 'target-failed': {
      const block = failureBlock(event.target, event.failure, event.duration);
      return [`${place(view)}${paint('bad', block.head)}`, ...block.lines.map((line) => `  ${line}`)];
    }
    case 'target-skipped':
      // One line for each would bury the failure; the summary counts and names them.
      return [];
    case 'finding':
      return [paint('warn', `${event.target}: not reproducible: ${sanitizeLine(event.text)}`)];
    case 'warning':
      return [formatProblems([event.problem], paint)];
    case 'paused':
      return [paint('warn', 'paused: nothing new is started')];
    case 'resumed':
      return ['going on: builds are started again'];
    case 'stopping':
      return [paint('warn', stoppingText(event.text))];
    case 'target-ready':
    case 'target-waiting':
    case 'step-started':
    case 'step-finished':
    case 'usage':
    case 'run-finished':
      return [];
    default:
      return event satisfies never;
  }
}

function planLine(view: RunView): string[] {
  const planned = { build: 0, hit: 0, waiting: 0 };
  for (const target of view.targets.values()) planned[target.planned]++;
  // The summary says it all where there is nothing to do.
  if (planned.build === 0) return [];
  const waiting = planned.waiting > 0 ? `, ${planned.waiting} may follow` : '';
  return [
    `plan: ${count(view.targets.size, 'target')}: ${planned.build} to build${waiting}, ${planned.hit} up to date`,
  ];
}

/** How far the run is: done of all; nothing before there is a plan. */
function place(view: RunView): string {
  if (view.targets.size === 0) return '';
  const all = String(view.targets.size);
  return `[${String(doneCount(view.tally)).padStart(all.length)}/${all}] `;
}

function workerName(view: RunView, id: string): string {
  return sanitizeLine(view.workers.get(id)?.info.name ?? id);
}

/** What runs, oldest first: with step and time. @param now ms since the run began */
export function heartbeat(view: RunView, now: number): string[] {
  if (view.phase === 'finished') return [];
  const running = [...view.running].flatMap((name) => view.targets.get(name) ?? []);
  if (running.length === 0) {
    const busy = [...view.activities.values()].map(sanitizeLine);
    for (const download of view.downloads.values()) {
      busy.push(
        `fetching ${sanitizeLine(download.file)} for ${download.target}, ${bytes(download.received)}`,
      );
    }
    return busy.length === 0 ? [] : [`${place(view)}${elapsed(now)}: ${busy.slice(0, NAMED).join('; ')}`];
  }
  const named = running.slice(0, NAMED).map((target) => {
    const step = target.steps.at(-1)?.name;
    const what = step === undefined ? '' : `, ${stepText(step).slice(0, 60)}`;
    const takes = target.usage === null ? '' : `, ${usageText(target.usage)}`;
    return `${target.name} (${elapsed(now - (target.since ?? now))}${what}${takes})`;
  });
  const more = running.length > NAMED ? ` and ${running.length - NAMED} more` : '';
  return [`${place(view)}${elapsed(now)}: building ${named.join('; ')}${more}`];
}

/** Running builds that have become suspicious since the last look. */
function slowLines(view: RunView, now: number, warned: Set<string>): string[] {
  return [...view.running].flatMap((name) => {
    const target = view.targets.get(name);
    const text = target === undefined ? null : suspicion(target, now);
    const key = `${name} ${target?.attempt}`;
    if (text === null || warned.has(key)) return [];
    warned.add(key);
    return [text];
  });
}

/** For tests and recorded runs: all lines of a stream of events. */
export function linesOf(events: Iterable<RunEvent>, paint: Paint): string[] {
  const view = emptyView();
  const lines: string[] = [];
  for (const event of events) {
    fold(view, event);
    lines.push(
      ...(event.type === 'run-finished' ? summaryLines(view, paint) : eventLines(view, event, paint)),
    );
  }
  return lines;
}
