/**
 * The first view: lanes with bars, failures pinned, one line per running build, what waits for what, and one
 * line with the sums. Pure: rows from a frame.
 */
import { failurePlace, stoppingText } from '../report/verdict.ts';
import { bytes, elapsed } from '../text/format.ts';
import type { Tone } from '../text/paint.ts';
import { sanitizeLine } from '../text/sanitize.ts';
import { fit, right, width } from '../text/width.ts';
import { doneCount, type RunView, type TargetState, type TargetView, waitsFor } from '../view/model.ts';
import { bar, type Glyphs } from './glyphs.ts';
import { fitRow, type Row, type Span, span, spread } from './rows.ts';
import type { Frame } from './store.ts';

export interface Area {
  readonly columns: number;
  /** Rows that may be used. */
  readonly rows: number;
  readonly glyphs: Glyphs;
}

/** From the seed up; other stages come after these. */
const STAGES = ['bootstrap', 'core', 'pallet', 'user'];
const BAR = 24;
/** Failures named before only their number is. */
const PINNED = 3;

/** Lanes, failures, running builds, waiting ones, sums: in that order, within the area. @param selected the
 * name of the selected target, null for none. */
export function overview(frame: Frame, area: Area, selected: string | null): Row[] {
  const { view } = frame;
  if (view.phase === 'starting') return startingRows(view, area);
  const footer = sumRows(frame, area);
  const lanes = laneRows(view, area);
  // Small terminals: what runs matters most, then the sums, then failures, then the lanes.
  const room = Math.max(1, area.rows - footer.length);
  const failures = failureRows(view, area, selected).slice(0, Math.max(0, room - 1));
  const body = room - failures.length;
  const shownLanes = body - lanes.length >= 3 ? lanes : [];
  const forBuilds = body - shownLanes.length;
  const waiting = waitingRow(view, area);
  const running = runningRows(frame, area, selected, Math.max(1, forBuilds - waiting.length));
  return [
    ...shownLanes,
    ...failures,
    ...running,
    ...(running.length + waiting.length <= forBuilds ? waiting : []),
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
    const tone: Tone = (tally?.failed ?? 0) > 0 ? 'bad' : 'good';
    const row: Span[] = [
      span(`${fit(sanitizeLine(name), label, glyphs.more)} `, done === all ? 'quiet' : 'strong'),
      span(full, tone),
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

function failureRows(view: RunView, { columns, glyphs }: Area, selected: string | null): Row[] {
  const shown = view.failures.slice(-PINNED);
  const rows = shown.flatMap((name): Row[] => {
    const target = view.targets.get(name);
    const failure = target?.failure;
    if (failure === null || failure === undefined) return [];
    const code = failure.exitCode === null ? '' : ` exit ${failure.exitCode}`;
    const place = failurePlace(failure);
    const mark = name === selected ? glyphs.selected : glyphs.bad;
    return [
      fitRow(
        [
          span(`${mark} ${name}`, 'bad'),
          span(`${code}${place === null ? '' : ` ${place}`}`),
          span(` ${sanitizeLine(failure.cause)}`, 'quiet'),
        ],
        columns,
        glyphs.more,
      ),
    ];
  });
  const more = view.failures.length - shown.length;
  return more > 0 ? [...rows, [span(`${glyphs.bad} ${more} more failed before`, 'bad')]] : rows;
}

/** One line each, oldest first; where there are more than fit, the oldest and their number. */
function runningRows({ view, now }: Frame, area: Area, selected: string | null, room: number): Row[] {
  const running = [...view.running].flatMap((name) => view.targets.get(name) ?? []);
  if (running.length === 0) return busyRows(view, area).slice(0, room);
  const shown = running.length <= room ? running : windowAround(running, selected, Math.max(1, room - 1));
  const names = Math.min(28, Math.max(...shown.map(({ name }) => width(name))));
  const rows = shown.map((target) => runningRow(target, view, now, names, area, target.name === selected));
  const hidden = running.length - shown.length;
  if (hidden > 0 && room > 1) rows.push([span(`  ${area.glyphs.more} and ${hidden} more`, 'quiet')]);
  return rows;
}

/** `size` items with the selected one among them. */
export function windowAround<T extends { readonly name: string }>(
  items: readonly T[],
  selected: string | null,
  size: number,
): readonly T[] {
  const at = Math.max(
    0,
    items.findIndex(({ name }) => name === selected),
  );
  const first = Math.max(0, Math.min(at - Math.floor(size / 2), items.length - size));
  return items.slice(first, first + size);
}

function runningRow(
  target: TargetView,
  view: RunView,
  now: number,
  names: number,
  { columns, glyphs }: Area,
  selected: boolean,
): Row {
  const spent = now - (target.since ?? now);
  const step = target.steps.at(-1);
  const late = target.expected !== null && spent > target.expected * 1.5 + 5_000;
  const expected = target.expected === null ? '' : ` of ~${elapsed(target.expected)}`;
  const worker =
    view.workers.size > 1 && target.worker !== null ? view.workers.get(target.worker) : undefined;
  const attempt = target.attempt > 1 ? ` try ${target.attempt}` : '';
  const left: Row = [
    span(`${selected ? glyphs.selected : glyphs.running} `, 'accent'),
    span(`${fit(target.name, names, glyphs.more)} `, selected ? 'strong' : 'plain'),
    span(step === undefined ? 'starting' : sanitizeLine(step.name), 'quiet'),
  ];
  const sums: Row = [
    span(`${attempt}${worker === undefined ? '' : ` ${sanitizeLine(worker.info.name)}`}`, 'quiet'),
    span(` ${elapsed(spent)}`, late ? 'warn' : 'plain'),
    span(expected, 'quiet'),
  ];
  return spread(left, sums, columns, glyphs.more);
}

/** The waiting target that most depends on what runs now: one line is enough to see what holds things up. */
function waitingRow(view: RunView, { columns, glyphs }: Area): Row[] {
  if (view.tally.waiting === 0 || view.running.size === 0) return [];
  const blockers = new Map<string, number>();
  let shown: { name: string; waits: readonly string[] } | null = null;
  for (const target of view.targets.values()) {
    if (target.state !== 'waiting') continue;
    const waits = waitsFor(view, target.name);
    if (waits.length === 0 || !waits.every((name) => view.running.has(name))) continue;
    for (const name of waits) blockers.set(name, (blockers.get(name) ?? 0) + 1);
    if (shown === null || waits.length < shown.waits.length) shown = { name: target.name, waits };
  }
  if (shown === null) return [];
  const more = Math.max(0, view.tally.waiting - 1);
  return [
    fitRow(
      [
        span(`${glyphs.waits} ${shown.name} waits for ${shown.waits.join(', ')}`, 'quiet'),
        span(more > 0 ? `, ${more} more wait` : '', 'quiet'),
      ],
      columns,
      glyphs.more,
    ),
  ];
}

/** Elapsed, estimate, critical path; and a line for lost workers, stopping and findings where there are any. */
function sumRows({ view, now, estimate }: Frame, { columns, glyphs }: Area): Row[] {
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
    ...workerSpans(view, glyphs),
  ];
  if (estimate !== null && estimate.high >= 1_000) {
    const [low, high] = [elapsed(estimate.low), elapsed(estimate.high)];
    left.push(
      span(low === high ? ` ${glyphs.dot} about ${high} left` : ` ${glyphs.dot} ${low} to ${high} left`),
    );
    const last = estimate.path.at(-1);
    if (last !== undefined && estimate.path.length > 1) {
      left.push(
        span(` ${glyphs.dot} longest: ${estimate.path.length} targets ${glyphs.arrow} ${last}`, 'quiet'),
      );
    }
  }
  rows.push(spread(left, [span('? help', 'quiet')], columns, glyphs.more));
  return rows.map((row) => fitRow(row, columns, glyphs.more));
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

/** How many places of each worker are taken; with one worker the running builds already say it. */
function workerSpans(view: RunView, glyphs: Glyphs): Span[] {
  if (view.workers.size < 2) return [];
  const used = new Map<string, number>();
  for (const name of view.running) {
    const worker = view.targets.get(name)?.worker;
    if (worker !== null && worker !== undefined) used.set(worker, (used.get(worker) ?? 0) + 1);
  }
  return [...view.workers.values()]
    .filter(({ lost }) => lost === null)
    .map(({ info }) =>
      span(` ${glyphs.dot} ${sanitizeLine(info.name)} ${used.get(info.id) ?? 0}/${info.jobs}`),
    );
}
