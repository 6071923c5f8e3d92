/**
 * The first view: lanes with bars, failures pinned, one line per running build, what waits for what, and one
 * line with the sums. Pure: rows from a frame.
 */
import type { Failure } from '@stx-make/core/events';
import { failurePlace, stoppingText } from '../report/verdict.ts';
import { bytes, elapsed, usageText } from '../text/format.ts';
import { sanitizeLine } from '../text/sanitize.ts';
import { stepText } from '../text/step.ts';
import { fit, right, width } from '../text/width.ts';
import type { Estimate } from '../view/estimate.ts';
import { doneCount, type RunView, type TargetState } from '../view/model.ts';
import type { Area } from './area.ts';
import { bar, type Glyphs } from './glyphs.ts';
import { fitRow, type Row, type Span, span, spread } from './rows.ts';
import { runningRows, waitingRows } from './running.ts';
import type { Frame } from './store.ts';

/** From the seed up; other stages come after these. */
const STAGES = ['bootstrap', 'core', 'pallet', 'user'];
const BAR = 24;
/** Below this the critical path shares a line. */
const ROWS_FOR_PATH = 12;
/** Failures named before only their number is. */
const PINNED = 3;

/** Lanes, failures, running builds, waiting ones, sums: in that order, within the area. @param selected the
 * name of the selected target, null for none. */
export function overview(frame: Frame, area: Area, selected: string | null): Row[] {
  const { view } = frame;
  if (view.phase === 'starting') return startingRows(view, area);
  const footer = sumRows(frame, area);
  const lanes = laneRows(view, area);
  // Small terminals: what runs matters most, then the sums, then failures, then the lanes, then what waits.
  const room = Math.max(1, area.rows - footer.length);
  const wanted = Math.min(view.running.size, 4);
  const failures = failureRows(view, area, selected, Math.max(0, room - Math.max(1, wanted)));
  const body = room - failures.length;
  const shownLanes = body - lanes.length >= 3 ? lanes : [];
  const forBuilds = body - shownLanes.length;
  const waiting = waitingRows(view, area);
  const atLeast = Math.min(waiting.length, 1);
  const running =
    view.running.size === 0
      ? busyRows(view, area).slice(0, Math.max(1, forBuilds))
      : runningRows(frame, area, selected, Math.max(1, forBuilds - atLeast));
  return [
    ...shownLanes,
    ...failures,
    ...running,
    ...waiting.slice(0, Math.max(0, forBuilds - running.length)),
    ...footer,
  ].slice(0, area.rows);
}

function startingRows(view: RunView, area: Area): Row[] {
  const rows = busyRows(view, area);
  return rows.length > 0 ? rows.slice(0, area.rows) : [[span('reading the tree', 'quiet')]];
}

/** What goes on beside builds: connecting, waiting for a lock, downloads. */
function busyRows(view: RunView, area: Area): Row[] {
  const rows: Row[] = [...view.activities.values()].map((text) => [span(sanitizeLine(text))]);
  const downloads = [...view.downloads.values()];
  for (const { target, file, received, total } of downloads.slice(0, 2)) {
    const of = total === null ? '' : ` of ${bytes(total)}`;
    rows.push([
      span(`fetching ${sanitizeLine(file)} `),
      span(`${bytes(received)}${of}, for ${target}`, 'quiet'),
    ]);
  }
  if (downloads.length > 2) rows.push([span(`fetching ${downloads.length - 2} more`, 'quiet')]);
  return rows.map((row) => fitRow(row, area.columns, area.glyphs.more));
}

