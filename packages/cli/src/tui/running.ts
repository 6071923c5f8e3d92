/**
 * What runs, a row each: step, what it takes of its machine, time, estimate; and what waits for it. Pure: rows from a
 * frame. Unaware of the rest of the screen.
 */
import { bytes, cores, elapsed } from '../text/format.ts';
import { sanitizeLine } from '../text/sanitize.ts';
import { stepText } from '../text/step.ts';
import { cut, fit, right, width } from '../text/width.ts';
import type { Estimate } from '../view/estimate.ts';
import { type RunView, type TargetView, waitsFor } from '../view/model.ts';
import { suspicion } from '../view/suspicion.ts';
import type { Area } from './area.ts';
import { fitRow, type Row, span, spread } from './rows.ts';
import type { Frame } from './store.ts';

/** Below this there is room for the step or for CPU and memory; the step says more. */
const COLUMNS_FOR_USAGE = 70;
/** Waiting targets that are shown at most. */
const WAITING = 3;
/** Columns of a worker's name at most. */
const WORKER = 16;

/** Oldest first; where there are more than fit, those around the selected one and the number of the others. */
export function runningRows(frame: Frame, area: Area, selected: string | null, room: number): Row[] {
  const { view } = frame;
  const running = [...view.running].flatMap((name) => view.targets.get(name) ?? []);
  const shown = running.length <= room ? running : windowAround(running, selected, Math.max(1, room - 1));
  const cells = shown.map((target) => cellsOf(target, frame, area));
  const most = (texts: readonly string[]): number => Math.max(0, ...texts.map(width));
  const columns: Columns = {
    name: Math.min(28, most(shown.map(({ name }) => name))),
    usage: most(cells.map(({ usage }) => usage)),
    spent: most(cells.map(({ spent }) => spent)),
    expected: most(cells.map(({ expected }) => expected)),
  };
  const rows = shown.map((target, i): Row => {
    const own = cells[i];
    return own === undefined ? [] : runningRow(target, own, columns, area, target.name === selected);
  });
  const hidden = running.length - shown.length;
  if (hidden > 0 && room > 1) rows.push([span(`  ${area.glyphs.more} and ${hidden} more`, 'quiet')]);
  return rows;
}

interface Columns {
  readonly name: number;
  readonly usage: number;
  readonly spent: number;
  readonly expected: number;
}

interface Cells {
  /** Which attempt, on which worker; empty where there is only one. */
  readonly where: string;
  readonly usage: string;
  readonly spent: string;
  readonly expected: string;
  /** It takes much longer than expected, or may be stalled. */
  readonly late: boolean;
}

/** An address without its scheme: what tells workers apart. */
function workerText(name: string): string {
  return sanitizeLine(name).replace(/^[a-z-]+:\/\//, '');
}

function cellsOf(target: TargetView, { view, now, estimate }: Frame, area: Area): Cells {
  const spent = now - (target.since ?? now);
  const worker =
    view.workers.size > 1 && target.worker !== null ? view.workers.get(target.worker) : undefined;
  const { usage } = target;
  return {
    where: [
      ...(target.attempt > 1 ? [` try ${target.attempt}`] : []),
      ...(worker === undefined ? [] : [` ${cut(workerText(worker.info.name), WORKER, area.glyphs.more)}`]),
    ].join(''),
    usage:
      usage === null || area.columns < COLUMNS_FOR_USAGE
        ? ''
        : ` ${right(cores(usage.cores), 4)} cpu ${right(bytes(usage.memory), 7)}`,
    spent: elapsed(spent),
    expected: expectedText(target, estimate),
    late:
      (target.expected !== null && spent > target.expected * 1.5 + 5_000) || suspicion(target, now) !== null,
  };
}

/** The median of what it took before; else, as a question, what others of its stage take. */
function expectedText(target: TargetView, estimate: Estimate | null): string {
  if (target.expected !== null) return ` of ~${elapsed(target.expected)}`;
  const guess = estimate?.guess(target.stage) ?? 0;
  return guess < 1_000 ? '' : ` of ~${elapsed(guess)}?`;
}

function runningRow(target: TargetView, cells: Cells, columns: Columns, area: Area, selected: boolean): Row {
  const { glyphs } = area;
  const step = target.steps.at(-1);
  const left: Row = [
    span(`${selected ? glyphs.selected : glyphs.running} `, 'accent'),
    span(`${fit(target.name, columns.name, glyphs.more)} `, selected ? 'strong' : 'plain'),
    span(step === undefined ? 'starting' : stepText(step.name), 'quiet'),
  ];
  const sums: Row = [
    span(cells.where, 'quiet'),
    span(cells.usage.padStart(columns.usage), 'quiet'),
    span(` ${right(cells.spent, columns.spent)}`, cells.late ? 'warn' : 'plain'),
    span(cells.expected.padEnd(columns.expected), 'quiet'),
  ];
  return spread(left, sums, area.columns, glyphs.more);
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

/** The targets that only what runs now keeps from starting, those that wait for least first. */
export function waitingRows(view: RunView, { columns, glyphs }: Area): Row[] {
  if (view.tally.waiting === 0 || view.running.size === 0) return [];
  const next: { readonly name: string; readonly waits: readonly string[] }[] = [];
  for (const { name, state } of view.targets.values()) {
    if (state !== 'waiting') continue;
    const waits = waitsFor(view, name);
    if (waits.length > 0 && waits.every((other) => view.running.has(other))) next.push({ name, waits });
  }
  const shown = next.sort((a, b) => a.waits.length - b.waits.length).slice(0, WAITING);
  const more = view.tally.waiting - shown.length;
  return shown.map(({ name, waits }, i) => {
    const others = i === shown.length - 1 && more > 0 ? `, ${more} more wait` : '';
    return fitRow(
      [span(`${glyphs.waits} ${name} waits for ${waits.join(', ')}${others}`, 'quiet')],
      columns,
      glyphs.more,
    );
  });
}
