/**
 * The views behind keys: help, the list of targets, one target with what it waits for, its log. Pure: rows
 * from a frame and what the user is looking at.
 */
import { verdictOf } from '../report/verdict.ts';
import { bytes, elapsed, usageText } from '../text/format.ts';
import type { Tone } from '../text/paint.ts';
import { sanitizeLine } from '../text/sanitize.ts';
import { fit, width } from '../text/width.ts';
import type { RunView, TargetState, TargetView, UsageView } from '../view/model.ts';
import { waitsFor } from '../view/model.ts';
import { suspicion } from '../view/suspicion.ts';
import type { Area } from './area.ts';
import { fitRow, type Row, span } from './rows.ts';
import { windowAround } from './running.ts';
import type { Frame } from './store.ts';
import { listed, type Screen, type Ui } from './ui.ts';

type KeyText = readonly [key: string, text: string];

const KEYS: readonly KeyText[] = [
  ['up down', 'select a running or failed target (also k j)'],
  ['Enter w', 'why it waits or runs, what it needs, where its log is'],
  ['l', 'its log, live; / searches, n and N go on, g G to the ends'],
  ['b', 'all targets; Tab: running, waiting, failed, done; / filters'],
  ['p', 'pause: start nothing new; again: go on'],
  ['r', 'retry the selected failed target, and what was skipped for it'],
];

const OWN: readonly KeyText[] = [
  ['q', 'back; in the first view: end the run kindly, as Ctrl-C does'],
  ['Ctrl-C', 'cancel what runs, keep what is finished; twice: kill'],
];

const ATTACHED: readonly KeyText[] = [
  ['q', 'back; in the first view: leave the run, which goes on'],
  ['Ctrl-C', 'leave it, or end it: asks which'],
];

const LAST: readonly KeyText[] = [
  ['Ctrl-Z', 'suspend; fg goes on'],
  ['Esc', 'back'],
];

/** Attached, after a Ctrl-C. */
export function askRows({ view }: Frame, { columns, rows, glyphs }: Area): Row[] {
  const ends =
    view.phase === 'stopping'
      ? 'kill what still runs'
      : 'end the run: cancel what runs, keep what is finished';
  const keys: readonly KeyText[] = [
    ['q', 'leave this view; the run goes on'],
    ['Ctrl-C', ends],
    ['Esc', 'back'],
  ];
  return keys
    .map(([key, text]) => fitRow([span(fit(key, 9), 'strong'), span(text)], columns, glyphs.more))
    .slice(0, rows);
}

export function helpRows({ columns, rows, glyphs }: Area, attached: boolean): Row[] {
  return [...KEYS, ...(attached ? ATTACHED : OWN), ...LAST]
    .map(([key, text]) => fitRow([span(fit(key, 9), 'strong'), span(text)], columns, glyphs.more))
    .slice(0, rows);
}

const TONES: Readonly<Record<TargetState, Tone>> = {
  waiting: 'quiet',
  ready: 'plain',
  running: 'accent',
  hit: 'quiet',
  built: 'good',
  unchanged: 'good',
  failed: 'bad',
  skipped: 'warn',
};

export function browseRows({ view, now }: Frame, ui: Ui, area: Area): Row[] {
  if (ui.screen.kind !== 'browse') return [];
  const { show, filter, typing } = ui.screen;
  const all = listed(ui, view);
  const size = Math.max(1, area.rows - 1);
  const shown = windowAround(all, ui.selected, Math.min(size, all.length));
  const rows = shown.map((target): Row => {
    const mark = target.name === ui.selected ? area.glyphs.selected : ' ';
    return [
      span(`${mark} ${fit(target.state, 9)} `, TONES[target.state]),
      span(fit(target.name, 30, area.glyphs.more), target.name === ui.selected ? 'strong' : 'plain'),
      span(` ${factsOf(target, view, now)}`, 'quiet'),
    ];
  });
  const typedFilter = typing || filter !== '' ? `  /${filter}${typing ? '_' : ''}` : '';
  const head: Row = [
    span(`${show} `, 'strong'),
    span(`${all.length} of ${view.targets.size}`),
    span(typedFilter, 'accent'),
    span('  Tab: which  /: filter  Enter: more  l: log  Esc: back', 'quiet'),
  ];
  return [head, ...rows].map((row) => fitRow(row, area.columns, area.glyphs.more));
}

function factsOf(target: TargetView, view: RunView, now: number): string {
  if (target.state === 'running') return elapsed(now - (target.since ?? now));
  if (target.state === 'waiting') {
    const waits = waitsFor(view, target.name);
    return waits.length === 0
      ? ''
      : `waits for ${waits.slice(0, 3).join(', ')}${waits.length > 3 ? ` and ${waits.length - 3} more` : ''}`;
  }
  return verdictOf(target).facts;
}

/** Why a target waits: the chain down to what runs or must run first. */
export function waitChain(view: RunView, name: string): string[] {
  const chain: string[] = [];
  const seen = new Set<string>();
  for (let at: string | undefined = name; at !== undefined && !seen.has(at); ) {
    seen.add(at);
    chain.push(at);
    const waits: string[] = waitsFor(view, at);
    // What runs already will be done first; what waits itself holds things up longest.
    at = waits.find((other) => view.targets.get(other)?.state === 'waiting') ?? waits[0];
  }
  return chain;
}