function laneRows(view: RunView, { columns, glyphs }: Area): Row[] {
  const names = [
    ...STAGES.filter((stage) => view.lanes.has(stage)),
    ...[...view.lanes.keys()].filter((stage) => !STAGES.includes(stage)).sort(),
  ];
  const label = Math.min(14, Math.max(...names.map(width)));
  const cells = Math.max(8, Math.min(BAR, columns - label - 40));
  const digits = Math.max(1, ...names.map((name) => String(sizeOf(view.lanes.get(name))).length));
  return names.map((name) => {
    const tally = view.lanes.get(name);
    const all = sizeOf(tally);
    const done = tally === undefined ? 0 : doneCount(tally);
    const { full, empty } = bar(all === 0 ? 1 : done / all, cells, glyphs);
    // Failed ones are part of what is done: some of the bar is theirs, however few they are.
    const failed = tally?.failed ?? 0;
    const bad = failed === 0 ? 0 : Math.max(1, Math.floor((failed / all) * cells));
    const good = Math.max(0, full.length - bad);
    const row: Span[] = [
      span(`${fit(sanitizeLine(name), label, glyphs.more)} `, done === all ? 'quiet' : 'strong'),
      span(full.slice(0, good), 'good'),
      span(full.slice(good), 'bad'),
      span(empty, 'quiet'),
      span(` ${right(String(done), digits)}/${fit(String(all), digits)}`),
      ...laneNotes(tally),
    ];
    return fitRow(row, columns, glyphs.more);
  });
}

function sizeOf(tally: Readonly<Record<TargetState, number>> | undefined): number {
  return tally === undefined ? 0 : Object.values(tally).reduce((sum, n) => sum + n, 0);
}

function laneNotes(tally: Readonly<Record<TargetState, number>> | undefined): Span[] {
  if (tally === undefined) return [];
  const notes: Span[] = [];
  if (tally.running > 0) notes.push(span(`  ${tally.running} running`, 'accent'));
  if (tally.ready > 0) notes.push(span(`  ${tally.ready} ready`));
  if (tally.failed > 0) notes.push(span(`  ${tally.failed} failed`, 'bad'));
  if (tally.skipped > 0) notes.push(span(`  ${tally.skipped} skipped`, 'warn'));
  return notes;
}

/** The latest failures: what failed with which code and where, and below it, where there is room, step and cause. */
function failureRows(view: RunView, area: Area, selected: string | null, room: number): Row[] {
  const shown = view.failures.slice(-PINNED);
  const more = view.failures.length - shown.length;
  const two = 2 * shown.length + (more > 0 ? 1 : 0) <= room;
  const rows = shown.flatMap((name): Row[] => {
    const failure = view.targets.get(name)?.failure;
    return failure === null || failure === undefined
      ? []
      : failureRow(name, failure, area, name === selected, two);
  });
  if (more > 0) rows.push([span(`${area.glyphs.bad} ${more} more failed before`, 'bad')]);
  return rows.slice(0, room);
}

function failureRow(name: string, failure: Failure, area: Area, selected: boolean, two: boolean): Row[] {
  const { columns, glyphs } = area;
  const code = failure.exitCode === null ? '' : ` exit ${failure.exitCode}`;
  const place = failurePlace(failure);
  // The code is said already; what it is about is not.
  const cause = sanitizeLine(failure.cause).replace(/^exit code \d+: /, '');
  const step = failure.step === null ? '' : stepText(failure.step);
  const head: Row = [
    span(`${selected ? glyphs.selected : glyphs.bad} ${name}`, 'bad'),
    span(`${code}${place === null ? '' : ` ${place}`}`),
  ];
  if (!two) return [fitRow([...head, span(` ${cause}`, 'quiet')], columns, glyphs.more)];
  return [
    fitRow([...head, span(step === '' ? '' : ` ${step}`, 'quiet')], columns, glyphs.more),
    fitRow([span(`  ${cause}`)], columns, glyphs.more),
  ];
}