function usageRow({ state }: TargetView, usage: UsageView): string {
  const now = state === 'running' ? `${usageText(usage)} now, ` : '';
  return `${now}${elapsed(usage.cpu)} of CPU, at most ${bytes(usage.peak)}`;
}

export function detailRows({ view, now, estimate }: Frame, name: string, area: Area): Row[] {
  const target = view.targets.get(name);
  if (target === undefined) {
    return [fitRow([span(`${name} is not part of this run`)], area.columns, area.glyphs.more)];
  }
  const rows: Row[] = [
    [
      span(name, 'strong'),
      span(` ${target.state} `, TONES[target.state]),
      span(factsOf(target, view, now), 'quiet'),
    ],
  ];
  const field = (label: string, text: string): void => {
    // Seven columns and a blank: a whole digest fits beside it in 80.
    if (text !== '') rows.push([span(`${fit(label, 7)} `, 'quiet'), span(text)]);
  };
  for (const { text } of target.reasons) field('because', sanitizeLine(text));
  if (target.state === 'waiting')
    field('waits', waitChain(view, name).slice(1).join(` ${area.glyphs.arrow} `));
  if (target.state === 'skipped') field('skipped', sanitizeLine(target.text ?? ''));
  if (target.worker !== null)
    field('worker', sanitizeLine(view.workers.get(target.worker)?.info.name ?? target.worker));
  if (target.state === 'waiting' || target.state === 'ready' || target.state === 'running') {
    const guess = estimate?.guess(target.stage) ?? 0;
    const others = guess < 1_000 ? '' : `, others of its stage take about ${elapsed(guess)}`;
    field(
      'takes',
      target.expected === null ? `never built here${others}` : `about ${elapsed(target.expected)}`,
    );
  }
  const suspected = target.state === 'running' ? suspicion(target, now) : null;
  if (suspected !== null) rows.push([span(suspected, 'warn')]);
  if (target.usage !== null) field('usage', usageRow(target, target.usage));
  for (const step of target.steps) field('step', `${sanitizeLine(step.name)} (${elapsed(now - step.since)})`);
  if (target.failure !== null) {
    field('cause', sanitizeLine(target.failure.cause));
    for (const line of target.failure.tail.slice(-5)) field('', sanitizeLine(line));
  }
  field('needs', target.dependencies.join(' '));
  if (estimate?.path.includes(name) === true)
    field('path', 'on the critical path: the longest chain of what is left');
  if (target.digest !== null) field('digest', target.digest);
  if (target.size > 0) field('size', bytes(target.size));
  if (target.logFile !== null) field('log', sanitizeLine(target.logFile));
  rows.push([span('l: log  Esc: back', 'quiet')]);
  return rows.slice(0, area.rows).map((row) => fitRow(row, area.columns, area.glyphs.more));
}

/** The part of a log that is looked at. @param lines harmless text, oldest first. */
export function logRows(
  lines: readonly string[],
  screen: Extract<Screen, { kind: 'log' }>,
  area: Area,
): Row[] {
  const size = Math.max(1, area.rows - 1);
  const up = clampUp(screen.up, lines.length, size);
  const shown = lines.slice(Math.max(0, lines.length - size - up), lines.length - up);
  const where = up === 0 ? 'end' : `${up} below`;
  const search =
    screen.typing || screen.search !== '' ? `  /${screen.search}${screen.typing ? '_' : ''}` : '';
  const head: Row = [
    span(`${screen.target} `, 'strong'),
    span(`log, ${where}`),
    span(search, 'accent'),
    span('  /: search  n N: next  g G: ends  Esc: back', 'quiet'),
  ];
  const rows = shown.map((line): Row => highlight(line, screen.search, area));
  if (lines.length === 0) rows.push([span('nothing yet', 'quiet')]);
  return [head, ...rows].map((row) => fitRow(row, area.columns, area.glyphs.more));
}

/** `up` within what there is. */
export function clampUp(up: number, lines: number, size: number): number {
  return Math.max(0, Math.min(up, lines - size));
}

/** What is found stands out; where it would be beyond the last column, the line begins shortly before it. */
function highlight(line: string, search: string, { columns, glyphs }: Area): Row {
  const at = search === '' ? -1 : line.toLowerCase().indexOf(search.toLowerCase());
  if (at < 0) return [span(line)];
  const found = line.slice(at, at + search.length);
  const before = line.slice(0, at);
  const fits = width(before) + width(found) < columns;
  return [
    span(fits ? before : `${glyphs.more}${before.slice(-Math.floor(columns / 3))}`),
    span(found, 'strong'),
    span(line.slice(at + search.length)),
  ];
}

/** The next line with the search in it, going up or down from the last line shown; null where there is none. */
export function findUp(
  lines: readonly string[],
  search: string,
  up: number,
  direction: 'up' | 'down',
): number | null {
  if (search === '') return null;
  const wanted = search.toLowerCase();
  const last = lines.length - 1 - up;
  const delta = direction === 'up' ? -1 : 1;
  for (let at = last + delta; at >= 0 && at < lines.length; at += delta) {
    if (lines[at]?.toLowerCase().includes(wanted) === true) return lines.length - 1 - at;
  }
  return null;
}