/** Elapsed, estimate, critical path; and a line for lost workers, stopping and findings where there are any. */
function sumRows({ view, now, estimate }: Frame, { columns, rows: height, glyphs }: Area): Row[] {
  const rows: Row[] = [];
  for (const { info, lost } of view.workers.values()) {
    if (lost !== null)
      rows.push([span(`worker ${sanitizeLine(info.name)} lost: ${sanitizeLine(lost)}`, 'warn')]);
  }
  if (view.findings.length > 0) rows.push([span(`${view.findings.length} not reproducible`, 'warn')]);
  if (view.paused) rows.push([span('paused: nothing new is started; p goes on', 'warn')]);
  if (view.phase === 'stopping') {
    rows.push([span(stoppingText(view.stopping ?? ''), 'warn')]);
  }
  const all = view.targets.size;
  const done = doneCount(view.tally);
  const left: Span[] = [
    span(`${done} of ${all} `, 'strong'),
    span(`${glyphs.dot} ${elapsed(now)}`),
    ...(view.workers.size === 1 ? usageSpans(view, glyphs) : []),
  ];
  const path = estimate === null || estimate.high < 1_000 ? [] : pathSpans(estimate, glyphs);
  if (estimate !== null && estimate.high >= 1_000) {
    const [low, high] = [elapsed(estimate.low), elapsed(estimate.high)];
    left.push(
      span(low === high ? ` ${glyphs.dot} about ${high} left` : ` ${glyphs.dot} ${low} to ${high} left`),
    );
  }
  if (view.workers.size > 1) rows.push(workersRow(view, glyphs));
  // A line of its own where there is room for it: the way of the longest chain tells what holds the run up.
  const apart = path.length > 0 && height >= ROWS_FOR_PATH;
  if (apart) rows.push(path);
  else if (path.length > 0) left.push(span(` ${glyphs.dot} `), ...path);
  rows.push(spread(left, [span('? help', 'quiet')], columns, glyphs.more));
  return rows.map((row) => fitRow(row, columns, glyphs.more));
}

/** The critical path ahead: what is next on it, how much is between, what is its end. */
function pathSpans({ path }: Estimate, { arrow }: Glyphs): Span[] {
  const [first, second] = path;
  const last = path.at(-1);
  if (first === undefined || second === undefined || last === undefined) return [];
  const between = path.length - 3;
  const middle = between < 0 ? [] : between === 0 ? [second] : [second, `${between} more`];
  return [
    span(`critical path, ${path.length}: `, 'quiet'),
    span([first, ...middle, last].join(` ${arrow} `), 'quiet'),
  ];
}

/** The run in one line, under the views that are not about all of it: nothing hides that something failed. */
export function statusRow({ view, now }: Frame, { columns, glyphs }: Area): Row {
  const { failed, running } = view.tally;
  const row: Row = [
    span(`${doneCount(view.tally)} of ${view.targets.size}`, 'strong'),
    span(` ${glyphs.dot} ${elapsed(now)} ${glyphs.dot} ${running} running`),
    span(failed > 0 ? ` ${glyphs.dot} ${failed} failed: ${view.failures.slice(-3).join(' ')}` : '', 'bad'),
    span(view.paused ? ` ${glyphs.dot} paused` : '', 'warn'),
    span(view.phase === 'stopping' ? ` ${glyphs.dot} ${stoppingText(view.stopping ?? '')}` : '', 'warn'),
  ];
  return fitRow(row, columns, glyphs.more);
}

/** What the builds of one worker take of it. */
interface Taken {
  readonly builds: number;
  readonly cores: number;
  readonly memory: number;
  /** Of some of them it is known. */
  readonly known: boolean;
}

function takenOf(view: RunView, worker: string): Taken {
  const builds = [...view.running].flatMap((name) => {
    const target = view.targets.get(name);
    return target?.worker === worker ? [target] : [];
  });
  const usages = builds.flatMap(({ usage }) => usage ?? []);
  return {
    builds: builds.length,
    cores: usages.reduce((sum, { cores }) => sum + cores, 0),
    memory: usages.reduce((sum, { memory }) => sum + memory, 0),
    known: usages.length > 0,
  };
}

/** With one worker the running builds already say how many there are. */
function usageSpans(view: RunView, { dot }: Glyphs): Span[] {
  const [worker = ''] = view.workers.keys();
  const taken = takenOf(view, worker);
  return taken.known ? [span(` ${dot} ${usageText(taken)}`)] : [];
}

/** How many places of each worker are taken, and what its builds take of it. */
function workersRow(view: RunView, { dot }: Glyphs): Row {
  return [...view.workers.values()]
    .filter(({ lost }) => lost === null)
    .map(({ info }, i) => {
      const taken = takenOf(view, info.id);
      const usage = taken.known ? ` (${usageText(taken)})` : '';
      return span(
        `${i === 0 ? '' : ` ${dot} `}${sanitizeLine(info.name)} ${taken.builds}/${info.jobs}${usage}`,
      );
    });
}
